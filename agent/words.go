package agent

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/pipeline"
	"github.com/segedge/segedge/seg"
)

// answer is what became of a prompt: its object, and for a phrase that means several all of them.
type answer struct {
	pipeline.Result
	objects []seg.ID
	note    string // what was not as the phrase has it
}

// ask prompts the pipeline. A phrase that the model does not understand by itself becomes boxes first.
func (c *camera) ask(ctx context.Context, r pipeline.Request) (answer, error) {
	if r.Prompt.Text != "" && !c.pipe.Kinds().Text {
		return c.askInWords(ctx, r)
	}
	res, err := c.pipe.Prompt(ctx, r)
	return answer{Result: res, objects: []seg.ID{res.Object.ID}}, err
}

func (c *camera) askInWords(ctx context.Context, r pipeline.Request) (answer, error) {
	phrase := r.Prompt.Text
	if r.Name == "" {
		r.Name = phrase
	}
	if c.grounder == nil {
		return answer{}, &api.Error{
			Code:    api.Unsupported,
			Message: "this agent takes no text prompts: grounding.model is none; use a point or a box",
		}
	}
	boxes, note, err := c.ground(ctx, &r)
	if err != nil {
		return answer{}, fmt.Errorf("grounding %q: %w", phrase, err)
	}
	if len(boxes) == 0 {
		return answer{}, fmt.Errorf("%w: no %q is in the picture", pipeline.ErrNothingFound, phrase)
	}
	if r.Object != 0 {
		boxes = boxes[:1] // a further prompt is about one object
	}
	return c.follow(ctx, r, boxes, note)
}

// ground finds the phrase's boxes in the frame that the request names, which it then names for good.
func (c *camera) ground(ctx context.Context, r *pipeline.Request) ([]seg.Box, string, error) {
	f, err := c.pipe.Frame(ctx, r.Frame)
	if err != nil {
		return nil, "", err
	}
	defer f.Release()
	r.Frame = f.Seq
	return c.grounder.Ground(ctx, c.model(), f, r.Prompt.Text)
}

// follow asks for an object in each box, but for those that are followed already.
func (c *camera) follow(ctx context.Context, r pipeline.Request, boxes []seg.Box, note string) (answer, error) {
	out := answer{note: note}
	r.Prompt.Text = ""
	for i := range boxes {
		if o, ok := c.followed(boxes[i]); ok && r.Object == 0 {
			out.add(pipeline.Result{Object: o, Frame: r.Frame, Requested: r.Frame})
			continue
		}
		r.Prompt.Box = &boxes[i]
		res, err := c.pipe.Prompt(ctx, r)
		switch {
		case errors.Is(err, pipeline.ErrNothingFound) && i+1 < len(boxes):
			continue
		case err != nil && len(out.objects) == 0:
			return out, err
		case err != nil:
			_, sentence := explain(err)
			out.note = strings.TrimPrefix(out.note+"; "+sentence, "; ")
			return out, nil
		}
		c.remember(res.Object)
		out.add(res)
	}
	return out, nil
}

func (a *answer) add(res pipeline.Result) {
	if len(a.objects) == 0 {
		a.Result = res
	}
	a.objects = append(a.objects, res.Object.ID)
}

// followed is the object that a box means, if one is followed.
func (c *camera) followed(b seg.Box) (seg.Object, bool) {
	objects, _ := c.shown()
	for _, o := range objects {
		if o.Mask != nil && o.State != seg.Lost && o.State != seg.Ended && o.Mask.Box().IoU(b) >= overlap {
			return o, true
		}
	}
	return seg.Object{}, false
}

// remember shows an object that no frame has shown yet, so that the next phrase finds it.
func (c *camera) remember(o seg.Object) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, known := range c.objects {
		if known.ID == o.ID {
			return
		}
	}
	c.objects = append(c.objects, o)
}
