package agent

import (
	"context"
	"time"

	"github.com/segedge/segedge/dataset/collect"
	"github.com/segedge/segedge/dataset/propose"
	"github.com/segedge/segedge/pipeline"
	"github.com/segedge/segedge/seg"
)

// What a picture must be for its masks to be proposed: unlike what was offered before, or a little unlike and with an object of which the
// model is unsure.
const (
	novel   = 0.02
	nearly  = 0.005
	doubted = 0.5
)

// Propose offers, every so often, what the cameras show to the collector, with the masks that the model is sure of for a person to judge:
// where the picture is unlike those offered before, or the model in doubt. It returns when ctx ends. Each look at a camera costs one run of
// the encoder.
func (a *Agent) Propose(ctx context.Context, every time.Duration) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	var offered propose.Memory
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		for _, c := range a.cameras.all() {
			if err := a.proposeOf(ctx, c, &offered); err != nil && ctx.Err() == nil {
				c.log.Debug("nothing is proposed of the picture", "err", err)
			}
		}
	}
}

func (a *Agent) proposeOf(ctx context.Context, c *camera, offered *propose.Memory) error {
	shot, err := c.pipe.Shot(ctx, nil)
	if err != nil {
		return err
	}
	s, doubt := c.proposals(&shot)
	shot.Frame.Release()
	if len(s.Masks) == 0 {
		return nil
	}
	model := a.present()
	look, err := propose.Embed(ctx, model, s.Frame)
	if err != nil {
		return err
	}
	if n := offered.Novelty(look); n < nearly || n < novel && doubt < doubted {
		return nil
	}
	offered.Add(look)
	s.Model = model.Info().Name
	a.o.Collector.Offer(s)
	return nil
}

// proposals are a moment with the masks that are sure, and the doubt about all that are shown.
func (c *camera) proposals(shot *pipeline.Shot) (collect.Sample, float64) {
	s := collect.Sample{Camera: c.name, Stage: collect.Semi}
	var scores []propose.Score
	for i := range shot.Objects {
		o := &shot.Objects[i]
		if o.Mask == nil || !o.State.Visible() {
			continue
		}
		score := propose.Score{PredictedIoU: o.PredictedIoU, Stability: o.Stability}
		if o.State == seg.Uncertain {
			score = propose.Score{}
		}
		scores = append(scores, score)
		if sure(o) {
			s.Masks = append(s.Masks, c.maskOf(o))
		}
	}
	s.Frame = copied(shot.Frame)
	return s, propose.Uncertainty(scores)
}
