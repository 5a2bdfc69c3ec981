package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/pipeline"
	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/tracker"
)

// errUnknownObject is an id that is not of this camera.
var errUnknownObject = pipeline.ErrUnknownObject

// Do carries a command out.
func (a *Agent) Do(ctx context.Context, name string, cmd api.Command) api.Reply {
	c := a.cameras.get(name)
	if c == nil {
		return api.Refuse(cmd.ID, api.UnknownCamera, fmt.Sprintf("there is no camera %q", name))
	}
	if c.over() && cmd.Verb != "model" {
		return api.Refuse(cmd.ID, api.NotReady, fmt.Sprintf("camera %s has ended: it is %s", name, c.why()))
	}
	ctx, cancel := context.WithTimeout(ctx, a.o.CommandTimeout)
	defer cancel()
	result, err := a.contained(ctx, c, cmd)
	if errors.Is(err, pipeline.ErrNoFrame) && c.pipe.Paused() {
		err = errPaused
	}
	if err != nil {
		code, sentence := explain(err)
		if code == api.UnknownObject {
			sentence += "; " + c.ids()
		}
		return api.Refuse(cmd.ID, code, sentence)
	}
	return api.Done(cmd.ID, result)
}

// Started waits for a camera's first frame.
func (a *Agent) Started(ctx context.Context, name string) error {
	c := a.cameras.get(name)
	if c == nil {
		return &api.Error{Code: api.UnknownCamera, Message: fmt.Sprintf("there is no camera %q", name)}
	}
	if !c.began() && c.pipe.Paused() { // it would wait for what comes after it
		return errPaused
	}
	select {
	case <-c.first:
		return nil
	case <-c.ended:
	case <-ctx.Done():
		select {
		case <-c.first: // it has begun: that the time is over says nothing of it
			return nil
		default:
		}
	}
	return &api.Error{Code: api.NotReady, Message: fmt.Sprintf("%v: it is %s", pipeline.ErrNoFrame, c.why())}
}

// errPaused is what a command is told that needs a picture of a camera that looks at none.
var errPaused = &api.Error{Code: api.NotReady, Message: "the camera is paused, and nothing is kept of its picture: resume it first"}

// began reports whether a camera has shown a frame.
func (c *camera) began() bool {
	select {
	case <-c.first:
		return true
	default:
		return false
	}
}

// errBroken is what a command is told that panicked.
var errBroken = errors.New("the agent failed at it: its log has the reason")

// contained is do, whose panic costs the command alone.
func (a *Agent) contained(ctx context.Context, c *camera, cmd api.Command) (result any, err error) {
	defer func() {
		if r := recover(); r != nil {
			c.log.Error("a command panicked", "verb", cmd.Verb, "panic", fmt.Sprint(r), "stack", string(debug.Stack()))
			err = errBroken
		}
	}()
	return a.judge(ctx, c, cmd)
}

// do dispatches on the verb and the type of its body.
func (a *Agent) do(ctx context.Context, c *camera, cmd api.Command) (any, error) {
	switch b := cmd.Body.(type) {
	case *api.Prompt:
		if b.Follow != nil {
			return c.keepLooking(ctx, b)
		}
		return a.prompt(ctx, c, b)
	case *api.Choose:
		return c.edit(b.Object, func(id seg.ID) (seg.Object, error) { return c.pipe.Choose(ctx, id, b.Candidate) })
	case *api.Rename:
		return c.edit(b.Object, func(id seg.ID) (seg.Object, error) { return c.pipe.Rename(ctx, id, b.Name) })
	case *api.Target:
		return c.target(ctx, cmd.Verb, b.Object)
	case *api.Remove:
		return c.remove(ctx, b.All())
	case *api.Undo:
		return c.undo(ctx, b)
	case *api.Model:
		return nil, a.swap(ctx, b.Name)
	case *api.Automask:
		return a.automask(ctx, c, b)
	case *api.Zone:
		return nil, c.zone(ctx, b)
	case *api.Line:
		return nil, c.line(ctx, b)
	case *api.Config:
		if a.o.Configure == nil {
			return nil, &api.Error{Code: api.Unsupported, Message: "this agent has no configuration file: start it with --config FILE"}
		}
		return a.o.Configure(ctx, b.Set)
	case *api.Pause:
		return nil, c.pipe.Pause(ctx, b.On())
	case *api.Nothing:
		if cmd.Verb == "clear" {
			return c.clear(ctx)
		}
		return nil, c.simple(ctx, cmd.Verb)
	}
	return nil, &api.Error{Code: api.Unsupported, Message: fmt.Sprintf("this agent does not know how to %s", cmd.Verb)}
}

func (c *camera) target(ctx context.Context, verb, object string) (any, error) {
	switch verb {
	case "confirm":
		return c.edit(object, func(id seg.ID) (seg.Object, error) { return c.pipe.Confirm(ctx, id) })
	case "reject":
		return c.edit(object, func(id seg.ID) (seg.Object, error) {
			c.decline(ctx, id)
			return c.pipe.Reject(ctx, id)
		})
	}
	return nil, &api.Error{Code: api.UnknownVerb, Message: fmt.Sprintf("there is no command %q", verb)}
}

func (c *camera) simple(ctx context.Context, verb string) error {
	switch verb {
	case "resume":
		return c.pipe.Pause(ctx, false)
	case "keyframe":
		return c.pipe.Keyframe(ctx)
	}
	return &api.Error{Code: api.Unsupported, Message: fmt.Sprintf("this agent does not know how to %s", verb)}
}

// edit changes one object and answers with its document.
func (c *camera) edit(object string, change func(seg.ID) (seg.Object, error)) (any, error) {
	id, err := c.id(object)
	if err != nil {
		return nil, err
	}
	c.lookout.keep(id)
	o, err := change(id)
	if err != nil {
		return nil, err
	}
	return c.document(&o, false)
}

// mostIDs are named of a camera's objects to who asks for another.
const mostIDs = 16

// ids says which objects there are.
func (c *camera) ids() string {
	objects, _ := c.shown()
	if len(objects) == 0 {
		return "nothing is followed on camera " + c.name
	}
	var ids []string
	for i := range objects[:min(len(objects), mostIDs)] {
		ids = append(ids, seg.ObjectID(c.name, objects[i].ID))
	}
	if more := len(objects) - mostIDs; more > 0 {
		ids = append(ids, fmt.Sprintf("%d more", more))
	}
	return "there are " + strings.Join(ids, ", ")
}

// id reads an object's id as this camera writes it.
func (c *camera) id(s string) (seg.ID, error) {
	id, err := api.ParseObject(c.name, s)
	if err != nil {
		return 0, fmt.Errorf("%w %q on camera %q", errUnknownObject, s, c.name)
	}
	return id, nil
}

// document is an object as the doors write it, with its mask on the full frame if asked.
func (c *camera) document(o *seg.Object, mask bool) (json.RawMessage, error) {
	d := seg.Document{Camera: c.name, Object: o}
	if mask {
		d.W, d.H = c.size()
	}
	return json.Marshal(d)
}

// prompt asks the model, by way of the grounder for a phrase.
func (a *Agent) prompt(ctx context.Context, c *camera, b *api.Prompt) (any, error) {
	p, err := b.Seg()
	if err != nil {
		return nil, &api.Error{Code: api.BadRequest, Message: err.Error()}
	}
	r := pipeline.Request{Name: b.Name, Prompt: p, Frame: b.Frame}
	if b.Object != "" {
		if r.Object, err = c.id(b.Object); err != nil {
			return nil, err
		}
	}
	res, err := c.ask(ctx, r, meaning{b.Zones, b.Choose})
	if err != nil {
		return nil, err
	}
	if a.o.Collector != nil {
		c.pointed.add(res.Object.ID, p, res.Frame)
	}
	doc, err := c.document(&res.Object, true)
	if err != nil {
		return nil, err
	}
	var objects []string
	for _, id := range res.objects {
		objects = append(objects, seg.ObjectID(c.name, id))
	}
	return api.PromptResult{
		Object: objects[0], Objects: objects, Note: res.note, Frame: res.Frame, Requested: res.Requested, Document: doc,
		FrameGone: res.FrameGone || b.Viewer != "" && b.Frame == 0, // the door looked for the picture and had forgotten it
	}, nil
}

// explain is an error's code and its one sentence.
func explain(err error) (api.Code, string) {
	var refusal *api.Error
	var unsupported *inference.UnsupportedError
	var phrase unknownPhrase
	code := api.Internal
	switch {
	case errors.As(err, &refusal):
		code = refusal.Code
	case errors.As(err, &unsupported):
		code = api.Unsupported
	case errors.Is(err, pipeline.ErrUnknownObject):
		code = api.UnknownObject
	case errors.Is(err, pipeline.ErrNoFrame):
		code = api.NotReady
	case errors.Is(err, pipeline.ErrOverloaded), errors.Is(err, pipeline.ErrFramesHeld), errors.Is(err, pipeline.ErrTooMany):
		code = api.Overloaded
	case errors.Is(err, pipeline.ErrNothingFound):
		code = api.NothingFound
	case errors.Is(err, tracker.ErrNothing), errors.Is(err, tracker.ErrNoRoom), errors.Is(err, tracker.ErrNoMask),
		errors.Is(err, pipeline.ErrMovedOn):
		code = api.Conflict
	case errors.Is(err, pipeline.ErrBadRequest), errors.Is(err, tracker.ErrNoCandidate), errors.As(err, &phrase), senseless(err):
		code = api.BadRequest
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		code = api.Timeout
	}
	return code, err.Error()
}

// unknownPhrase is a grounder's refusal of a phrase.
type unknownPhrase interface{ UnknownPhrase() string }

// senseless says whether an error is about a prompt that no model could answer.
func senseless(err error) bool {
	return errors.Is(err, seg.ErrEmptyPrompt) || errors.Is(err, seg.ErrNegativeOnly) || errors.Is(err, seg.ErrTooManyClicks) ||
		errors.Is(err, seg.ErrOutsidePicture)
}

// points are a command's coordinates.
func points(in [][2]float64) []seg.Point {
	out := make([]seg.Point, len(in))
	for i, p := range in {
		out[i] = seg.Point{X: p[0], Y: p[1]}
	}
	return out
}
