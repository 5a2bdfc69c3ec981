package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/config"
	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/supervise"
)

// change is one configuration on its way to being true. What fails is told and left as it was; the rest goes on.
type change struct {
	b    *builder
	ctx  context.Context //nolint:containedctx // it is the change's own, for its one call
	next config.Config
	got  api.ConfigResult
	errs []error
}

func (c *change) err() error { return errors.Join(c.errs...) }

// done notes a setting that has been made true, or why it has not.
func (c *change) done(key string, err error) {
	if err != nil {
		c.errs = append(c.errs, fmt.Errorf("%s: %w", key, err))
		return
	}
	if !slices.Contains(c.got.Changed, key) {
		c.got.Changed = append(c.got.Changed, key)
	}
}

// settings makes true what is not a camera.
func (c *change) settings() {
	b := c.b
	model := false
	if h := &c.next.HTTP; b.run.madeToken && h.Token == "" && len(h.Tokens) == 0 {
		h.Token = b.live.HTTP.Token // the agent made it: it stands in no file, and stays
	}
	for _, key := range config.Changed(&b.live, &c.next) {
		switch {
		case strings.HasPrefix(key, "model."):
			model = true
		case key == "log.level":
			b.level.Set(logLevel(c.next.Log.Level))
			b.live.Log.Level = c.next.Log.Level
			c.done(key, nil)
		case key == "http.max_viewers": // the places follow when the cameras are known
			b.live.HTTP.MaxViewers = c.next.HTTP.MaxViewers
			c.done(key, nil)
		case (key == "http.token" || key == "http.tokens") && b.web != nil && !b.run.madeToken:
			c.done(key, c.callers())
		default:
			c.got.Restart = append(c.got.Restart, key)
		}
	}
	if model || c.next.Model != *b.newest.Load() { // a command may have changed it too
		c.model()
	}
}

// callers changes who may come in. The sessions of viewers end, for they keep the rights of their tokens; the page makes new ones by
// itself.
func (c *change) callers() error {
	live, next := &c.b.live.HTTP, &c.next.HTTP
	if live.Token != next.Token || !slices.Equal(tokens(live.Tokens), tokens(next.Tokens)) {
		if err := c.b.web.SetTokens(next.Token, tokens(next.Tokens)); err != nil {
			return err
		}
		c.b.stream.DropAll()
		if c.b.rtsp != nil {
			c.b.rtsp.SetTokens(readers(next))
		}
	}
	live.Token, live.Tokens = next.Token, next.Tokens
	return nil
}

func (c *change) model() {
	if c.next.Model == *c.b.newest.Load() {
		c.b.live.Model = c.next.Model
		return
	}
	replace := func() error {
		return c.b.agent.Replace(c.ctx, func(ctx context.Context) (inference.Segmenter, error) { return c.b.openBeside(ctx, c.next.Model) })
	}
	err := patiently(c.ctx, replace)
	if err == nil {
		c.b.live.Model = c.next.Model
		c.b.log.Info("the model was changed", "model", c.b.agent.Info().Model)
	}
	c.done("model", err)
}

// busyWait is how long a change waits before it asks again for the model's place.
const busyWait = 250 * time.Millisecond

// patiently does it once no other model is being loaded any more, or ctx ends.
func patiently(ctx context.Context, replace func() error) error {
	err := replace()
	for busy(err) && supervise.Wait(ctx, busyWait) == nil {
		err = replace()
	}
	return err
}

// busy reports whether another model was being loaded.
func busy(err error) bool {
	known, ok := errors.AsType[*api.Error](err)
	return ok && known.Code == api.AlreadyRunning
}

// cameras adds, removes and changes cameras, and leaves alone those that are as they were. The list that is live then has every camera
// in the order of the file; one that could not be made is not among the agent's, by which the next change knows to try again.
func (c *change) cameras() {
	b := c.b
	release, err := b.agent.Hold()
	if err != nil {
		c.errs = append(c.errs, err)
		return
	}
	defer release()
	for _, old := range slices.Clone(b.live.Cameras) {
		if c.next.Camera(old.Name) == nil {
			c.done("cameras."+old.Name+" (removed)", b.removeCamera(old.Name))
		}
	}
	names, now := make([]string, len(c.next.Cameras)), slices.Clone(c.next.Cameras)
	for i := range c.next.Cameras {
		next := &c.next.Cameras[i]
		names[i] = next.Name
		old := b.live.Camera(next.Name)
		switch {
		case old == nil || !c.runs(next.Name):
			c.done("cameras."+next.Name+" (added)", b.addCamera(next, nil))
		case !old.SameSource(next):
			err := b.remake(c.ctx, old, next)
			if err != nil {
				now[i] = *old
			}
			c.done("cameras."+next.Name, err)
		default:
			now[i] = c.watched(old, next)
		}
	}
	b.agent.Sort(names)
	b.live.Cameras = now
}

// runs reports whether the agent has a camera.
func (c *change) runs(name string) bool { return slices.Contains(c.b.agent.Cameras(), name) }

// watched changes what a camera watches and asks, and is the camera as it then is. Objects of prompts that are gone stay.
func (c *change) watched(old, next *config.Camera) config.Camera {
	key, now := "cameras."+next.Name, *next
	now.Zones = c.shapes(key+".zones.", old.Zones, next.Zones, func(s config.Shape) error {
		return c.command(next.Name, "zone", (*api.Zone)(&s))
	})
	now.Lines = c.shapes(key+".lines.", old.Lines, next.Lines, func(s config.Shape) error {
		return c.command(next.Name, "line", (*api.Line)(&s))
	})
	c.b.agent.Configured(next.Name, shapeNames(now.Zones), shapeNames(now.Lines))
	now.Prompts = c.prompts(next.Name, old.Prompts, next.Prompts)
	return now
}

// prompts takes away those prompts of a camera that are gone, asks the new ones, and is the list of those that then are.
func (c *change) prompts(camera string, old, next []string) (now []string) {
	key := "cameras." + camera + ".prompts"
	for _, p := range old {
		if slices.Contains(next, p) {
			continue
		}
		if phrase, ok := followed(p); ok {
			c.done(key, c.command(camera, "prompt", &api.Prompt{Text: phrase, Follow: new(false)}))
		} else if r, err := parsePrompt(p); err == nil {
			c.b.agent.Forgo(camera, r)
			c.done(key, nil)
		}
	}
	for _, p := range next {
		if slices.Contains(old, p) {
			now = append(now, p)
			continue
		}
		err := c.stand(camera, p)
		if err == nil {
			now = append(now, p)
		}
		c.done(key, err)
	}
	return now
}

func shapeNames(shapes []config.Shape) []string {
	out := make([]string, len(shapes))
	for i, s := range shapes {
		out[i] = s.Name
	}
	return out
}

// stand asks a prompt that is new in the file.
func (c *change) stand(camera, p string) error {
	if phrase, ok := followed(p); ok {
		return c.command(camera, "prompt", &api.Prompt{Text: phrase, Follow: new(true)})
	}
	r, err := parsePrompt(p)
	if err != nil {
		return err
	}
	return c.b.agent.Stand(c.ctx, camera, r)
}

// shapes changes zones or lines, and is the list of those that then are: one whose change failed is as it was.
func (c *change) shapes(key string, old, next []config.Shape, set func(config.Shape) error) []config.Shape {
	now := slices.Clone(next)
	for _, s := range differences(old, next) {
		err := set(s)
		if err != nil {
			now = asItWas(now, old, s.Name)
		}
		c.done(key+s.Name, err)
	}
	return now
}

// asItWas takes a shape back to what it was, or away where there was none.
func asItWas(now, old []config.Shape, name string) []config.Shape {
	other := func(s config.Shape) bool { return s.Name == name }
	now = slices.DeleteFunc(now, other)
	if i := slices.IndexFunc(old, other); i >= 0 {
		now = append(now, old[i])
	}
	return now
}

// differences are the shapes that are new or changed, and those that are gone without points.
func differences(old, next []config.Shape) []config.Shape {
	same := func(a config.Shape) func(config.Shape) bool {
		return func(b config.Shape) bool { return a.Name == b.Name }
	}
	var out []config.Shape
	for _, s := range old {
		if !slices.ContainsFunc(next, same(s)) {
			out = append(out, config.Shape{Name: s.Name})
		}
	}
	for _, s := range next {
		i := slices.IndexFunc(old, same(s))
		if i < 0 || !slices.Equal(old[i].Points, s.Points) || !slices.Equal(old[i].Classes, s.Classes) {
			out = append(out, s)
		}
	}
	return out
}

func (c *change) command(camera, verb string, body any) error {
	r := c.b.agent.Do(c.ctx, camera, api.Command{Verb: verb, Body: body})
	if r.Error != nil {
		return r.Error
	}
	return nil
}
