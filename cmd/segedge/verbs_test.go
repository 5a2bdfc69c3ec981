package main

import (
	"bytes"
	"context"
	"encoding/json"
	"image"
	"image/jpeg"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/api/dispatch"
	"github.com/segedge/segedge/mqtt"
	"github.com/segedge/segedge/mqtt/broker"
	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/testkit"
	"github.com/segedge/segedge/web"
)

// obedient is an agent that does everything, and says what.
type obedient struct {
	mu   sync.Mutex
	done []api.Command
	shot api.Shot // that was asked for last
}

func (o *obedient) Do(_ context.Context, _ string, cmd api.Command) api.Reply {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.done = append(o.done, cmd)
	if b, ok := cmd.Body.(*api.Remove); ok && b.Object == "camera-9" {
		return api.Refuse(cmd.ID, api.UnknownObject, "there is no camera-9")
	}
	return api.Done(cmd.ID, map[string]string{"did": cmd.Verb})
}
func (o *obedient) Info() api.Info {
	return api.Info{Agent: "box", Started: time.Unix(1, 0), Cameras: o.Cameras()}
}
func (o *obedient) Cameras() []string { return []string{"camera"} }
func (o *obedient) State(c string) (api.State, bool) {
	return api.State{Schema: 1, Camera: c, State: api.Running}, c == "camera"
}
func (o *obedient) Objects(c string) (api.Objects, bool) {
	return api.Objects{Schema: 1, Camera: c}, c == "camera"
}

func (o *obedient) last() api.Command {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.done[len(o.done)-1]
}

func (o *obedient) Snapshot(_ context.Context, _ string, shot api.Shot) ([]byte, error) {
	o.mu.Lock()
	o.shot = shot
	o.mu.Unlock()
	var out bytes.Buffer
	err := jpeg.Encode(&out, image.NewGray(image.Rect(0, 0, 32, 16)), nil)
	return out.Bytes(), err
}

// newObedient is an agent behind a page and a broker, and the flags that lead to it by each.
func newObedient(t *testing.T) (o *obedient, ways map[string][]string, m *mqtt.Client) {
	t.Helper()
	o = &obedient{}
	d := dispatch.New(dispatch.Options{Service: o, Snapshot: o})
	door, err := web.New(web.Options{Service: o, Commands: d, Token: "0123456789abcdef"})
	if err != nil {
		t.Fatal(err)
	}
	page := httptest.NewServer(door)
	t.Cleanup(page.Close)
	b, err := broker.Listen(broker.Options{Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	m, err = mqtt.New(mqtt.Options{Connection: mqtt.Connection{Broker: b.URL()}, Agent: "box", Service: o, Commands: d})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var parts sync.WaitGroup
	parts.Go(func() { _ = b.Run(ctx) })
	parts.Go(func() { _ = m.Run(ctx) })
	t.Cleanup(func() { cancel(); parts.Wait() })
	return o, map[string][]string{
		"HTTP": {"--url", page.URL, "--token", "0123456789abcdef"},
		"MQTT": {"--broker", b.URL(), "--agent", "box"},
	}, m
}

func TestEveryVerbByEachWay(t *testing.T) {
	agent, ways, _ := newObedient(t)
	for way, flags := range ways {
		for _, c := range []struct {
			line string
			verb string
			says func(body any) bool
		}{
			{"prompt point:0.5,0.5 --name cup", "prompt", func(b any) bool { p := b.(*api.Prompt); return p.Name == "cup" && len(p.Points) == 1 }},
			{"prompt point:0.5,0.5,0 --object camera-1", "prompt", func(b any) bool { return b.(*api.Prompt).Object == "camera-1" }},
			{"prompt box:0,0,0.5,1", "prompt", func(b any) bool { return b.(*api.Prompt).Box[2] == 0.5 }},
			{"choose camera-1 2", "choose", func(b any) bool { return *b.(*api.Choose) == api.Choose{Object: "camera-1", Candidate: 2} }},
			{"rename camera-1 Tür", "rename", func(b any) bool { return b.(*api.Rename).Name == "Tür" }},
			{"remove camera-1", "remove", func(b any) bool { return b.(*api.Remove).Object == "camera-1" }},
			{"remove camera-1 camera-2", "remove", func(b any) bool { return len(b.(*api.Remove).Objects) == 2 }},
			{"undo", "undo", func(b any) bool { return len(b.(*api.Undo).All()) == 0 }},
			{"undo camera-1", "undo", func(b any) bool { return b.(*api.Undo).Object == "camera-1" }}, {"confirm camera-1", "confirm", nil}, {"reject camera-1", "reject", nil},
			{"clear", "clear", nil}, {"pause", "pause", nil}, {"resume", "resume", nil}, {"keyframe", "keyframe", nil},
			{"automask --max 3 --min-area 0.1", "automask", func(b any) bool { return *b.(*api.Automask) == api.Automask{Max: 3, MinArea: 0.1} }},
			{"zone door 0,0 1,0 1,1", "zone", func(b any) bool { z := b.(*api.Zone); return z.Name == "door" && len(z.Points) == 3 }},
			{"zone door", "zone", func(b any) bool { return len(b.(*api.Zone).Points) == 0 }},
			{"line gate 0,0.5 1,0.5", "line", func(b any) bool { return len(b.(*api.Line).Points) == 2 }},
			{"record around --seconds 5 --event zone.left", "record", func(b any) bool {
				return *b.(*api.Record) == api.Record{Action: api.RecordAround, Seconds: 5, Event: seg.ZoneLeft}
			}},
			{"model tiny", "model", func(b any) bool { return b.(*api.Model).Name == "tiny" }},
		} {
			code, stdout, stderr := command(t, append(strings.Fields(c.line), flags...)...)
			if code != 0 || !strings.Contains(stdout, `"did":"`+c.verb+`"`) {
				t.Fatalf("%s over %s: %d %s%s", c.line, way, code, stdout, stderr)
			}
			if got := agent.last(); got.Verb != c.verb || c.says != nil && !c.says(got.Body) {
				t.Errorf("%s over %s: %+v", c.line, way, got)
			}
		}
		code, stdout, _ := command(t, append([]string{"remove", "camera-9"}, flags...)...)
		if code != 1 || !strings.Contains(stdout, "unknown_object") {
			t.Errorf("refused over %s: %d %s", way, code, stdout)
		}
		for _, what := range []string{"state", "objects"} {
			code, stdout, stderr := command(t, append([]string{what}, flags...)...)
			if code != 0 || !strings.Contains(stdout, `"camera":"camera"`) || !json.Valid([]byte(stdout)) {
				t.Errorf("%s over %s: %d %s%s", what, way, code, stdout, stderr)
			}
		}
		file := filepath.Join(t.TempDir(), "s.jpg")
		if code, stdout, stderr := command(t, append([]string{"snapshot", file, "--clean", "--width", "32"}, flags...)...); code != 0 {
			t.Errorf("snapshot over %s: %d %s%s", way, code, stdout, stderr)
		}
		data, _ := os.ReadFile(file)
		if c, err := jpeg.DecodeConfig(bytes.NewReader(data)); err != nil || c.Width != 32 {
			t.Errorf("snapshot over %s: %v, %d bytes", way, err, len(data))
		}
		if agent.shot.Painted() || agent.shot.Width != 32 {
			t.Errorf("snapshot over %s asked for %+v", way, agent.shot)
		}
	}
}

func TestVerbsThatCannotBe(t *testing.T) {
	_, ways, _ := newObedient(t)
	for line, says := range map[string]string{
		"prompt point:2,0":                   "point:2,0",
		"zone door 0,0 1":                    `point "1"`,
		"state --camera attic --timeout 1s":  "attic",
		"snapshot s.jpg --camera attic":      "attic",
		"clear --url http://127.0.0.1:1":     "cannot be reached",
		"objects --camera a/b --timeout 1s ": "a/b",
	} {
		for way, flags := range ways {
			if strings.Contains(line, "--url") && way == "MQTT" {
				continue
			}
			words := strings.Fields(line)
			args := append([]string{words[0]}, flags...)
			code, stdout, stderr := command(t, append(args, words[1:]...)...)
			if code == 0 || !strings.Contains(stdout+stderr, says) {
				t.Errorf("%s over %s: %d %s%s", line, way, code, stdout, stderr)
			}
		}
	}
}

func TestWatch(t *testing.T) {
	_, ways, m := newObedient(t)
	for line, says := range map[string]string{
		"watch events --type object.news": `no event type "object.news"; there are object.new`,
		"watch weather":                   `no "weather" to watch`,
		"watch state --type zone":         "for events",
		"watch --camera a/b":              "no camera's name",
		"watch --table --json":            "leave one of them out",
	} {
		if code, _, stderr := command(t, append(strings.Fields(line), ways["MQTT"]...)...); code == 0 || !strings.Contains(stderr, says) {
			t.Errorf("%s: %d %s", line, code, stderr)
		}
	}
	var out, errs testkit.Buffer
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan int, 1)
	args := append([]string{"watch", "--camera", "camera", "--type", "object", "--name", "cup"}, ways["MQTT"]...)
	go func() { ended <- execute(ctx, args, &out, &errs) }()
	cup, dog := seg.Object{ID: 1, Name: "cup"}, seg.Object{ID: 2, Name: "dog"}
	deadline := time.Now().Add(20 * time.Second)
	for !strings.Contains(out.String(), `"name":"cup"`) { // until the watch has begun
		if time.Now().After(deadline) {
			t.Fatalf("nothing is heard: %s", errs.String())
		}
		for _, e := range []seg.Event{
			{Camera: "attic", Type: seg.ObjectNew, After: &cup}, {Camera: "camera", Type: seg.ObjectNew, After: &dog},
			{Camera: "camera", Type: seg.ZoneEntered, After: &cup}, {Camera: "camera", Type: seg.ObjectNew, After: &cup},
		} {
			e.Time = time.Now()
			m.Publish(e)
		}
		time.Sleep(50 * time.Millisecond)
	}
	cancel()
	if code := <-ended; code != 0 {
		t.Errorf("%d %s", code, errs.String())
	}
	for line := range strings.Lines(out.String()) {
		if !strings.Contains(line, `"type":"object.new"`) || !strings.Contains(line, `"camera":"camera"`) || strings.Contains(line, "dog") {
			t.Errorf("printed %s", line)
		}
	}
}

// TestWatchOutlivesTheBroker: it says what it waits for, and goes on.
func TestWatchOutlivesTheBroker(t *testing.T) {
	b, err := broker.Listen(broker.Options{Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	address, url := b.Addr(), b.URL()
	serve := func(b *broker.Broker) func() {
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan struct{})
		go func() { _ = b.Run(ctx); close(ended) }()
		return func() { cancel(); <-ended }
	}
	stop := serve(b)
	var out, errs testkit.Buffer
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan int, 1)
	go func() {
		ended <- execute(ctx, []string{"watch", "status", "--broker", url, "--agent", "box"}, &out, &errs)
	}()
	online := func(want int) {
		t.Helper()
		deadline := time.Now().Add(30 * time.Second)
		for strings.Count(out.String(), "online") < want {
			if time.Now().After(deadline) {
				t.Fatalf("not heard %d times: %s%s", want, out.String(), errs.String())
			}
			l, err := mqtt.Dial(t.Context(), mqtt.Connection{Broker: url, ClientID: "agent"}, nil, false, func(m mqtt.Message) { m.Done() })
			if err == nil {
				_ = l.Publish(t.Context(), "segedge/box/status", 1, false, []byte("online"))
				l.Close(100 * time.Millisecond)
			}
			time.Sleep(50 * time.Millisecond)
		}
	}
	online(1)
	stop()
	if b, err = broker.Listen(broker.Options{Listen: address}); err != nil {
		t.Fatal(err)
	}
	defer serve(b)()
	online(strings.Count(out.String(), "online") + 1)
	cancel()
	if code := <-ended; code != 0 || !strings.Contains(errs.String(), "trying again") {
		t.Errorf("%d %s", code, errs.String())
	}
}
