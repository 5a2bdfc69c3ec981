package agent

import (
	"context"
	"slices"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/dataset/collect"
	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/pipeline"
	"github.com/segedge/segedge/seg"
)

// Collector keeps what people say of masks, to learn from. Neither method blocks; Offer's sample is the collector's from then on, and
// Withdraw takes the last correction of an object back, if that is still in its power.
type Collector interface {
	Offer(s collect.Sample)
	Withdraw(track string)
}

// Confidence from which a mask that nobody has judged is proposed.
const (
	sureIoU       = 0.7
	sureStability = 0.7
)

// verdict is what a command says of a mask, and of which object; "" where it says nothing. A prompt for a new object is a question, no
// verdict: what came of it is judged later.
func verdict(cmd *api.Command) (what, object string) {
	switch b := cmd.Body.(type) {
	case *api.Prompt:
		if b.Object != "" {
			return collect.Refined, b.Object
		}
	case *api.Choose:
		return collect.Refined, b.Object
	case *api.Target:
		switch cmd.Verb {
		case "confirm":
			return collect.Confirmed, b.Object
		case "reject":
			return collect.Rejected, b.Object
		}
	}
	return "", ""
}

// judge carries a command out, and offers what a person said with it to the collector: the picture, where it was pointed at, and the mask
// as it was judged, which for a rejection is the one before.
func (a *Agent) judge(ctx context.Context, c *camera, cmd api.Command) (any, error) {
	what, object := "", ""
	if a.o.Collector != nil {
		what, object = verdict(&cmd)
	}
	id, err := c.id(object)
	if what == "" || err != nil {
		result, err := a.do(ctx, c, cmd)
		a.withdraw(c, &cmd, err)
		return result, err
	}
	var before pipeline.Shot
	if what == collect.Rejected {
		before, _ = c.shot(ctx, id) // that there is none says nothing of the command
	}
	result, err := a.do(ctx, c, cmd)
	now := before
	if err == nil && what != collect.Rejected {
		now, _ = c.shot(ctx, id)
	}
	if now.Frame == nil {
		return result, err
	}
	defer now.Frame.Release()
	if err == nil {
		if s, ok := c.sample(&now, id, what); ok {
			s.Model = a.present().Info().Name
			a.o.Collector.Offer(s)
		}
	}
	return result, err
}

// withdraw takes back what was kept of an object whose correction is undone, or that is removed.
func (a *Agent) withdraw(c *camera, cmd *api.Command, err error) {
	if err != nil || a.o.Collector == nil {
		return
	}
	var objects []string
	switch b := cmd.Body.(type) {
	case *api.Undo:
		objects = b.All()
	case *api.Remove:
		objects = b.All()
	}
	for _, object := range objects {
		if id, err := c.id(object); err == nil {
			a.o.Collector.Withdraw(seg.ObjectID(c.name, id))
		}
	}
}

// shot is the present moment, with what was pointed at for an object.
func (c *camera) shot(ctx context.Context, id seg.ID) (pipeline.Shot, error) {
	return c.pipe.Shot(ctx, c.pointed.of(id))
}

// sample is a moment with an object judged, and with the others that are sure proposed; false where the object has no mask in it.
func (c *camera) sample(s *pipeline.Shot, id seg.ID, what string) (collect.Sample, bool) {
	out := collect.Sample{Camera: c.name, Stage: collect.Assisted}
	for i := range s.Objects {
		o := &s.Objects[i]
		judged := o.ID == id
		if o.Mask == nil || !o.State.Visible() || !judged && !sure(o) {
			continue
		}
		m := c.maskOf(o)
		if judged {
			m.Verdict, m.Prompt = what, together(s.Prompts)
		}
		out.Masks = append(out.Masks, m)
	}
	if !slices.ContainsFunc(out.Masks, func(m collect.Mask) bool { return m.Verdict == what }) {
		return out, false
	}
	out.Frame = copied(s.Frame)
	return out, true
}

// maskOf is an object's mask, proposed.
func (c *camera) maskOf(o *seg.Object) collect.Mask {
	return collect.Mask{
		Mask: o.Mask, Verdict: collect.Proposed, Name: o.Name, Track: seg.ObjectID(c.name, o.ID),
		PredictedIoU: o.PredictedIoU, Stability: o.Stability,
	}
}

// sure says whether an object's mask may be proposed as it is.
func sure(o *seg.Object) bool {
	return o.State == seg.Tracking && o.PredictedIoU >= sureIoU && o.Stability >= sureStability
}

// together are the prompts of one object as one.
func together(prompts []seg.Prompt) seg.Prompt {
	var out seg.Prompt
	for _, p := range prompts {
		out.Clicks = append(out.Clicks, p.Clicks...)
		if p.Box != nil {
			out.Box = p.Box
		}
	}
	return out
}

// copied is a frame of one's own.
func copied(f *frame.Frame) *frame.Frame {
	own := frame.New(f.Width, f.Height)
	own.Meta = f.Meta
	copy(own.Pix, f.Pix)
	return own
}
