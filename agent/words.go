package agent

import (
	"cmp"
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

// meaning is what goes with a phrase.
type meaning struct {
	zones  []string // only what stands in one of these, if any are named
	choose bool     // one object, whose candidates are all that fit, instead of an object of each
}

// ask asks what a person wants to have followed, and takes the objects that answer it for that person's.
func (c *camera) ask(ctx context.Context, r pipeline.Request, m meaning) (answer, error) {
	found, err := c.prompt(ctx, r, m)
	if err != nil {
		return answer{}, err
	}
	for _, id := range found.objects {
		c.lookout.keep(id)
	}
	return found, nil
}

// prompt prompts the pipeline. A phrase that the model does not understand by itself becomes boxes first.
func (c *camera) prompt(ctx context.Context, r pipeline.Request, m meaning) (answer, error) {
	if r.Prompt.Text != "" && !c.pipe.Kinds().Text {
		return c.askInWords(ctx, r, m)
	}
	res, err := c.pipe.Prompt(ctx, r)
	return answer{Result: res, objects: []seg.ID{res.Object.ID}}, err
}

func (c *camera) askInWords(ctx context.Context, r pipeline.Request, m meaning) (answer, error) {
	phrase, zone := InZone(r.Prompt.Text)
	m.zones = append(slices.Clone(m.zones), zone...)
	if c.grounder == nil {
		return answer{}, errNoWords
	}
	if err := c.knowZones(m.zones); err != nil {
		return answer{}, err
	}
	boxes, note, err := c.ground(ctx, &r, phrase, m)
	if err != nil {
		return answer{}, looking("looking for", phrase, err)
	}
	if len(boxes) == 0 {
		return answer{}, fmt.Errorf("%w: %s", pipeline.ErrNothingFound, noted(fmt.Sprintf("no %q is in the picture", phrase), note))
	}
	if r.Object != 0 {
		boxes = boxes[:1] // a further prompt is about one object
	}
	if r.Name == r.Prompt.Text {
		r.Name = "" // a prompt given at start
	}
	for i := range boxes {
		boxes[i].Name = cmp.Or(r.Name, boxes[i].Name, phrase)
	}
	if m.choose && len(boxes) > 1 {
		r.Name = cmp.Or(r.Name, phrase)
		return c.offer(ctx, r, boxes, note)
	}
	return c.follow(ctx, r, boxes, note)
}

// offer asks for one object, whose candidates are what stands in the boxes.
func (c *camera) offer(ctx context.Context, r pipeline.Request, boxes []seg.Named, note string) (answer, error) {
	boxes = boxes[:min(len(boxes), 1+seg.MaxOthers)]
	r.Prompt.Text, r.Prompt.Box, r.Prompt.Single = "", &boxes[0].Box, true
	for i := range boxes[1:] {
		r.Prompt.Others = append(r.Prompt.Others, boxes[1+i].Box)
	}
	res, err := c.pipe.Prompt(ctx, r)
	return answer{Result: res, objects: []seg.ID{res.Object.ID}, note: note}, err
}

// ground finds the phrase's boxes in the frame that the request names, which it then names for good.
func (c *camera) ground(ctx context.Context, r *pipeline.Request, phrase string, m meaning) ([]seg.Named, string, error) {
	f, err := c.pipe.Frame(ctx, r.Frame)
	if err != nil {
		return nil, "", err
	}
	defer f.Release()
	r.Frame = f.Seq
	if len(m.zones) == 0 && !m.choose {
		return c.grounder.Ground(ctx, c.model(), f, phrase)
	}
	boxes, _, err := c.grounder.Every(ctx, c.model(), f, phrase)
	there := c.within(m.zones)
	return slices.DeleteFunc(boxes, func(b seg.Named) bool { return !there(b.Box) }), "", err
}

// follow asks for an object in each box, but for those that are followed already.
func (c *camera) follow(ctx context.Context, r pipeline.Request, boxes []seg.Named, note string) (answer, error) {
	out := answer{note: note}
	r.Prompt.Text, r.Apart = "", r.Object == 0
	for i := range boxes {
		r.Name, r.Prompt.Box = boxes[i].Name, &boxes[i].Box
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
			out.note = noted(out.note, sentence)
			return out, nil
		}
		out.add(res)
	}
	return out, nil
}

// looking is an error of looking for a phrase. One that is not understood says so itself.
func looking(what, phrase string, err error) error {
	var unknown unknownPhrase
	if errors.As(err, &unknown) {
		return err
	}
	return fmt.Errorf("%s %q: %w", what, phrase, err)
}

// noted is a sentence with another after it.
func noted(sentence, more string) string { return strings.Trim(sentence+"; "+more, "; ") }

func (a *answer) add(res pipeline.Result) {
	if slices.Contains(a.objects, res.Object.ID) {
		return // two boxes of one thing
	}
	if len(a.objects) == 0 {
		a.Result = res
	}
	a.objects = append(a.objects, res.Object.ID)
}
