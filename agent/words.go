package agent

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/segedge/segedge/pipeline"
	"github.com/segedge/segedge/seg"
)

// answer is what became of a prompt: its object, and for a phrase that means several all of them.
type answer struct {
	pipeline.Result
	objects []seg.ID
	note    string // what was not as the phrase has it
}

// ask prompts the pipeline. A phrase that the model does not understand by itself becomes boxes first, of what stands in one of the zones
// if any are named.
func (c *camera) ask(ctx context.Context, r pipeline.Request, zones ...string) (answer, error) {
	if r.Prompt.Text != "" && !c.pipe.Kinds().Text {
		return c.askInWords(ctx, r, zones)
	}
	res, err := c.pipe.Prompt(ctx, r)
	return answer{Result: res, objects: []seg.ID{res.Object.ID}}, err
}

func (c *camera) askInWords(ctx context.Context, r pipeline.Request, zones []string) (answer, error) {
	phrase, zone := InZone(r.Prompt.Text)
	zones = append(slices.Clone(zones), zone...)
	if r.Name == "" {
		r.Name = phrase
	}
	if c.grounder == nil {
		return answer{}, errNoWords
	}
	if err := c.knowZones(zones); err != nil {
		return answer{}, err
	}
	boxes, note, err := c.ground(ctx, &r, phrase, zones)
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
func (c *camera) ground(ctx context.Context, r *pipeline.Request, phrase string, zones []string) ([]seg.Box, string, error) {
	f, err := c.pipe.Frame(ctx, r.Frame)
	if err != nil {
		return nil, "", err
	}
	defer f.Release()
	r.Frame = f.Seq
	if len(zones) == 0 {
		return c.grounder.Ground(ctx, c.model(), f, phrase)
	}
	boxes, _, err := c.grounder.Every(ctx, c.model(), f, phrase)
	there := c.within(zones)
	return slices.DeleteFunc(boxes, func(b seg.Box) bool { return !there(b) }), "", err
}

// follow asks for an object in each box, but for those that are followed already.
func (c *camera) follow(ctx context.Context, r pipeline.Request, boxes []seg.Box, note string) (answer, error) {
	out := answer{note: note}
	r.Prompt.Text, r.Apart = "", r.Object == 0
	for i := range boxes {
		r.Prompt.Box = &boxes[i]
		res, err := c.pipe.Prompt(ctx, r)
		if known, ok := errors.AsType[*pipeline.FollowedError](err); ok {
			res.Object, err = c.pipe.Object(ctx, known.Object)
		}
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
		out.add(res)
	}
	return out, nil
}

func (a *answer) add(res pipeline.Result) {
	if slices.Contains(a.objects, res.Object.ID) {
		return // two boxes of one thing
	}
	if len(a.objects) == 0 {
		a.Result = res
	}
	a.objects = append(a.objects, res.Object.ID)
}
