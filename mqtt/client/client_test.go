package client

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/mqtt"
	"github.com/segedge/segedge/seg"
)

// newBroker is a broker on a free port.
func newBroker(t *testing.T) (url string, stop func()) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := mochi.New(&mochi.Options{Logger: slog.New(slog.DiscardHandler)})
	if err := errors.Join(s.AddHook(new(anyone), nil), s.AddListener(listeners.NewNet("t", l)), s.Serve()); err != nil {
		t.Fatal(err)
	}
	stop = sync.OnceFunc(func() { _ = s.Close() })
	t.Cleanup(stop)
	return "tcp://" + l.Addr().String(), stop
}

// anyone lets every client in.
type anyone struct{ mochi.HookBase }

func (*anyone) Provides(b byte) bool {
	return b == mochi.OnConnectAuthenticate || b == mochi.OnACLCheck
}
func (*anyone) OnConnectAuthenticate(*mochi.Client, packets.Packet) bool { return true }
func (*anyone) OnACLCheck(*mochi.Client, string, bool) bool              { return true }

type service struct{}

func (service) Do(_ context.Context, _ string, cmd api.Command) api.Reply {
	if cmd.Verb == "remove" {
		return api.Refuse(cmd.ID, api.UnknownObject, "there is no such object")
	}
	return api.Done(cmd.ID, cmd.Body)
}
func (service) Info() api.Info    { return api.Info{Agent: "box"} }
func (service) Cameras() []string { return []string{"cam"} }
func (service) State(c string) (api.State, bool) {
	return api.State{Camera: c, State: api.Running}, true
}
func (service) Objects(c string) (api.Objects, bool) { return api.Objects{Camera: c}, true }

// newAgent is an agent on the broker.
func newAgent(t *testing.T, url string) *mqtt.Client {
	t.Helper()
	a, err := mqtt.New(mqtt.Options{Connection: mqtt.Connection{Broker: url}, Agent: "box", Service: service{}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-ended })
	return a
}

func dial(t *testing.T, url string) (*Client, context.Context) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	t.Cleanup(cancel)
	c, err := Dial(ctx, Options{Connection: mqtt.Connection{Broker: url}, Agent: "box"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c, ctx
}

// online waits until the agent is there.
func online(ctx context.Context, t *testing.T, c *Client) {
	t.Helper()
	done := errors.New("online")
	err := c.Watch(ctx, "", []string{"status"}, func(m Message) error {
		if string(m.Payload) == mqtt.StatusOnline {
			return done
		}
		return nil
	})
	if !errors.Is(err, done) {
		t.Fatal(err)
	}
}

func TestCommandAndReply(t *testing.T) {
	url, _ := newBroker(t)
	newAgent(t, url)
	c, ctx := dial(t, url)
	online(ctx, t, c)
	r, err := c.Do(ctx, "cam", "prompt", api.Prompt{Name: "cup", Points: []seg.Click{{Point: seg.Point{X: 0.5, Y: 0.25}, Label: 1}}})
	if err != nil || !r.OK || !strings.Contains(string(r.Result), `"x":0.5,"y":0.25`) {
		t.Errorf("%v: %+v", err, r)
	}
	r, err = c.Do(ctx, "cam", "remove", api.Target{Object: "cam-1"})
	if err != nil || r.OK || r.Error.Code != api.UnknownObject {
		t.Errorf("%v: %+v", err, r)
	}
	if r, err = c.Do(ctx, "cam", "clear", nil); err != nil || !r.OK {
		t.Errorf("%v: %+v", err, r)
	}
	if _, err := c.Do(ctx, "cam", "clear", []int{1}); err == nil || !strings.Contains(err.Error(), "not a JSON object") {
		t.Errorf("got %v", err)
	}
	if len(c.waiting) != 0 {
		t.Errorf("%d replies are waited for", len(c.waiting))
	}
}

func TestNobodyAnswers(t *testing.T) {
	url, _ := newBroker(t)
	c, _ := dial(t, url)
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if _, err := c.Do(ctx, "cam", "clear", nil); err == nil || !strings.Contains(err.Error(), "at the broker "+url+": is the agent running") {
		t.Errorf("got %v", err)
	}
}

func TestWatch(t *testing.T) {
	url, _ := newBroker(t)
	a := newAgent(t, url)
	c, ctx := dial(t, url)
	online(ctx, t, c)
	enough := errors.New("enough")
	published := false
	seen := map[string]string{}
	err := c.Watch(ctx, "cam", nil, func(m Message) error {
		if !published {
			a.Publish(seg.Event{Camera: "cam", Type: seg.CameraStalled, Time: time.Now()})
			published = true
		}
		seen[m.Kind] = m.Camera
		if len(seen) >= 5 && seen["events"] == "cam" {
			return enough
		}
		return nil
	})
	if !errors.Is(err, enough) || seen["state"] != "cam" || seen["objects"] != "cam" || seen["info"] != "" {
		t.Errorf("%v: %v", err, seen)
	}
}

func TestWatchThatCannotKeepUp(t *testing.T) {
	url, _ := newBroker(t)
	ctx := t.Context()
	c, err := Dial(ctx, Options{Connection: mqtt.Connection{Broker: url}, Agent: "box", Buffer: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	sender, _ := dial(t, url)
	first := true
	ready := make(chan struct{})
	go func() {
		<-ready
		for range 50 {
			_ = sender.link.Publish(ctx, "segedge/box/cam/events", 1, false, []byte("{}"))
		}
	}()
	if err := sender.link.Publish(ctx, "segedge/box/cam/events", 1, true, []byte("{}")); err != nil {
		t.Fatal(err)
	}
	err = c.Watch(ctx, "cam", []string{"events"}, func(Message) error {
		if first {
			first = false
			close(ready)
			for missed := uint64(0); missed == 0; time.Sleep(time.Millisecond) {
				c.mu.Lock()
				missed = c.missed
				c.mu.Unlock()
			}
		}
		return nil
	})
	if !errors.Is(err, ErrTooSlow) {
		t.Errorf("got %v", err)
	}
}

func TestOneWatchAtATime(t *testing.T) {
	url, _ := newBroker(t)
	newAgent(t, url)
	c, ctx := dial(t, url)
	enough := errors.New("enough")
	err := c.Watch(ctx, "", nil, func(Message) error {
		if err := c.Watch(ctx, "", nil, nil); err == nil || !strings.Contains(err.Error(), "watching already") {
			t.Errorf("got %v", err)
		}
		return enough
	})
	if !errors.Is(err, enough) {
		t.Errorf("got %v", err)
	}
}

func TestBrokerGoesAway(t *testing.T) {
	url, stop := newBroker(t)
	c, ctx := dial(t, url)
	if err := c.link.Publish(ctx, "segedge/box/status", 1, true, []byte("online")); err != nil {
		t.Fatal(err)
	}
	if err := c.Watch(ctx, "", nil, func(Message) error { go stop(); return nil }); !errors.Is(err, mqtt.ErrLinkLost) {
		t.Errorf("got %v", err)
	}
}

func TestDialFailsInWords(t *testing.T) {
	for want, o := range map[string]Options{
		"cannot be part of a topic":                   {Agent: "a/b"},
		"connect to the broker tcp://127.0.0.1:1":     {Agent: "box", Connection: mqtt.Connection{Broker: "tcp://user:secret@127.0.0.1:1"}},
		"has no scheme that is understood: write tcp": {Agent: "box", Connection: mqtt.Connection{Broker: "nowhere"}},
	} {
		if _, err := Dial(t.Context(), o); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}
