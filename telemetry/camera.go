package telemetry

import (
	"context"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/segedge/segedge/frame"
)

// Of a camera as many frames are remembered as the model may be behind, and of each as many stages as there are with many objects and every
// rendition wanted.
const (
	remembered = 64
	maxStages  = 24
)

// settle is how long after it was chosen a frame is sent: what belongs to it, such as its masks and its encoded picture, may come later.
const settle = 5 * time.Second

// The stages of the pipeline that decide, and the name of its walk among a frame's spans.
const (
	stageEmbed = "embed"
	stageFrame = "frame"
	walk       = "walk"
)

// Camera collects the stages of one camera's frames and sends some frames: the next keyframe once the last one sent is old enough, or,
// where none comes, the next frame once it is twice as old. Nothing is allocated for the others. Nil collects none. Safe for concurrent
// use.
type Camera struct {
	t    *Tracer
	name string

	mu     sync.Mutex
	frames [remembered]record
	chosen record    // to be sent when it has settled; of frame 0 for none
	last   time.Time // when a frame was last chosen
}

// record is what was timed of a frame.
type record struct {
	seq      uint64
	captured time.Time
	stages   [maxStages]frame.Stage
	n        int
}

// Camera is what collects a camera's stages; nil where no frame is to be traced.
func (t *Tracer) Camera(name string) *Camera {
	if t == nil || t.o.Every <= 0 {
		return nil
	}
	return &Camera{t: t, name: name}
}

// Stage takes one stage of a frame.
func (c *Camera) Stage(s frame.Stage) {
	if c == nil || s.Seq == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	now := s.Began.Add(s.Took)
	r := &c.frames[s.Seq%remembered]
	if c.chosen.seq != 0 && now.Sub(c.last) >= settle {
		c.send(&c.chosen)
		c.chosen.seq = 0
	}
	if c.chosen.seq == s.Seq {
		c.chosen.add(s)
		return
	}
	if r.seq != s.Seq {
		if s.Captured.IsZero() {
			return // of a frame that is long past
		}
		r.seq, r.captured, r.n = s.Seq, s.Captured, 0
	}
	r.add(s)
	if c.chosen.seq == 0 && c.due(s.Name, now) {
		c.chosen, c.last = *r, now
	}
}

func (r *record) add(s frame.Stage) {
	if r.n < maxStages {
		r.stages[r.n] = s
		r.n++
	}
}

// due reports whether the frame of which this stage is over is to be sent.
func (c *Camera) due(stage string, now time.Time) bool {
	every := max(c.t.o.Every, settle)
	switch age := now.Sub(c.last); stage {
	case stageEmbed:
		return age >= every
	case stageFrame:
		return age >= 2*every
	default:
		return false
	}
}

// send makes the spans of a frame.
func (c *Camera) send(r *record) {
	s := c.t.spans.Load()
	if s == nil {
		return
	}
	ctx, root := s.Start(context.Background(), stageFrame, trace.WithTimestamp(r.captured), trace.WithAttributes(
		attribute.String("segedge.camera", c.name), attribute.Int64("segedge.frame", int64(r.seq)), //nolint:gosec // counts from 1
	))
	end := r.stages[0].Began
	child(ctx, s, "capture", r.captured, end)
	for i := range r.stages[:r.n] {
		stage := &r.stages[i]
		name, over := stage.Name, stage.Began.Add(stage.Took)
		if name == stageFrame {
			name = walk
		}
		child(ctx, s, name, stage.Began, over)
		if over.After(end) {
			end = over
		}
	}
	root.End(trace.WithTimestamp(end))
}

func child(ctx context.Context, s *spans, name string, began, ended time.Time) {
	_, span := s.Start(ctx, name, trace.WithTimestamp(began))
	span.End(trace.WithTimestamp(ended))
}
