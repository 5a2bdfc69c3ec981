package mqtt

import (
	"context"
	"fmt"
	"image"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/seg"
)

// agent is a service with one camera, "cam", that does what a test tells it to.
type agent struct {
	mu      sync.Mutex
	objects []seg.Object
	frame   uint64
	done    []api.Command
	do      func(context.Context, api.Command) api.Reply
}

func (a *agent) Do(ctx context.Context, _ string, cmd api.Command) api.Reply {
	a.mu.Lock()
	a.done = append(a.done, cmd)
	do := a.do
	a.mu.Unlock()
	if do != nil {
		return do(ctx, cmd)
	}
	return api.Done(cmd.ID, map[string]string{"did": cmd.Verb})
}

func (a *agent) Info() api.Info {
	return api.Info{Schema: 1, Agent: "box", Version: "1.0", Started: testTime, Cameras: a.Cameras(), Model: "tiny", Family: "segedge", Provider: "CPU", Why: "no GPU was found"}
}

func (a *agent) Cameras() []string { return []string{"cam"} }

func (a *agent) State(camera string) (api.State, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return api.State{Schema: 1, Camera: camera, State: api.Running, Width: 64, Height: 32, FPS: 30, Frame: a.frame, Objects: len(a.objects),
		Stages: map[string]api.Latency{}}, camera == "cam"
}

func (a *agent) Objects(camera string) (api.Objects, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return api.Objects{Camera: camera, Frame: seg.FrameRef{Seq: a.frame, Captured: testTime}, Objects: append([]seg.Object(nil), a.objects...)}, camera == "cam"
}

func (a *agent) set(objects ...seg.Object) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.objects = objects
	a.frame++
}

func (a *agent) commands() []api.Command {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]api.Command(nil), a.done...)
}

var testTime = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func cup(id seg.ID) seg.Object {
	m := seg.NewMask(16, 8, image.Rect(4, 2, 8, 6))
	for i := range m.Bits {
		m.Bits[i] = 1
	}
	return seg.Object{ID: id, Name: "cup", State: seg.Tracking, Mask: m, PredictedIoU: 0.9, Stability: 0.8, MaskAge: 2, Keyframe: 10, Age: 5, Prompt: "point"}
}

// happened is the n-th event of a test.
func happened(n int) seg.Event {
	o := cup(1)
	return seg.Event{
		Camera: "cam", Type: seg.ObjectNew, Time: testTime.Add(time.Duration(n) * time.Millisecond), Frame: seg.FrameRef{Seq: uint64(n), Captured: testTime},
		After: &o, Details: map[string]any{"n": n},
	}
}

func testOptions(t testing.TB, url string, a *agent) Options {
	return Options{
		Connection: Connection{Broker: url, Logger: testLog(t)}, Agent: "box", Service: a, StateDir: t.TempDir(),
		StateInterval: 50 * time.Millisecond, ObjectsInterval: 20 * time.Millisecond,
	}
}

// testLog writes to the test's log until the test is over.
func testLog(t testing.TB) *slog.Logger {
	w := &testWriter{t: t}
	t.Cleanup(w.stop)
	return slog.New(slog.NewTextHandler(w, nil))
}

type testWriter struct {
	mu sync.Mutex
	t  testing.TB
}

func (w *testWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.t != nil {
		w.t.Logf("%s", p[:len(p)-1])
	}
	return len(p), nil
}

func (w *testWriter) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.t = nil
}

// start runs a client until the test or the returned function ends it.
func start(t testing.TB, o Options) (*Client, func()) {
	t.Helper()
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- c.Run(ctx) }()
	stop := sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("run: %v", err)
			}
		case <-time.After(30 * time.Second):
			t.Error("the client did not stop")
		}
	})
	t.Cleanup(stop)
	return c, stop
}

// until waits for something that another goroutine brings about.
func until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain: %s", what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func text(format string, args ...any) []byte { return fmt.Appendf(nil, format, args...) }

// fakeBroker is a broker in this process that agrees to each connection and subscription. published says what is answered to a message, nil
// for nothing, and false where the connection ends instead.
func fakeBroker(t *testing.T, published func(*packets.PublishPacket) (packets.ControlPacket, bool)) (url string, connections *atomic.Int64) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	connections = &atomic.Int64{}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			connections.Add(1)
			wg.Go(func() { speak(t, conn, published) })
		}
	})
	t.Cleanup(func() { _ = l.Close(); wg.Wait() })
	return "tcp://" + l.Addr().String(), connections
}

// speak is one connection of a fakeBroker.
func speak(t *testing.T, conn net.Conn, published func(*packets.PublishPacket) (packets.ControlPacket, bool)) {
	defer func() { _ = conn.Close() }()
	for {
		p, err := packets.ReadPacket(conn)
		if err != nil {
			return
		}
		var reply packets.ControlPacket
		switch p := p.(type) {
		case *packets.ConnectPacket:
			reply = packets.NewControlPacket(packets.Connack)
		case *packets.SubscribePacket:
			ack := packets.NewControlPacket(packets.Suback).(*packets.SubackPacket)
			ack.MessageID, ack.ReturnCodes = p.MessageID, []byte{1}
			reply = ack
		case *packets.PublishPacket:
			if wrong := againstSchema(Message{Topic: p.TopicName, Payload: p.Payload}); wrong != "" {
				t.Errorf("%s breaks the schema: %s: %s", p.TopicName, wrong, p.Payload)
			}
			on := false
			if reply, on = published(p); !on {
				return
			}
		}
		if reply != nil && reply.Write(conn) != nil {
			return
		}
	}
}
