package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/mqtt"
	"github.com/segedge/segedge/mqtt/client"
	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/spelling"
)

// watchCmd prints what a running agent says, one JSON document a line.
type watchCmd struct {
	remote
	Camera string   `help:"Only of this camera." placeholder:"NAME"`
	Type   []string `help:"Only events of this type, such as object.new, or of these, such as zone (repeatable)." placeholder:"TYPE"`
	Name   string   `help:"Only events of objects with this name." placeholder:"NAME"`
	JSON   bool     `name:"json" help:"Print JSON alone, one object a line: the status too, which is a word otherwise."`
	Table  bool     `help:"Show the cameras and their live objects as a table that refreshes."`
	Kinds  []string `arg:"" optional:"" help:"What to print: events (the default), objects, state, info, status, masks."`
}

// check refuses what would be waited for in vain.
func (w *watchCmd) check() error {
	if w.Table {
		return w.checkTable()
	}
	if len(w.Kinds) == 0 {
		w.Kinds = []string{"events"}
	}
	kinds := []string{"events", "objects", "state", "info", "status", "masks"}
	for _, k := range w.Kinds {
		if !slices.Contains(kinds, k) {
			return fmt.Errorf("there is no %q to watch; there are %s", k, strings.Join(kinds, ", "))
		}
	}
	if w.Camera != "" && !api.ValidName(w.Camera) {
		return fmt.Errorf("%q is no camera's name", w.Camera)
	}
	if (len(w.Type) > 0 || w.Name != "") && (len(w.Kinds) != 1 || w.Kinds[0] != "events") {
		return errors.New("--type and --name are for events")
	}
	var types []string
	for _, t := range seg.EventTypes() {
		types = append(types, string(t))
	}
	for _, want := range w.Type {
		if !slices.ContainsFunc(types, func(t string) bool { return isType(t, want) }) {
			return fmt.Errorf("there is no event type %q; there are %s", want, strings.Join(types, ", "))
		}
	}
	return nil
}

// checkTable is check for a table.
func (w *watchCmd) checkTable() error {
	if len(w.Kinds) > 0 || len(w.Type) > 0 {
		return errors.New("--table is of the live objects: it goes with --camera and --name alone")
	}
	if w.JSON {
		return errors.New("--table is for people, --json for programs: leave one of them out")
	}
	if w.Camera != "" && !api.ValidName(w.Camera) {
		return fmt.Errorf("%q is no camera's name", w.Camera)
	}
	w.Kinds = []string{"status", "state", "objects"}
	return nil
}

// isType reports whether an event's type is the one asked for, or one of the family.
func isType(t, want string) bool { return t == want || strings.HasPrefix(t, want+".") }

// wants reports whether a message is to be printed.
func (w *watchCmd) wants(m client.Message) bool {
	if len(w.Type) == 0 && w.Name == "" {
		return true
	}
	var e api.Event
	if json.Unmarshal(m.Payload, &e) != nil {
		return true // whatever it is, it is not hidden
	}
	if len(w.Type) > 0 && !slices.ContainsFunc(w.Type, func(want string) bool { return isType(string(e.Type), want) }) {
		return false
	}
	named := func(o *api.Object) bool { return o != nil && o.Name == w.Name }
	return w.Name == "" || named(e.After) || named(e.Before)
}

// Run watches until it is interrupted. A broker that goes away is waited for; the first connection must succeed.
func (w *watchCmd) Run(e *env) error {
	if err := w.check(); err != nil {
		return err
	}
	if w.URL != "" {
		if err := w.checkURL(); err != nil {
			return err
		}
	}
	lacks := &lacking{e: e, camera: w.Camera}
	for first := true; ; first = false {
		err := w.once(e, lacks)
		switch {
		case e.ctx.Err() != nil:
			return nil //nolint:nilerr // being stopped is no failure
		case err == nil, first && !errors.Is(err, mqtt.ErrLinkLost), !first && !transient(err):
			return err
		}
		fmt.Fprintf(e.stderr, "segedge: %v; trying again\n", err)
		select {
		case <-time.After(2 * time.Second):
		case <-e.ctx.Done():
			return nil
		}
	}
}

// transient reports whether an error of a later connection may pass: all but what f or the watch itself found.
func transient(err error) bool {
	var write *printError
	return !errors.As(err, &write) && !errors.Is(err, client.ErrTooSlow)
}

// printError is about the standard output.
type printError struct{ err error }

func (p *printError) Error() string { return p.err.Error() }
func (p *printError) Unwrap() error { return p.err }

// once watches over one connection.
func (w *watchCmd) once(e *env, lacks *lacking) error {
	ctx, cancel := context.WithCancel(e.ctx)
	defer cancel()
	take := w.printer(e)
	if w.URL != "" {
		return w.poll(ctx, take)
	}
	c, err := w.dial(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	kinds := w.Kinds
	if w.Camera != "" && !slices.Contains(kinds, "info") {
		kinds = append(slices.Clone(kinds), "info")
	}
	return c.Watch(ctx, w.Camera, kinds, func(m client.Message) error {
		if m.Kind == "info" {
			lacks.look(m.Payload)
			if !slices.Contains(w.Kinds, "info") {
				return nil
			}
		}
		return take(m)
	})
}

// lacking says so where the agent knows no camera of the name that is watched. It may come while the agent runs, so it is waited for.
type lacking struct {
	e      *env
	camera string
	said   string
}

// look reads the agent's description.
func (l *lacking) look(info []byte) {
	var i api.Info
	if l.camera == "" || json.Unmarshal(info, &i) != nil || slices.Contains(i.Cameras, l.camera) {
		return
	}
	if says := noCamera(l.camera, i.Cameras) + "; it is waited for"; says != l.said {
		l.said = says
		fmt.Fprintf(l.e.stderr, "segedge: %s\n", says)
	}
}

// noCamera is a sentence that names the cameras there are, those that are spelt alike first.
func noCamera(name string, cameras []string) string {
	if len(cameras) == 0 {
		return fmt.Sprintf("the agent has no camera %q, nor any other", name)
	}
	byName := slices.Clone(cameras)
	slices.SortStableFunc(byName, func(a, b string) int { return cmp.Compare(spelling.Distance(name, a), spelling.Distance(name, b)) })
	return fmt.Sprintf("the agent has no camera %q; there are %s", name, strings.Join(byName, ", "))
}

// printer prints what is heard.
func (w *watchCmd) printer(e *env) func(client.Message) error {
	shown := newTable(w.Name)
	return func(m client.Message) error {
		if w.Table {
			shown.take(m)
			if err := shown.refresh(e.stdout); err != nil {
				return &printError{err}
			}
			return nil
		}
		if !w.wants(m) {
			return nil
		}
		payload := m.Payload
		switch {
		case w.JSON && m.Kind == "status":
			payload, _ = json.Marshal(map[string]string{"status": string(payload)}) // text always encodes
		case w.JSON && len(payload) == 0: // what was retained is taken back
			return nil
		}
		if _, err := fmt.Fprintf(e.stdout, "%s\n", payload); err != nil {
			return &printError{err}
		}
		return nil
	}
}
