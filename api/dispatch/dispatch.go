// Package dispatch is the way in for commands, the same for every door: it decodes strictly, does a command with an id
// once within ten minutes, also over a restart, finds the frame that a picture was of, bounds the time, and answers with
// a typed reply. It starts no goroutine and knows no protocol: web, stream and mqtt read the bytes and carry the reply.
package dispatch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/segedge/segedge/api"
)

// Frames finds the frame behind a picture: what a WebRTC viewer had on its screen at an RTP time. False when the viewer
// is gone or the picture is too old.
type Frames interface {
	FrameAt(viewer string, rtpTime uint32) (seq uint64, ok bool)
}

// Snapshotter makes a JPEG of what a camera shows now. It waits for the next frame, as long as ctx lasts.
type Snapshotter interface {
	Snapshot(ctx context.Context, camera string, shot api.Shot) ([]byte, error)
}

// Recorder begins and ends recordings of what a camera shows.
type Recorder interface {
	Record(ctx context.Context, camera string, r api.Record) (api.Clip, error)
}

// Starter is a service whose cameras may not have begun yet.
type Starter interface {
	// Started waits for a camera's first frame; its error says why there is none when ctx ends.
	Started(ctx context.Context, camera string) error
}

// Options of a dispatcher. Only Service is needed.
type Options struct {
	Service  api.Service
	Frames   Frames        // nil: a prompt that names a picture reaches the service as it came
	Snapshot Snapshotter   // nil hands the verb snapshot to the service
	Record   Recorder      // nil hands the verb record to the service
	File     string        // of the ids, so that they outlive a restart; empty keeps them in memory
	Timeout  time.Duration // for one command; 0 is 20 s
	// Ended gets every command that was done or refused, once; not what only repeats one. It must not block. May be nil.
	Ended  func(Outcome)
	Logger *slog.Logger // nil discards
}

// Dispatcher does commands. Safe for concurrent use.
type Dispatcher struct {
	o     Options
	audit *audit

	mu     sync.Mutex // the fields below
	memory *memory
	file   file
}

// New reads the ids of the last ten minutes back.
func New(o Options) *Dispatcher {
	o.Timeout = cmp.Or(o.Timeout, 20*time.Second)
	o.Logger = cmp.Or(o.Logger, slog.New(slog.DiscardHandler))
	d := &Dispatcher{o: o, audit: newAudit(o.Logger, o.Ended), memory: newMemory(), file: file{path: o.File, log: o.Logger}}
	d.file.load(d.memory, time.Now())
	return d
}

// Close lets the file go. Commands after it are still done once, but not over a restart.
func (d *Dispatcher) Close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.file.close()
	d.file.path = ""
}

// Request is a command as a door read it.
type Request struct {
	api.Form
	Camera string
	Body   []byte
	Door   string // whose ids these are where the command names no client: a door, or one of its connections
	NeedID bool   // refuse a command without an id: the door may deliver it twice
	Group  bool   // the command goes to several cameras: each remembers its id apart
	Caller api.Caller
}

// Do carries out a command. A repetition gets the answer of the first, and waits for it if need be. A command with an id
// should not end with its connection: then who repeats it on the next one learns how it ended.
func (d *Dispatcher) Do(ctx context.Context, r Request) api.Reply {
	t := d.Begin(r)
	d.Sync()
	return t.Run(ctx)
}

// Ticket is a command that has been taken in; Run or Drop ends it.
type Ticket struct {
	api.Command
	Camera   string
	Repeated bool // its id is that of an earlier command, the answer to which it gets

	d     *Dispatcher
	from  Request
	begun time.Time
	reply *api.Reply  // refused, or answered before
	entry *remembered // what is known of its id; nil without one
}

// Begin decodes a command and notes its id. A door that takes many at once calls Sync once before it runs them.
func (d *Dispatcher) Begin(r Request) *Ticket {
	cmd, bad := r.Decode(r.Body)
	t := &Ticket{Command: cmd, Camera: r.Camera, d: d, from: r, begun: time.Now()}
	t.from.Body = nil
	cameras := d.o.Service.Cameras()
	switch {
	case !slices.Contains(cameras, r.Camera):
		t.refuse(api.UnknownCamera, fmt.Sprintf("there is no camera %q; there are %s", r.Camera, strings.Join(cameras, ", ")))
	case bad != nil:
		t.refuse(bad.Code, bad.Message)
	case !r.Caller.May(cmd.Verb):
		t.refuse(api.Forbidden, fmt.Sprintf("the role %s may not %s: use a token of a role that may", r.Caller.Role, cmd.Verb))
	case cmd.ID == "" && r.NeedID:
		t.refuse(api.BadRequest, `the command has no "id": without one it could be done twice`)
	case cmd.ID != "":
		client := cmp.Or(cmd.Reply, ":"+r.Door)
		if r.Group {
			client = "group:" + r.Camera + ":" + client
		}
		t.note(client)
	}
	return t
}

// Refuse is a ticket for a command that the door itself does not take. Its id, if any, stays free.
func (d *Dispatcher) Refuse(r Request, code api.Code, message string) *Ticket {
	cmd, _ := r.Decode(r.Body)
	t := &Ticket{Command: cmd, Camera: r.Camera, d: d, from: r, begun: time.Now()}
	t.refuse(code, message)
	return t
}

// note looks the command's id up, and remembers it from now on.
func (t *Ticket) note(client string) {
	t.d.mu.Lock()
	defer t.d.mu.Unlock()
	sum := sumOf(t.Camera, t.Sum)
	entry, fresh := t.d.memory.begin(client, t.ID, sum, time.Now())
	switch {
	case entry == nil:
		t.refuse(api.Overloaded, fmt.Sprintf("%d commands of this client came within ten minutes: send it again later", maxPerClient))
	case fresh:
		t.entry = entry
		t.d.file.note(entry, t.d.memory)
	case entry.Hash != sum:
		t.refuse(api.BadRequest, fmt.Sprintf("the id %q was used for another command within the last ten minutes: choose a new one", t.ID))
	default:
		t.entry, t.Repeated, t.reply = entry, true, entry.Reply
	}
}

// Sync makes the ids noted so far durable.
func (d *Dispatcher) Sync() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.file.sync()
}

func (t *Ticket) refuse(code api.Code, message string) {
	if len(message) > maxMessage { // somebody else wrote part of it
		message = strings.ToValidUTF8(message[:maxMessage], "") + "…"
	}
	r := api.Refuse(t.ID, code, message)
	t.reply = &r
	t.d.audit.note(&t.from, t, r)
}

// maxMessage bounds the sentence of a refusal, in bytes.
const maxMessage = 500

// Answer is the reply of a command that needs no doing: it was refused, or done before.
func (t *Ticket) Answer() (api.Reply, bool) {
	if t.reply == nil {
		return api.Reply{}, false
	}
	return *t.reply, true
}

// Run does the command, or waits for the one that it repeats.
func (t *Ticket) Run(ctx context.Context) api.Reply {
	if t.reply != nil {
		return *t.reply
	}
	if t.Repeated {
		return t.await(ctx)
	}
	t.locate()
	r := t.do(ctx)
	r.Schema, r.ID = api.Schema, t.ID
	t.d.audit.note(&t.from, t, r)
	return t.finish(r)
}

// Drop answers a command that is not done. Its id is free again.
func (t *Ticket) Drop(code api.Code, message string) api.Reply {
	if t.reply != nil {
		return *t.reply
	}
	r := api.Refuse(t.ID, code, message)
	if t.entry != nil && !t.Repeated {
		t.d.mu.Lock()
		defer t.d.mu.Unlock()
		t.d.forget(t.entry, r)
	}
	return r
}

func (t *Ticket) await(ctx context.Context) api.Reply {
	ctx, cancel := context.WithTimeout(ctx, t.d.o.Timeout)
	defer cancel()
	select {
	case <-t.entry.done:
		return t.entry.answer
	case <-ctx.Done():
		return api.Refuse(t.ID, api.Timeout, "the command is still being done: ask again for its answer")
	}
}

// locate gives a prompt that names a picture its frame. One whose picture is no longer known keeps its viewer and RTP
// time without a frame: the service sees that a frame was meant, and answers that it is gone.
func (t *Ticket) locate() {
	p, ok := t.Body.(*api.Prompt)
	if !ok || p.Frame != 0 || p.RTPTime == nil || t.d.o.Frames == nil {
		return
	}
	if seq, ok := t.d.o.Frames.FrameAt(p.Viewer, *p.RTPTime); ok {
		p.Frame = seq
	}
}

// needFrame are the verbs that make no sense before a camera's first frame, also those about an object: one that is known
// from an earlier run is there with it.
var needFrame = []string{"prompt", "automask", "keyframe", "snapshot", "choose", "rename", "remove", "undo", "confirm", "reject"}

// do carries the command out. One that needs a frame waits for the first: for its own time, counted from its arrival, so
// that those which wait behind one another do not wait one after another.
func (t *Ticket) do(ctx context.Context) api.Reply {
	if s, ok := t.d.o.Service.(Starter); ok && slices.Contains(needFrame, t.Verb) {
		early, cancel := context.WithDeadline(ctx, t.begun.Add(t.d.o.Timeout))
		err := s.Started(early, t.Camera)
		cancel()
		if err != nil {
			return api.Refuse(t.ID, code(err, api.NotReady), err.Error())
		}
	}
	ctx, cancel := context.WithTimeout(ctx, t.d.o.Timeout)
	defer cancel()
	if s, ok := t.Body.(*api.Shot); ok && t.d.o.Snapshot != nil {
		return t.snapshot(ctx, *s)
	}
	if r, ok := t.Body.(*api.Record); ok && t.d.o.Record != nil {
		return t.record(ctx, r)
	}
	return t.d.o.Service.Do(ctx, t.Camera, t.Command)
}

func (t *Ticket) record(ctx context.Context, r *api.Record) api.Reply {
	clip, err := t.d.o.Record.Record(ctx, t.Camera, *r)
	if err != nil {
		return api.Refuse(t.ID, code(err, api.Internal), err.Error())
	}
	return api.Done(t.ID, clip)
}

// passing are refusals that say nothing of the command, only of the moment: it was not done, and may be sent again.
var passing = []api.Code{api.NotReady, api.Overloaded, api.AlreadyRunning}

// finish remembers the answer before it is given: who has a reply can rely on the command not being done again.
func (t *Ticket) finish(r api.Reply) api.Reply {
	if t.entry == nil {
		return r
	}
	t.d.mu.Lock()
	defer t.d.mu.Unlock()
	if r.Error != nil && slices.Contains(passing, r.Error.Code) || t.Verb == "snapshot" {
		t.d.forget(t.entry, r)
		return r
	}
	t.d.memory.finish(t.entry, r)
	t.d.file.note(t.entry, t.d.memory)
	return r
}

// forget frees an id and tells who waits for its answer; mu is held.
func (d *Dispatcher) forget(e *remembered, r api.Reply) {
	d.memory.forget(e)
	d.file.note(e, d.memory)
	e.tell(r)
}

// code is an error's kind where it has one.
func code(err error, otherwise api.Code) api.Code {
	if known, ok := errors.AsType[*api.Error](err); ok {
		return known.Code
	}
	return otherwise
}
