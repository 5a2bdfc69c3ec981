package mqtt

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/api/dispatch"
	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/testkit"
)

// offline is a client that never connects; its commands are driven by hand.
func offline(t *testing.T, a *agent, dir string) *Client {
	t.Helper()
	o := testOptions(t, "tcp://127.0.0.1:1", a)
	o.StateDir = dir
	o.Commands = dispatch.New(dispatch.Options{Service: a, Snapshot: snapshots{}, File: filepath.Join(dir, "commands.json"), Logger: o.Logger})
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.outbox.Close()
		o.Commands.Close()
	})
	return c
}

// desk is a client with its command goroutines running and no broker.
type desk struct {
	t    *testing.T
	c    *Client
	acks chan string
	stop func()
}

func newDesk(t *testing.T, a *agent, dir string) *desk {
	t.Helper()
	d := &desk{t: t, c: offline(t, a, dir), acks: make(chan string, 4*maxInbox)}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { d.c.commands.run(ctx); close(ended) }()
	d.stop = func() { cancel(); <-ended }
	t.Cleanup(d.stop)
	return d
}

func (d *desk) send(camera, verb, body string) {
	d.c.commands.receive(Message{
		Topic: d.c.topics.Command(camera, verb), Payload: []byte(body), Done: func() { d.acks <- body },
	})
}

// reply waits for the next reply and takes it off.
func (d *desk) reply() (string, api.Reply) {
	d.t.Helper()
	var a answer
	until(d.t, "a reply", func() bool {
		got, lost := d.c.commands.replies.first(1)
		if len(got) > 0 {
			a = got[0]
			d.c.commands.replies.sent(1, lost)
		}
		return len(got) > 0
	})
	var r api.Reply
	if err := json.Unmarshal(a.payload, &r); err != nil {
		d.t.Fatal(err)
	}
	return a.topic, r
}

// refusal waits for a reply that is an error of that kind.
func (d *desk) refusal(id string, code api.Code, says string) {
	d.t.Helper()
	_, r := d.reply()
	if r.OK || r.ID != id || r.Error == nil || r.Error.Code != code || !strings.Contains(r.Error.Message, says) {
		d.t.Errorf("got %+v %+v, want a refusal of %q with %s %q", r, r.Error, id, code, says)
	}
}

// rejected are the events about refused commands that were handed over.
func (d *desk) rejected() []seg.Event {
	var out []seg.Event
	for _, h := range d.c.intake.take(nil) {
		if h.event.Type == seg.CommandRejected {
			out = append(out, h.event)
		}
	}
	return out
}

func TestCommandIsDoneOnce(t *testing.T) {
	a, dir := &agent{}, t.TempDir()
	d := newDesk(t, a, dir)
	rename := `{"id":"1","reply":"me","object":"cam-1","name":"dog"}`
	for range 3 {
		d.send("cam", "rename", rename)
		topic, r := d.reply()
		if topic != "segedge/box/cam/reply/me" || !r.OK || r.ID != "1" || fmt.Sprint(r.Result) != "map[did:rename]" {
			t.Errorf("%s: %+v", topic, r)
		}
	}
	if got := a.commands(); len(got) != 1 || got[0].Body.(*api.Rename).Name != "dog" {
		t.Errorf("done %+v", got)
	}
	d.stop()
	d.c.outbox.Close()
	d.c.o.Commands.Close()

	d = newDesk(t, a, dir)
	d.send("cam", "rename", rename)
	if _, r := d.reply(); !r.OK || fmt.Sprint(r.Result) != "map[did:rename]" {
		t.Errorf("after a restart: %+v", r)
	}
	d.send("cam", "rename", `{"id":"1","reply":"you","object":"cam-1","name":"cat"}`)
	if _, r := d.reply(); !r.OK {
		t.Errorf("the id of another client: %+v", r)
	}
	if n := len(a.commands()); n != 2 {
		t.Errorf("%d commands were done, want one of each client", n)
	}
}

// Whatever the command, the second time it is only answered.
func TestEveryVerbTwice(t *testing.T) {
	a := &agent{}
	d := newDesk(t, a, t.TempDir())
	for _, verb := range api.Verbs() {
		if verb == "snapshot" { // a picture is taken anew, and comes by itself: TestSnapshot
			continue
		}
		was := len(a.commands())
		for range 2 {
			d.send("cam", verb, testkit.With(api.ExampleCommand(verb), map[string]any{"id": "the " + verb, "reply": "me"}))
			if _, r := d.reply(); !r.OK || r.ID != "the "+verb || fmt.Sprint(r.Result) != "map[did:"+verb+"]" {
				t.Errorf("%s: %+v", verb, r)
			}
		}
		if n := len(a.commands()) - was; n != 1 {
			t.Errorf("%s was done %d times", verb, n)
		}
	}
}

func TestCommandsAreRefusedInWords(t *testing.T) {
	a := &agent{}
	d := newDesk(t, a, t.TempDir())
	d.send("cam", "prompt", `{"id":"1","reply":"me","points":[{"x":2,"y":0}]}`)
	d.refusal("1", api.BadRequest, "outside 0..1")
	d.send("cam", "prompt", `{"id":"2","reply":"me","pints":[]}`)
	d.refusal("2", api.BadJSON, `unknown field "pints"`)
	d.send("cam", "dance", `{"id":"3","reply":"me"}`)
	d.refusal("3", api.UnknownVerb, `no command "dance"`)
	d.send("cam", "record", `{"id":"4","reply":"me"}`)
	d.refusal("4", api.BadRequest, "start, stop or around")
	d.send("cam", "clear", `{"reply":"me"}`)
	d.refusal("", api.BadRequest, `no "id"`)
	events := d.rejected()
	if len(events) != 5 || events[0].Details["code"] != api.BadRequest || events[0].Details["id"] != "1" || events[2].Details["verb"] != "dance" {
		t.Errorf("events %+v", events)
	}
	d.send("attic", "clear", `{"id":"5","reply":"me"}`)
	d.refusal("5", api.UnknownCamera, `no camera "attic"`)
	d.send("cam", "clear", `{`)
	d.c.commands.receive(Message{Topic: "segedge/box/cam/cmd/clear", Payload: []byte(`{"id":"6","reply":"me"}`), Retained: true, Done: func() {}})
	d.refusal("6", api.BadRequest, "must not be retained")
	if n := len(d.rejected()); n != 2 {
		t.Errorf("%d events about the command for no camera, the broken one and the retained one, want 2", n)
	}
	if n := len(a.commands()); n != 0 {
		t.Errorf("%d refused commands were done", n)
	}
	if s := d.c.Stats(); s.Commands != 8 || s.Refused != 8 {
		t.Errorf("%+v", s)
	}
}

func TestIDUsedTwiceForDifferentCommands(t *testing.T) {
	a := &agent{}
	d := newDesk(t, a, t.TempDir())
	d.send("cam", "clear", `{"id":"1","reply":"me"}`)
	d.reply()
	d.send("cam", "pause", `{"id":"1","reply":"me"}`)
	d.refusal("1", api.BadRequest, "used for another command")
	if len(a.commands()) != 1 {
		t.Error("the second command was done")
	}
}

func TestServicesRefusalIsPassedOnAndRemembered(t *testing.T) {
	a := &agent{do: func(_ context.Context, c api.Command) api.Reply {
		return api.Refuse(c.ID, api.UnknownObject, "there is no cam-9")
	}}
	d := newDesk(t, a, t.TempDir())
	for range 2 {
		d.send("cam", "remove", `{"id":"1","reply":"me","object":"cam-9"}`)
		d.refusal("1", api.UnknownObject, "no cam-9")
	}
	if len(a.commands()) != 1 || len(d.rejected()) != 1 {
		t.Error("a repeated command was done again, or was news again")
	}
}

func TestCommandsOfACameraKeepTheirOrder(t *testing.T) {
	a := &agent{}
	d := newDesk(t, a, t.TempDir())
	for i := range 40 {
		d.send("cam", "rename", fmt.Sprintf(`{"id":"%d","reply":"me","object":"cam-1","name":"%d"}`, i, i))
	}
	for i := range 40 {
		if _, r := d.reply(); r.ID != fmt.Sprint(i) {
			t.Fatalf("reply %s where %d belongs", r.ID, i)
		}
	}
}

// TestNoRoomNoAcknowledgement: what finds the queue full stays with the broker until there is room, and then it is done.
func TestNoRoomNoAcknowledgement(t *testing.T) {
	hold := make(chan struct{})
	a := &agent{do: func(_ context.Context, c api.Command) api.Reply { <-hold; return api.Done(c.ID, nil) }}
	d := newDesk(t, a, t.TempDir())
	const n = 3 * maxPerCamera
	for i := range n {
		d.send("cam", "clear", fmt.Sprintf(`{"id":"%d","reply":"me"}`, i))
	}
	until(t, "the queue is full", func() bool { return len(d.acks) >= maxPerCamera })
	if got := len(d.acks); got > maxPerCamera+1 || d.c.commands.replies.len() != 0 {
		t.Errorf("%d commands were acknowledged, %d answered, before any was done", got, d.c.commands.replies.len())
	}
	close(hold)
	for i := range n {
		if _, r := d.reply(); !r.OK || r.ID != fmt.Sprint(i) {
			t.Fatalf("%+v where the answer to %d belongs", r, i)
		}
	}
	until(t, "all are acknowledged", func() bool { return len(d.acks) == n })
}

func TestNonsenseIsAnsweredWhileACameraIsFull(t *testing.T) {
	hold := make(chan struct{})
	a := &agent{do: func(_ context.Context, c api.Command) api.Reply { <-hold; return api.Done(c.ID, nil) }}
	d := newDesk(t, a, t.TempDir())
	defer close(hold)
	for i := range 2 * maxPerCamera {
		d.send("cam", "clear", fmt.Sprintf(`{"id":"%d","reply":"me"}`, i))
	}
	d.send("attic", "clear", `{"id":"x","reply":"you"}`)
	d.refusal("x", api.UnknownCamera, "attic")
}

func TestFullInboxIsAnswered(t *testing.T) {
	d := &desk{t: t, c: offline(t, &agent{}, t.TempDir()), acks: make(chan string, 2*maxInbox)} // nobody takes commands
	for i := range maxInbox + 3 {
		d.send("cam", "clear", fmt.Sprintf(`{"id":"%d","reply":"me"}`, i))
	}
	for i := range 3 {
		d.refusal(fmt.Sprint(maxInbox+i), api.Overloaded, "too many commands")
	}
	if len(d.acks) != 3 || len(d.rejected()) != 3 {
		t.Error("what is refused is acknowledged and told")
	}
	big := strings.Repeat(" ", api.MaxBody-100)
	d = &desk{t: t, c: offline(t, &agent{}, t.TempDir()), acks: make(chan string, 64)}
	most := maxInboxBytes/(len(big)+len(`{"id":"100","reply":"me"}`)) - 1
	for i := range most + 10 {
		d.send("cam", "clear", fmt.Sprintf(`{"id":"%d","reply":"me"}%s`, i, big))
	}
	if len(d.acks) < 5 || d.c.commands.bytes > maxInboxBytes {
		t.Errorf("%d refused, %d bytes kept", len(d.acks), d.c.commands.bytes)
	}
}

func TestStoppingAgentLeavesNoCommandUnanswered(t *testing.T) {
	begun := make(chan struct{}, 8)
	a := &agent{do: func(ctx context.Context, c api.Command) api.Reply {
		begun <- struct{}{}
		<-ctx.Done()
		return api.Refuse(c.ID, api.Timeout, "stopped")
	}}
	d := newDesk(t, a, t.TempDir())
	d.send("cam", "clear", `{"id":"1","reply":"me"}`)
	d.send("cam", "clear", `{"id":"2","reply":"me"}`)
	<-begun
	<-d.acks
	<-d.acks
	d.stop()
	d.refusal("1", api.Timeout, "stopped")
	d.refusal("2", api.NotReady, "stopping")
}

func TestSnapshot(t *testing.T) {
	a := &agent{}
	d := newDesk(t, a, t.TempDir())
	d.send("cam", "snapshot", `{"id":"1","reply":"me"}`)
	var got answer
	until(t, "the picture", func() bool {
		list, lost := d.c.commands.replies.first(1)
		if len(list) > 0 {
			got = list[0]
			d.c.commands.replies.sent(1, lost)
		}
		return len(list) > 0
	})
	if got.topic != "segedge/box/cam/snapshot" || string(got.payload) != "jpeg of cam" || got.qos != 0 {
		t.Errorf("got %+v", got)
	}
	if _, r := d.reply(); !r.OK || fmt.Sprint(r.Result) != "map[bytes:11 topic:segedge/box/cam/snapshot]" {
		t.Errorf("got %+v", r)
	}
}

type snapshots struct{}

func (snapshots) Snapshot(_ context.Context, camera string, _ api.Shot) ([]byte, error) {
	return []byte("jpeg of " + camera), nil
}

func TestRejectionsAreToldAtAPace(t *testing.T) {
	var r rejections
	now, told := testTime, 0
	say := func(n int) (others uint64) {
		for range n {
			if _, o, ok := r.note(rejection{}, now); ok {
				told++
				others += o
			}
		}
		return others
	}
	if say(100); told != rejectionBurst {
		t.Errorf("%d of 100 were told", told)
	}
	if _, _, ok := r.due(now); ok {
		t.Error("told before its time")
	}
	now = now.Add(rejectionPause)
	if _, others, ok := r.due(now); !ok || others != 100-rejectionBurst-1 {
		t.Errorf("%t: %d others", ok, others)
	}
	if say(1); told != rejectionBurst {
		t.Error("one more at once")
	}
	now = now.Add(rejectionPause)
	if others := say(1); others != 1 || told != rejectionBurst+1 {
		t.Errorf("%d others, %d told", others, told)
	}
	if _, _, ok := r.due(now.Add(time.Hour)); ok {
		t.Error("told what nobody has to hear")
	}
	now = now.Add(-time.Hour)
	say(5)
	if now = now.Add(time.Hour); say(100) == 0 {
		t.Error("a clock that was set back silences for good")
	}
}
