package agent

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/pipeline"
	"github.com/segedge/segedge/seg"
)

const (
	automaskMax  = 20    // objects, where the command does not say
	automaskArea = 0.002 // fraction of the frame below which a mask is not worth following
	automaskGrid = 16    // clicks a side: a running camera cannot wait for Segment Anything's 32
	overlap      = 0.5   // IoU above which a mask is an object that is followed already
	// Clicks are decoded so many at once, and half of the command's time is theirs: the rest is for following what they found.
	automaskBatch = 32
	clickShare    = 2
)

// spent says whether the clicks have had their share of the time that ctx leaves from when they began.
func spent(ctx context.Context, began, now time.Time) bool {
	end, bounded := ctx.Deadline()
	return bounded && now.Sub(began) > end.Sub(began)/clickShare
}

// automaskResult lists what automask made.
type automaskResult struct {
	Frame   uint64   `json:"frame"`
	Found   int      `json:"found"`             // masks that passed the filters
	Objects []string `json:"objects"`           // those that are followed now
	Stopped string   `json:"stopped,omitempty"` // why there are not more, where it was stopped on the way
}

// automask segments everything in the newest frame and follows the best masks that no object has yet and that are no background. One at a
// time on a camera. When it has to stop on the way, what it has made by then is told.
func (a *Agent) automask(ctx context.Context, c *camera, b *api.Automask) (any, error) {
	if !c.automasking.TryLock() {
		return nil, &api.Error{Code: api.AlreadyRunning, Message: "the camera's picture is being segmented already"}
	}
	defer c.automasking.Unlock()
	f, err := c.newest(ctx)
	if err != nil {
		return nil, err
	}
	boxes, err := c.things(ctx, f)
	if err != nil {
		return nil, err
	}
	began, cut := time.Now(), false
	found, err := inference.Everything(ctx, a.present(), f, inference.EverythingOptions{
		PointsPerSide: automaskGrid, MinArea: automaskArea / 2, Boxes: boxes, Batch: automaskBatch,
		Enough: func() bool { cut = cut || spent(ctx, began, time.Now()); return cut },
	}, nil)
	if err != nil {
		return nil, err
	}
	least := b.MinArea
	if least == 0 {
		least = automaskArea
	}
	most := b.Max
	if most == 0 {
		most = automaskMax
	}
	out := automaskResult{Frame: f.Seq, Found: len(found), Objects: []string{}}
	if cut {
		out.Stopped = "the model is too slow to look everywhere in the time that a command has: things were looked for at a part of the places"
	}
	followed, _ := c.shown()
	for _, o := range found {
		if len(out.Objects) >= most || o.Mask.Area() < least || inference.Surrounds(o.Mask) || known(followed, o.Mask) {
			continue
		}
		res, err := c.pipe.Prompt(ctx, pipeline.Request{Frame: f.Seq, Prompt: seg.Prompt{Mask: logitsOf(o.Mask)}})
		switch {
		case errors.Is(err, pipeline.ErrNothingFound):
			continue // the model does not stand by what it found
		case err != nil && len(out.Objects) == 0:
			return nil, err
		case err != nil:
			_, out.Stopped = explain(err)
			return out, nil
		}
		out.Objects = append(out.Objects, seg.ObjectID(c.name, res.Object.ID))
		followed = append(followed, res.Object)
	}
	return out, nil
}

// detector is a Grounder that also finds what nobody has named.
type detector interface {
	Things(ctx context.Context, f *frame.Frame) ([]seg.Box, error)
}

// things are the boxes of what a detector knows in a frame; none where there is no detector.
func (c *camera) things(ctx context.Context, f *frame.Frame) ([]seg.Box, error) {
	if d, ok := c.grounder.(detector); ok {
		return d.Things(ctx, f)
	}
	return nil, nil
}

// newest is a copy of the newest frame at the model's size: segmenting everything takes seconds, for which no frame of the ring is held.
func (c *camera) newest(ctx context.Context) (*frame.Frame, error) {
	f, err := c.pipe.Frame(ctx, 0)
	if err != nil {
		return nil, err
	}
	defer f.Release()
	return copied(f), nil
}

// logitsOf is a mask as a mask prompt.
func logitsOf(m *seg.Mask) *seg.Logits {
	return seg.LogitsOf(m, min(m.W, 256), min(m.H, 256), seg.Point{X: 1, Y: 1}, 8)
}

// known reports whether an object that is followed covers the mask already.
func known(objects []seg.Object, m *seg.Mask) bool {
	return slices.ContainsFunc(objects, func(o seg.Object) bool {
		return o.Mask != nil && o.Mask.Resize(m.W, m.H).IoU(m) > overlap
	})
}
