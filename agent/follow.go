package agent

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/segedge/segedge/agent/watch"
	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/pipeline"
	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/zones"
)

// errNoWords is a phrase where nothing understands any.
var errNoWords = &api.Error{
	Code:    api.Unsupported,
	Message: "this agent takes no text prompts: grounding.model is none; use a point or a box",
}

// keepLooking carries out a prompt with follow: it looks at once, and from then on again and again, or ends that.
func (c *camera) keepLooking(ctx context.Context, b *api.Prompt) (any, error) {
	text, zone := InZone(b.Text)
	s := watch.Saved{Text: text, Name: b.Name, Limit: b.Limit, Zones: append(slices.Clone(b.Zones), zone...)}
	if !*b.Follow {
		return nil, c.lookout.end(&s)
	}
	if c.grounder == nil {
		return nil, errNoWords
	}
	if err := c.knowZones(s.Zones); err != nil {
		return nil, err
	}
	if b.Age > 0 {
		s.Until = time.Now().Add(time.Duration(b.Age * float64(time.Second)))
	}
	w := &watch.Watch{Saved: s}
	found, err := c.search(ctx, w, true)
	if err != nil {
		return nil, looking("following", b.Text, err)
	}
	if err := c.lookout.put(w); err != nil {
		return nil, err
	}
	return c.followed(ctx, &w.Saved, found)
}

// followed is the reply to a prompt that is followed.
func (c *camera) followed(ctx context.Context, s *watch.Saved, found answer) (any, error) {
	d := c.watchDocument(s)
	out := api.PromptResult{Objects: d.Objects, Note: found.note, Frame: found.Frame, Requested: found.Frame, Watch: &d}
	if len(found.objects) == 0 {
		if len(out.Objects) > 0 {
			out.Note = "all that fits is followed already"
			out.Object, out.Document = out.Objects[0], c.documentOf(ctx, s.Objects[0])
		} else {
			out.Note = "nothing fits yet: it is looked for"
		}
		return out, nil
	}
	doc, err := c.document(&found.Object, true)
	out.Object, out.Document = seg.ObjectID(c.name, found.Object.ID), doc
	return out, err
}

// InZone takes a zone out of a phrase ("every person in zone yard").
func InZone(text string) (phrase string, zone []string) {
	lower := strings.ToLower(text)
	for _, words := range []string{" in zone ", " in the zone "} {
		if i := strings.Index(lower, words); i > 0 && len(lower) == len(text) {
			return strings.TrimSpace(text[:i]), []string{strings.TrimSpace(text[i+len(words):])}
		}
	}
	return text, nil
}

// knowZones refuses zones that the camera does not have.
func (c *camera) knowZones(names []string) error {
	list, _ := c.shapes.all()
	known := make([]string, len(list))
	for i, z := range list {
		known[i] = z.Name
	}
	for _, n := range names {
		if !slices.Contains(known, n) {
			sentence := fmt.Sprintf("there is no zone %q on camera %s; there are: %s", n, c.name, orNone(known))
			return &api.Error{Code: api.BadRequest, Message: sentence}
		}
	}
	return nil
}

func orNone(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

// within tells what stands in one of the zones of these names: the middle of its box's lower edge. Without names everything does.
func (c *camera) within(names []string) func(seg.Box) bool {
	list, _ := c.shapes.all()
	var corners [][]seg.Point
	for _, z := range list {
		if slices.Contains(names, z.Name) {
			corners = append(corners, points(z.Points))
		}
	}
	return func(b seg.Box) bool {
		ground := seg.Point{X: (b.X0 + b.X1) / 2, Y: b.Y1}
		return len(names) == 0 || slices.ContainsFunc(corners, func(zone []seg.Point) bool { return zones.Contains(zone, ground) })
	}
}

// search looks once for what a watch is about, on the newest keyframe, and follows what is new. eager is for a person who waits: what is
// seen is believed at once, and the model does not let others go first.
func (c *camera) search(ctx context.Context, w *watch.Watch, eager bool) (answer, error) {
	f, places, err := c.pipe.Look(ctx)
	if err != nil {
		return answer{}, err
	}
	seq := f.Seq
	c.lookout.mu.Lock()
	seen := w.Seen(seq) && !eager
	c.lookout.mu.Unlock()
	if seen {
		f.Release()
		return answer{Result: pipeline.Result{Frame: seq}}, nil
	}
	named, most, err := func() ([]seg.Named, int, error) {
		defer f.Release()
		return c.grounder.Every(ctx, c.model(), f, w.Text)
	}()
	if err != nil {
		return answer{}, err
	}
	boxes := make([]seg.Box, len(named))
	for i := range named {
		boxes[i] = named[i].Box
	}
	c.lookout.mu.Lock()
	finds := w.Match(boxes, places, most, c.within(w.Zones), eager)
	c.lookout.mu.Unlock()
	out := answer{Result: pipeline.Result{Frame: seq}}
	for i := range finds {
		name := nameOf(&w.Saved)
		if k := slices.Index(boxes, finds[i].Box); w.Name == "" && k >= 0 {
			name = cmp.Or(named[k].Name, name)
		}
		r := pipeline.Request{Frame: seq, Name: name, Idle: !eager}
		if err := c.pursue(ctx, w, r, &finds[i], most, &out); err != nil {
			return out, err
		}
	}
	return out, nil
}

// pursue asks the model about a find: whether it is something that is lost, or else makes an object of it.
func (c *camera) pursue(ctx context.Context, w *watch.Watch, r pipeline.Request, f *watch.Find, most int, out *answer) error {
	name := r.Name
	r.Name, r.Prompt = "", seg.Prompt{Box: &f.Box, Single: true}
	for _, id := range f.Perhaps {
		r.Object, r.Perhaps = id, true
		if _, err := c.pipe.Prompt(ctx, r); err == nil {
			return nil
		} else if !passing(err) {
			return err
		}
	}
	c.lookout.mu.Lock()
	room, kin := w.Room(most), slices.Clone(w.Objects)
	c.lookout.mu.Unlock()
	if !f.New || !room {
		return nil
	}
	r.Object, r.Perhaps, r.Apart, r.Kin, r.Name = 0, false, true, kin, name
	res, err := c.pipe.Prompt(ctx, r)
	var followed *pipeline.FollowedError
	switch {
	case errors.As(err, &followed):
		c.has(w, followed.Object)
		return nil
	case passing(err):
		return nil
	case err != nil:
		return err
	}
	c.makes(w, res.Object.ID)
	out.add(res)
	return nil
}

// has notes that an object is one of a watch's.
func (c *camera) has(w *watch.Watch, id seg.ID) {
	c.lookout.mu.Lock()
	defer c.lookout.mu.Unlock()
	w.Found(id)
	c.lookout.revision.Add(1)
}

// makes notes that a watch has made an object.
func (c *camera) makes(w *watch.Watch, id seg.ID) {
	c.lookout.mu.Lock()
	defer c.lookout.mu.Unlock()
	w.Makes(id)
	c.lookout.revision.Add(1)
}

// passing is an error that a look more may mend.
func passing(err error) bool {
	return errors.Is(err, pipeline.ErrNothingFound) || errors.Is(err, pipeline.ErrMovedOn) || errors.Is(err, pipeline.ErrUnknownObject) ||
		errors.Is(err, pipeline.ErrOverloaded) || errors.Is(err, pipeline.ErrTooMany)
}

// decline takes it that a watch's object is not wanted, and is not to be found again.
func (c *camera) decline(ctx context.Context, id seg.ID) {
	var b seg.Box
	if o, err := c.pipe.Object(ctx, id); err == nil && o.Mask != nil {
		b = o.Mask.Box()
	}
	c.lookout.decline(id, b)
}

// documentOf is an object that is followed, as it is now; nil where it is none any more.
func (c *camera) documentOf(ctx context.Context, id seg.ID) json.RawMessage {
	o, err := c.pipe.Object(ctx, id)
	if err != nil {
		return nil
	}
	doc, err := c.document(&o, true)
	if err != nil {
		return nil
	}
	return doc
}
