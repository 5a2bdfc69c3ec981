package eval

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/segedge/segedge/capture/synthetic"
	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/pipeline"
	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/tracker"
)

// Scene is one of the built-in scenes, rendered once, with the exact truth of each frame.
type Scene struct {
	Name   string
	frames []*frame.Frame
	truth  [][]synthetic.Object
}

// scenePlaces are clicks on the four objects that every preset has in its first frame.
var scenePlaces = []seg.Point{{X: 0.2, Y: 0.5}, {X: 0.4, Y: 0.5}, {X: 0.6, Y: 0.5}, {X: 0.8, Y: 0.5}}

// RenderScene renders the first frames of a scene.
func RenderScene(o synthetic.Options, frames int) (*Scene, error) {
	made, err := synthetic.New(o)
	if err != nil {
		return nil, err
	}
	s := &Scene{Name: o.Preset}
	for n := range uint64(frames) {
		f := frame.New(o.Width, o.Height)
		made.Render(n, f)
		f.Seq, f.Captured = n+1, time.Unix(0, 0).Add(made.Time(n))
		s.frames, s.truth = append(s.frames, f), append(s.truth, made.Truth(n))
	}
	return s, nil
}

// Follow clicks on the scene's four objects in the first frame and answers the mean IoU of their masks with the truth over all later
// frames in which they show. The model answers on the very frame that it was asked about.
func (s *Scene) Follow(ctx context.Context, model inference.Segmenter, t *tracker.Tracker) (iou float64, err error) {
	p, err := pipeline.New(pipeline.Options{Model: model, Tracker: t, Synchronous: true})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	if err := p.Step(ctx, s.frames[0]); err != nil {
		return 0, err
	}
	ids := make([]seg.ID, len(scenePlaces))
	for i, at := range scenePlaces {
		r, err := p.Prompt(ctx, pipeline.Request{Prompt: seg.Prompt{Clicks: []seg.Click{{Point: at, Label: seg.Positive}}}})
		if err != nil && !errors.Is(err, pipeline.ErrNothingFound) {
			return 0, fmt.Errorf("scene %s, click %d: %w", s.Name, i, err)
		}
		ids[i] = r.Object.ID // 0 where nothing was found: it scores nothing
	}
	sum, n := 0.0, 0
	for i, f := range s.frames[1:] {
		if err := p.Step(ctx, f); err != nil {
			return 0, err
		}
		now, _, err := p.Objects(ctx)
		if err != nil {
			return 0, err
		}
		a, b := s.score(i+1, ids, now)
		sum, n = sum+a, n+b
	}
	return sum / float64(max(n, 1)), nil
}

// score adds up the IoU of the objects that show in a frame, and counts them.
func (s *Scene) score(i int, ids []seg.ID, now []seg.Object) (sum float64, n int) {
	for k, at := range scenePlaces {
		of := slices.IndexFunc(s.truth[0], func(o synthetic.Object) bool { return o.Mask.Contains(at) })
		truth := s.truth[i][of].Mask
		if truth == nil || truth.Count() == 0 {
			continue
		}
		n++
		at := slices.IndexFunc(now, func(o seg.Object) bool { return o.ID == ids[k] })
		if at >= 0 && now[at].State.Visible() && now[at].Mask != nil {
			sum += now[at].Mask.Resize(truth.W, truth.H).IoU(truth)
		}
	}
	return sum, n
}
