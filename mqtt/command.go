package mqtt

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/api/dispatch"
	"github.com/segedge/segedge/seg"
)

const (
	// maxInbox and maxInboxBytes bound the commands that came and have no place in their camera's queue yet: brokers that do
	// not wait for acknowledgements send all they have at once.
	maxInbox      = 16384
	maxInboxBytes = 8 << 20
	maxPerCamera  = 64 // commands taken and not done, for one camera
	batch         = 32 // commands whose ids share one sync
	// maxHold is how long a command waits for a place in its camera's queue: longer than any command takes.
	maxHold = 30 * time.Second
)

// commands takes commands off the link, has each done once, in order for each camera, and answers. The broker is told
// that a command has arrived when there is room for it, and not before: what a full agent leaves with the broker waits
// there, and survives the agent.
type commands struct {
	c        *Client
	dispatch *dispatch.Dispatcher
	replies  *replies
	reject   rejections
	running  atomic.Int64 // taken and not answered
	taken    atomic.Uint64
	refused  atomic.Uint64

	mu    sync.Mutex // the fields below
	lanes map[string]*lane
	start func(*lane) // set while run runs
	count int
	bytes int
}

// task is a command that was taken in, and where its answer goes.
type task struct {
	*dispatch.Ticket
	to address
}

// address is where an answer goes: a topic, empty for none, and what it is to carry along.
type address struct {
	topic       string
	correlation []byte
}

func newCommands(c *Client, d *dispatch.Dispatcher) *commands {
	cs := &commands{c: c, dispatch: d, replies: newReplies(), lanes: map[string]*lane{}}
	for _, camera := range append([]string{""}, c.o.Service.Cameras()...) {
		cs.lanes[camera] = newLane()
	}
	return cs
}

func (cs *commands) counts() (taken, refused uint64) { return cs.taken.Load(), cs.refused.Load() }

// waiting is the number of commands and replies that are not through yet.
func (cs *commands) waiting() int { return int(cs.running.Load()) + cs.replies.len() }

// receive is the link's handler; it never blocks. A command that finds no room is refused at once: brokers that keep to
// a window of unacknowledged messages never get that far.
func (cs *commands) receive(m Message) {
	camera, verb, ok := cs.c.topics.ParseCommand(m.Topic)
	if !ok {
		m.Done()
		return
	}
	cs.mu.Lock()
	ln := cs.lane(camera)
	room := cs.count < maxInbox && cs.bytes+m.size() <= maxInboxBytes
	if room {
		ln.in = append(ln.in, m)
		cs.count, cs.bytes = cs.count+1, cs.bytes+m.size()
	}
	cs.mu.Unlock()
	if !room {
		cs.taken.Add(1)
		cmd, _ := api.Decode(verb, m.Payload)
		r := api.Refuse(cmd.ID, api.Overloaded, "too many commands are waiting: send it again later")
		cs.finish(cs.c.topics.replyTo(m, cmd), camera, cmd, r, false)
		m.Done()
		return
	}
	select {
	case ln.wake <- struct{}{}:
	default:
	}
}

// admit takes a lane's commands in, as many at once as have come, as long as their replies have room.
func (cs *commands) admit(ctx context.Context, ln *lane) {
	defer close(ln.work)
	for {
		messages := cs.take(ln)
		if len(messages) == 0 {
			select {
			case <-ln.wake:
				continue
			case <-ctx.Done():
				return
			}
		}
		if !cs.replies.room(ctx) {
			return
		}
		tasks := make([]task, len(messages))
		for i, m := range messages {
			tasks[i] = cs.begin(m)
		}
		cs.dispatch.Sync()
		for i, t := range tasks {
			if cs.queue(ctx, ln, t) {
				messages[i].Done()
			}
		}
	}
}

// begin decodes a command and notes its id. A client without a name that says where answers go (MQTT 5) is known by that: by a
// hash of it, since it may be 64 KiB and is remembered with every id.
func (cs *commands) begin(m Message) task {
	cs.taken.Add(1)
	cs.running.Add(1)
	camera, verb, _ := cs.c.topics.ParseCommand(m.Topic)
	r := dispatch.Request{Form: api.Form{Verb: verb}, Camera: camera, Body: m.Payload, Door: "mqtt", NeedID: true, Group: m.group}
	if m.ResponseTopic != "" {
		r.Door = fmt.Sprintf("mqtt %x", sha256.Sum256([]byte(m.ResponseTopic)))
	}
	var t *dispatch.Ticket
	if m.Retained {
		t = cs.dispatch.Refuse(r, api.BadRequest, "a command must not be retained: it would be done at every connection")
	} else {
		t = cs.dispatch.Begin(r)
	}
	return task{t, cs.c.topics.replyTo(m, t.Command)}
}

// queue answers what needs no doing and hands the rest to the worker; false when ctx ended first.
func (cs *commands) queue(ctx context.Context, ln *lane, t task) bool {
	if r, ok := t.Answer(); ok {
		cs.finish(t.to, t.Camera, t.Command, r, t.Repeated)
		cs.running.Add(-1)
		return true
	}
	hold := time.NewTimer(maxHold)
	defer hold.Stop()
	select {
	case ln.work <- t:
		return true
	default:
	}
	select {
	case ln.work <- t:
		return true
	case <-hold.C:
		message := fmt.Sprintf("camera %s has had %d commands waiting for %s: send it again later", t.Camera, maxPerCamera, maxHold)
		cs.finish(t.to, t.Camera, t.Command, t.Drop(api.Overloaded, message), false)
		cs.running.Add(-1)
		return true
	case <-ctx.Done():
		t.Drop(api.NotReady, "the agent is stopping")
		cs.running.Add(-1)
		return false
	}
}

// work does one camera's commands in order, each when its answer has room.
func (cs *commands) work(ctx context.Context, ln *lane) {
	for t := range ln.work {
		var r api.Reply
		if !cs.replies.room(ctx) {
			r = t.Drop(api.NotReady, "the agent is stopping: send it again when it is back")
		} else {
			r = t.Run(ctx)
		}
		cs.finish(t.to, t.Camera, t.Command, r, t.Repeated)
		cs.running.Add(-1)
	}
}

// finish gives a command's answer, and the news of a refusal unless it was given before.
func (cs *commands) finish(to address, camera string, cmd api.Command, r api.Reply, repeated bool) {
	if !r.OK && !repeated {
		cs.rejected(camera, cmd, r)
	}
	if shot, ok := r.Result.(*api.Snapshot); ok {
		r = cs.sendPicture(camera, cmd.ID, shot)
	}
	if to.topic == "" {
		return
	}
	data, err := json.Marshal(r)
	if err != nil {
		data, _ = json.Marshal(api.Refuse(cmd.ID, api.Internal, "the result cannot be written: "+err.Error()))
	}
	cs.put(answer{id: cmd.ID, topic: to.topic, correlation: to.correlation, payload: data, qos: 1})
}

// mostPicture is the most bytes of a snapshot; a larger one is reduced.
const mostPicture = 256 << 10

// sendPicture sends a snapshot on its topic, and answers where it is.
func (cs *commands) sendPicture(camera, id string, s *api.Snapshot) api.Reply {
	topic := cs.c.topics.Camera(camera, "snapshot")
	cs.c.images.ask(camera)
	small, err := dispatch.Fit(s, min(mostPicture, cs.c.room(outgoing{topic: topic})))
	if err != nil {
		return api.Refuse(id, api.TooLarge, err.Error())
	}
	cs.put(answer{id: id, topic: topic, payload: small.JPEG, qos: 0})
	return api.Done(id, &api.Snapshot{Width: small.Width, Height: small.Height, Bytes: small.Bytes, Topic: topic})
}

// put queues an answer.
func (cs *commands) put(a answer) {
	if lost := cs.replies.put(a); lost == 1 || lost%1000 == 0 && lost > 0 {
		cs.c.log.Warn("replies are lost: commands come without the broker's window, faster than their answers leave", "lost", lost)
	}
}

// rejected counts a refused command and tells everyone, as far as the limit allows. An event belongs to a camera, so a
// command for none has only its reply.
func (cs *commands) rejected(camera string, cmd api.Command, r api.Reply) {
	cs.refused.Add(1)
	if !slices.Contains(cs.c.o.Service.Cameras(), camera) {
		camera = ""
	}
	cs.tell(cs.reject.note(rejection{camera, cmd, *r.Error}, time.Now()))
}

// tell publishes a rejection that passed the limit, with the number of those that did not.
func (cs *commands) tell(what rejection, others uint64, ok bool) {
	if !ok {
		return
	}
	verb := shorten(what.cmd.Verb)
	cs.c.log.Warn("a command was refused", "camera", what.camera, "verb", verb, "client", what.cmd.Reply, "id", what.cmd.ID,
		"code", what.err.Code, "reason", what.err.Message, "others", others)
	if what.camera == "" {
		return
	}
	details := map[string]any{"verb": verb, "id": what.cmd.ID, "client": what.cmd.Reply, "code": what.err.Code, "message": what.err.Message}
	if others > 0 {
		details["others"] = others
	}
	e := seg.Event{Camera: what.camera, Type: seg.CommandRejected, Time: time.Now(), Details: details}
	if list, ok := cs.c.o.Service.Objects(what.camera); ok {
		e.Frame = list.Frame
	}
	cs.c.Publish(e)
}

// shorten cuts what somebody else wrote to the length of a name.
func shorten(s string) string {
	const most = 64
	if len(s) <= most {
		return s
	}
	return s[:most] + "…"
}
