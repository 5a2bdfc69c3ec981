package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/seg"
)

// promptCmd prompts a running agent.
type promptCmd struct {
	asking
	Prompt string `arg:"" help:"point:x,y[,label], box:x0,y0,x1,y1, text:PHRASE or follow:PHRASE, which goes on looking; coordinates within 0..1."`
	Object string `help:"Refine this object instead of making a new one, such as camera-1."`
	Name   string `help:"Name of the new object."`

	Limit int           `help:"With follow: objects at once, at most." placeholder:"N"`
	Age   time.Duration `help:"With follow: time after which it ends." placeholder:"TIME"`

	Choose bool `help:"With text: one object, whose candidates are all that fit; segedge choose picks one of them."`
}

// unfollowCmd ends what follow:PHRASE began.
type unfollowCmd struct {
	asking
	Phrase string `arg:"" help:"The phrase, as state has it among its watches."`
}

func (u *unfollowCmd) Run(e *env) error {
	return u.send(e, "prompt", api.Prompt{Text: u.Phrase, Follow: new(false)})
}

func (p *promptCmd) Run(e *env) error {
	if phrase, ok := strings.CutPrefix(p.Prompt, "follow:"); ok {
		return p.send(e, "prompt", api.Prompt{
			Object: p.Object, Name: p.Name, Text: phrase, Follow: new(true), Limit: p.Limit, Age: p.Age.Seconds(), Choose: p.Choose,
		})
	}
	req, err := parsePrompt(p.Prompt)
	if err != nil && (p.Object == "" || !errors.Is(err, seg.ErrNegativeOnly)) { // alone, a negative point refines well
		return fmt.Errorf("prompt %q: %w", p.Prompt, err)
	}
	body := api.Prompt{
		Object: p.Object, Name: p.Name, Points: req.Prompt.Clicks, Text: req.Prompt.Text, Limit: p.Limit, Age: p.Age.Seconds(), Choose: p.Choose,
	}
	if b := req.Prompt.Box; b != nil {
		body.Box = &[4]float64{b.X0, b.Y0, b.X1, b.Y1}
	}
	return p.send(e, "prompt", body)
}

type chooseCmd struct {
	asking
	Object    string `arg:"" help:"The object, such as camera-1."`
	Candidate int    `arg:"" help:"Which of its candidates, counted from 0."`
}

func (c *chooseCmd) Run(e *env) error {
	return c.send(e, "choose", api.Choose{Object: c.Object, Candidate: c.Candidate})
}

type renameCmd struct {
	asking
	Object string `arg:"" help:"The object, such as camera-1."`
	Name   string `arg:"" help:"Its new name."`
}

func (c *renameCmd) Run(e *env) error {
	return c.send(e, "rename", api.Rename{Object: c.Object, Name: c.Name})
}

// target is a command about one object.
type target struct {
	asking
	Object string `arg:"" help:"The object, such as camera-1."`
}

type (
	confirmCmd struct{ target }
	rejectCmd  struct{ target }
)

func (c *confirmCmd) Run(e *env) error { return c.send(e, "confirm", api.Target{Object: c.Object}) }
func (c *rejectCmd) Run(e *env) error  { return c.send(e, "reject", api.Target{Object: c.Object}) }

type removeCmd struct {
	asking
	Objects []string `arg:"" help:"The objects, such as camera-1 camera-2."`
}

func (c *removeCmd) Run(e *env) error {
	if len(c.Objects) == 1 {
		return c.send(e, "remove", api.Remove{Object: c.Objects[0]})
	}
	return c.send(e, "remove", api.Remove{Objects: c.Objects})
}

type undoCmd struct {
	asking
	Objects []string `arg:"" optional:"" help:"An object, to take its last correction or its removal back, or several that were removed."`
}

func (c *undoCmd) Run(e *env) error {
	if len(c.Objects) == 1 {
		return c.send(e, "undo", api.Undo{Object: c.Objects[0]})
	}
	return c.send(e, "undo", api.Undo{Objects: c.Objects})
}

type (
	clearCmd    struct{ asking }
	pauseCmd    struct{ asking }
	resumeCmd   struct{ asking }
	keyframeCmd struct{ asking }
)

func (c *clearCmd) Run(e *env) error    { return c.send(e, "clear", nil) }
func (c *pauseCmd) Run(e *env) error    { return c.send(e, "pause", nil) }
func (c *resumeCmd) Run(e *env) error   { return c.send(e, "resume", nil) }
func (c *keyframeCmd) Run(e *env) error { return c.send(e, "keyframe", nil) }

// shape is a command about a zone or a line.
type shape struct {
	asking
	Name   string   `arg:"" help:"Its name."`
	Points []string `arg:"" optional:"" help:"Its points as x,y within 0..1; none removes it."`
	Class  []string `help:"Only objects in whose name, or phrase, this stands (repeatable)." sep:"none"`
}

func (s *shape) points() ([][2]float64, error) {
	var out [][2]float64
	for _, p := range s.Points {
		v, err := numbers(p, 2, 2)
		if err != nil {
			return nil, fmt.Errorf("point %q: %w", p, err)
		}
		if at := (seg.Point{X: v[0], Y: v[1]}); !at.In01() {
			return nil, fmt.Errorf("point %q: %w", p, seg.ErrOutsidePicture)
		}
		out = append(out, [2]float64(v))
	}
	return out, nil
}

type (
	zoneCmd struct{ shape }
	lineCmd struct{ shape }
)

func (c *zoneCmd) Run(e *env) error {
	points, err := c.points()
	if err != nil {
		return err
	}
	return c.send(e, "zone", api.Zone{Name: c.Name, Points: points, Classes: c.Class})
}

func (c *lineCmd) Run(e *env) error {
	points, err := c.points()
	if err != nil {
		return err
	}
	return c.send(e, "line", api.Line{Name: c.Name, Points: points, Classes: c.Class})
}

type automaskCmd struct {
	asking
	Max     int     `help:"Objects at most; 0 is 20."`
	MinArea float64 `help:"The least share of the picture, within 0..1."`
}

func (c *automaskCmd) Run(e *env) error {
	return c.send(e, "automask", api.Automask{Max: c.Max, MinArea: c.MinArea})
}

type modelCmd struct {
	asking
	Name string `arg:"" help:"A name of 'segedge models list'."`
}

func (c *modelCmd) Run(e *env) error { return c.send(e, "model", api.Model{Name: c.Name}) }

type (
	stateCmd   struct{ asking }
	objectsCmd struct{ asking }
)

func (c *stateCmd) Run(e *env) error   { return c.show(e, "state") }
func (c *objectsCmd) Run(e *env) error { return c.show(e, "objects") }

type recordCmd struct {
	asking
	Action  string        `arg:"" enum:"start,stop,around" help:"start, stop, or around: what was just before and comes next."`
	Seconds float64       `help:"How long it goes on: from now, or after the moment of around; 0 is until stop, or as configured."`
	Event   seg.EventType `help:"The type of the event that it is about, such as zone.entered."`
}

func (c *recordCmd) Run(e *env) error {
	return c.send(e, "record", api.Record{Action: c.Action, Seconds: c.Seconds, Event: c.Event})
}

type snapshotCmd struct {
	asking
	File  string `arg:"" type:"path" help:"The .jpg to write; - is the standard output."`
	Clean bool   `help:"The camera's picture, without the overlay."`
	Width int    `help:"Reduced to so many columns; by default the camera's size."`
}

func (c *snapshotCmd) Run(e *env) error {
	if err := writable(output{"snapshot", c.File, asJPEG}); err != nil {
		return err
	}
	return c.with(e, func(ctx context.Context, d door) error {
		what := api.Shot{Width: c.Width}
		if c.Clean {
			what.Overlay = new(bool)
		}
		jpeg, err := d.snapshot(ctx, c.Camera, what)
		if err != nil {
			return err
		}
		if c.File == "-" {
			_, err = e.stdout.Write(jpeg)
			return err
		}
		return os.WriteFile(c.File, jpeg, 0o644)
	})
}
