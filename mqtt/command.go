package mqtt

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/seg"
)

const (
	maxInbox      = 256     // commands between the link and their camera
	maxInboxBytes = 8 << 20 // of their bodies
	maxPerCamera  = 64      // commands waiting for one camera
)

// commands takes commands off the link, does each once, in order for each camera, and answers.
type commands struct {
	c       *Client
	inbox   chan Message
	bytes   atomic.Int64
	replies *replies
	running atomic.Int64
	taken   atomic.Uint64
	refused atomic.Uint64

	mu     sync.Mutex // memory and file
	memory *memory
	file   commandLog
}

// work is a command for one camera's worker.
type work struct {
	camera string
	cmd    api.Command
}

func newCommands(c *Client, path string) *commands {
	cs := &commands{c: c, inbox: make(chan Message, maxInbox), replies: newReplies(), memory: newMemory(), file: commandLog{path: path, log: c.log}}
	cs.file.load(cs.memory, time.Now())
	return cs
}

func (cs *commands) counts() (taken, refused uint64) { return cs.taken.Load(), cs.refused.Load() }

// waiting is the number of commands and replies that are not through yet.
func (cs *commands) waiting() int { return int(cs.running.Load()) + cs.replies.len() }

// answer sends replies over one link.
func (cs *commands) answer(ctx context.Context, l *Link) error { return cs.replies.send(ctx, l) }

// receive is the link's handler; it never blocks. A command that finds no room is refused at once.
func (cs *commands) receive(m Message) {
	size := int64(len(m.Payload))
	if cs.bytes.Add(size) <= maxInboxBytes {
		select {
		case cs.inbox <- m:
			return
		default:
		}
	}
	cs.bytes.Add(-size)
	if camera, verb, ok := cs.c.topics.ParseCommand(m.Topic); ok {
		cmd, _ := api.Decode(verb, m.Payload)
		cs.refuse(camera, cmd, api.Overloaded, "too many commands are waiting: send it again later")
	}
	m.Done()
}

// run does commands until ctx ends. What is still in the inbox then is left to the broker, which was not told that it
// arrived.
func (cs *commands) run(ctx context.Context) {
	queues := map[string]chan work{}
	var workers sync.WaitGroup
	for ctx.Err() == nil {
		select {
		case m := <-cs.inbox:
			cs.bytes.Add(-int64(len(m.Payload)))
			w, ok := cs.admit(m)
			m.Done()
			if !ok {
				continue
			}
			q := queues[w.camera]
			if q == nil {
				q = make(chan work, maxPerCamera)
				queues[w.camera] = q
				workers.Go(func() { cs.work(ctx, q) })
			}
			cs.queue(q, w)
		case <-ctx.Done():
		}
	}
	for _, q := range queues {
		close(q)
	}
	workers.Wait()
	cs.mu.Lock()
	defer cs.mu.Unlock()
	cs.file.close()
}

func (cs *commands) queue(q chan<- work, w work) {
	cs.running.Add(1)
	select {
	case q <- w:
	default:
		cs.running.Add(-1)
		cs.forget(w.cmd)
		cs.refuse(w.camera, w.cmd, api.Overloaded, fmt.Sprintf("camera %s has %d commands waiting: send it again later", w.camera, maxPerCamera))
	}
}

// admit decodes a command and notes that it is being done; false when it has been answered already.
func (cs *commands) admit(m Message) (work, bool) {
	camera, verb, ok := cs.c.topics.ParseCommand(m.Topic)
	if !ok {
		return work{}, false
	}
	cs.taken.Add(1)
	cmd, bad := api.Decode(verb, m.Payload)
	if cmd.ID != "" {
		if done := cs.repeated(camera, cmd, m); done {
			return work{}, false
		}
	}
	switch {
	case !slices.Contains(cs.c.o.Service.Cameras(), camera):
		bad = &api.Error{Code: api.UnknownCamera, Message: fmt.Sprintf("there is no camera %q", camera)}
	case m.Retained:
		bad = &api.Error{Code: api.BadRequest, Message: "a command must not be retained: it would be done at every connection"}
	case bad == nil && cmd.ID == "":
		bad = &api.Error{Code: api.BadRequest, Message: `the command has no "id": without one it could be done twice`}
	}
	if bad != nil {
		cs.finish(camera, cmd, api.Reply{Schema: api.Schema, ID: cmd.ID, Error: bad})
		return work{}, false
	}
	return work{camera, cmd}, true
}

// repeated answers a command whose id is known, and notes one that is not.
func (cs *commands) repeated(camera string, cmd api.Command, m Message) bool {
	hash := hashCommand(camera, cmd.Verb, m.Payload)
	cs.mu.Lock()
	known, room := cs.memory.begin(cmd.Reply, cmd.ID, hash, time.Now())
	if known == nil && room {
		cs.file.note(cs.memory.entries[commandKey{cmd.Reply, cmd.ID}], cs.memory)
	}
	cs.mu.Unlock()
	switch {
	case !room:
		cs.refuse(camera, cmd, api.Overloaded, fmt.Sprintf("%d commands came within ten minutes: send it again later", maxRemembered))
	case known == nil:
		return false
	case known.Hash != hash:
		cs.refuse(camera, cmd, api.BadRequest, fmt.Sprintf("the id %q was used for another command within the last ten minutes: choose a new one", cmd.ID))
	case known.Reply != nil:
		cs.send(camera, cmd, encodeReply(cmd, *known.Reply))
	}
	return true
}

// work does one camera's commands in order.
func (cs *commands) work(ctx context.Context, q <-chan work) {
	for w := range q {
		if ctx.Err() != nil {
			cs.forget(w.cmd)
			cs.refuse(w.camera, w.cmd, api.NotReady, "the agent is stopping: send it again when it is back")
		} else {
			one, cancel := context.WithTimeout(ctx, cs.c.o.CommandTimeout)
			cs.finish(w.camera, w.cmd, cs.do(one, w))
			cancel()
		}
		cs.running.Add(-1)
	}
}

func (cs *commands) do(ctx context.Context, w work) api.Reply {
	if w.cmd.Verb == "snapshot" && cs.c.o.Snapshot != nil {
		return cs.snapshot(ctx, w)
	}
	r := cs.c.o.Service.Do(ctx, w.camera, w.cmd)
	r.Schema, r.ID = api.Schema, w.cmd.ID
	return r
}

func (cs *commands) snapshot(ctx context.Context, w work) api.Reply {
	jpeg, err := cs.c.o.Snapshot.Snapshot(ctx, w.camera)
	if err != nil {
		return api.Refuse(w.cmd.ID, api.NotReady, "no snapshot: "+err.Error())
	}
	topic := cs.c.topics.Camera(w.camera, "snapshot")
	cs.replies.put(answer{topic: topic, payload: jpeg, qos: 0})
	return api.Done(w.cmd.ID, map[string]any{"topic": topic, "bytes": len(jpeg)})
}

// finish remembers a command's answer and then gives it: who has a reply can rely on the command not being done again.
func (cs *commands) finish(camera string, cmd api.Command, r api.Reply) {
	data := encodeReply(cmd, r)
	if cmd.ID != "" {
		cs.mu.Lock()
		cs.file.note(cs.memory.finish(cmd.Reply, cmd.ID, r, data), cs.memory)
		cs.mu.Unlock()
	}
	if !r.OK {
		cs.reject(camera, cmd, r)
	}
	cs.send(camera, cmd, data)
}

// refuse answers a command without remembering it.
func (cs *commands) refuse(camera string, cmd api.Command, code api.Code, message string) {
	r := api.Refuse(cmd.ID, code, message)
	cs.reject(camera, cmd, r)
	cs.send(camera, cmd, encodeReply(cmd, r))
}

// forget lets a command that was not done be sent again.
func (cs *commands) forget(cmd api.Command) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	cs.file.note(cs.memory.forget(cmd.Reply, cmd.ID), cs.memory)
}

func encodeReply(cmd api.Command, r api.Reply) []byte {
	data, err := json.Marshal(r)
	if err != nil {
		data, _ = json.Marshal(api.Refuse(cmd.ID, api.Internal, "the result cannot be written: "+err.Error()))
	}
	return data
}

// send queues a reply for a command that wants one.
func (cs *commands) send(camera string, cmd api.Command, data []byte) {
	if cmd.Reply != "" {
		cs.replies.put(answer{topic: cs.c.topics.Reply(camera, cmd.Reply), payload: data, qos: 1})
	}
}

// reject tells everyone about a refused command. An event belongs to a camera, so a command for none has only its reply.
func (cs *commands) reject(camera string, cmd api.Command, r api.Reply) {
	cs.refused.Add(1)
	cs.c.log.Warn("a command was refused", "camera", camera, "verb", cmd.Verb, "client", cmd.Reply, "id", cmd.ID, "code", r.Error.Code, "reason", r.Error.Message)
	if !slices.Contains(cs.c.o.Service.Cameras(), camera) {
		return
	}
	e := seg.Event{
		Camera: camera, Type: seg.CommandRejected, Time: time.Now(),
		Details: map[string]any{"verb": cmd.Verb, "id": cmd.ID, "client": cmd.Reply, "code": r.Error.Code, "message": r.Error.Message},
	}
	if list, ok := cs.c.o.Service.Objects(camera); ok {
		e.Frame = list.Frame
	}
	cs.c.Publish(e)
}
