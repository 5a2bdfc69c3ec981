package agent

import (
	"slices"
	"sync"

	"github.com/segedge/segedge/pipeline"
	"github.com/segedge/segedge/seg"
)

// pointed are the prompts that objects were made and corrected with, so that what is kept of an object has them. Safe for concurrent use.
type pointed struct {
	mu sync.Mutex
	by map[seg.ID][]pipeline.Placed
}

// pointedMost is how many prompts of an object are kept, the newest; older ones have left the recorded motion anyway.
const pointedMost = 16

// add notes a prompt. Only its clicks and its box are a person's.
func (p *pointed) add(id seg.ID, q seg.Prompt, frame uint64) {
	q.Mask, q.Text = nil, ""
	if len(q.Clicks) == 0 && q.Box == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.by == nil {
		p.by = map[seg.ID][]pipeline.Placed{}
	}
	p.by[id] = append(p.by[id], pipeline.Placed{Prompt: q, Frame: frame})
	p.by[id] = p.by[id][max(0, len(p.by[id])-pointedMost):]
}

// of are an object's prompts, oldest first; the slice is the caller's.
func (p *pointed) of(id seg.ID) []pipeline.Placed {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.by[id])
}

// forget drops those of an object that has ended.
func (p *pointed) forget(id seg.ID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.by, id)
}
