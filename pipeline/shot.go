package pipeline

import (
	"context"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/seg"
)

// Placed is a prompt and the frame that it was given on.
type Placed struct {
	Prompt seg.Prompt
	Frame  uint64
}

// Shot is a moment: a frame, the objects in it, and the prompts carried to it that the recorded motion still reaches.
type Shot struct {
	Frame   *frame.Frame // kept and reduced; the reference is the caller's to release, soon
	Objects []seg.Object
	Prompts []seg.Prompt
}

// Shot is what is shown now, as one: masks and prompts belong to the very frame.
func (p *Pipeline) Shot(ctx context.Context, prompts []Placed) (Shot, error) {
	var s Shot
	who := caller()
	f, err := p.borrow(ctx, func() (*frame.Frame, error) {
		newest := p.frames.newest()
		if newest == nil || newest.Seq != p.tr.Newest() {
			return nil, ErrNoFrame // nothing has come yet, or the newest could not be kept
		}
		f, err := p.frames.lend(newest.Seq, who)
		if err != nil {
			return nil, err
		}
		s.Objects = p.tr.Objects(nil)
		for _, a := range prompts {
			if q, trust, err := p.tr.Carry(a.Prompt, a.Frame, newest.Seq); err == nil && trust > 0 {
				s.Prompts = append(s.Prompts, q)
			}
		}
		return f, nil
	})
	if err != nil {
		return Shot{}, err
	}
	s.Frame = f
	return s, nil
}
