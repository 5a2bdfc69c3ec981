package pipeline

import (
	"testing"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/inference/memory"
	"github.com/segedge/segedge/inference/memory/memorytest"
	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/tracker"
	"github.com/segedge/segedge/tracker/lk"
)

// remembering is a synchronous pipeline over blocks with a model that remembers.
type remembering struct {
	*Pipeline
	t       *testing.T
	graphs  *memorytest.Graphs
	model   *memory.Model
	blocks  []block
	hidden  map[int]bool // blocks that are not to be seen
	n       uint64
	frame   *frame.Frame
	changes []seg.Change
}

func remember(t *testing.T, graphs *memorytest.Graphs, model *memory.Model, blocks ...block) *remembering {
	t.Helper()
	r := &remembering{t: t, graphs: graphs, model: model, blocks: blocks, hidden: map[int]bool{}, frame: frame.New(sceneW, sceneH)}
	p, err := New(Options{
		Model: model, Tracker: tracker.New(tracker.Options{}, lk.New(lk.Options{})), Synchronous: true,
		Changed: func(_ seg.FrameRef, c []seg.Change) { r.changes = append(r.changes, c...) },
	})
	if err != nil {
		t.Fatal(err)
	}
	r.Pipeline = p
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

// openGraphs is a model whose graphs and answers are all given back in the end.
func openGraphs(t *testing.T, g *memorytest.Graphs) *memory.Model {
	t.Helper()
	m, err := g.Model("remembers")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
		if graphs, answers := g.Left(); graphs+answers != 0 {
			t.Errorf("%d graphs are open, %d answers were not given back", graphs, answers)
		}
	})
	return m
}

// next walks a frame.
func (r *remembering) next() []seg.Object {
	r.t.Helper()
	r.n++
	var seen []block
	for i, b := range r.blocks {
		if !r.hidden[i] {
			seen = append(seen, b)
		}
	}
	draw(r.frame, r.n, seen)
	if err := r.Step(r.t.Context(), r.frame); err != nil {
		r.t.Fatal(err)
	}
	objects, _, err := r.Objects(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	return objects
}

func (r *remembering) until(what string, is func([]seg.Object) bool) {
	r.t.Helper()
	for range 400 {
		if is(r.next()) {
			return
		}
	}
	r.t.Fatalf("never: %s", what)
}

func (r *remembering) click(id seg.ID, b int) seg.ID {
	r.t.Helper()
	at := seg.Click{Point: r.blocks[b].center(r.n), Label: seg.Positive}
	got, err := r.Prompt(r.t.Context(), Request{Object: id, Prompt: seg.Prompt{Clicks: []seg.Click{at}}})
	if err != nil {
		r.t.Fatal(err)
	}
	return got.Object.ID
}

// follows holds each object to its block.
func (r *remembering) follows(objects []seg.Object, blocks ...int) {
	r.t.Helper()
	if len(objects) != len(blocks) {
		r.t.Fatalf("frame %d: %d objects, want %d", r.n, len(objects), len(blocks))
	}
	for i, b := range blocks {
		if got := iou(objects[i], r.blocks[b].truth(r.n)); got < 0.8 {
			r.t.Fatalf("frame %d: object %d has an IoU of %.2f with its block, state %v", r.n, objects[i].ID, got, objects[i].State)
		}
	}
}

func (r *remembering) remembers(objects int) int {
	r.t.Helper()
	c := r.Counters()
	if c.Remembered != objects || (c.RememberedBytes > 0) != (objects > 0) {
		r.t.Fatalf("frame %d: %d objects are remembered, in %d bytes, want %d objects", r.n, c.Remembered, c.RememberedBytes, objects)
	}
	return c.RememberedBytes
}

// twins are two blocks alike.
func twins() []block {
	red := [3]int{40, 40, 210}
	return []block{{x: 20, y: 30, w: 44, h: 44, vx: 0.5, color: red}, {x: 60, y: 160, w: 44, h: 44, vx: 0.6, vy: -0.1, color: red}}
}
