package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"github.com/segedge/segedge/api/schematest"
)

// ear hears everything that an agent says, by way of another MQTT client than the agent's own, and forgets nothing.
type ear struct {
	t  testing.TB
	c  paho.Client
	mu sync.Mutex
	// heard is everything so far; more is closed and replaced at each message.
	heard []paho.Message
	more  chan struct{}
}

func listen(t testing.TB, broker string) *ear {
	t.Helper()
	e := &ear{t: t, more: make(chan struct{})}
	e.c = paho.NewClient(paho.NewClientOptions().AddBroker(broker).SetClientID(fmt.Sprintf("ear-%d", time.Now().UnixNano())))
	e.done(e.c.Connect())
	schema, err := os.ReadFile(filepath.Join(root(t), "docs", "schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	valid, err := schematest.New(schema)
	if err != nil {
		t.Fatal(err)
	}
	e.done(e.c.Subscribe("segedge/box/#", 1, func(_ paho.Client, m paho.Message) {
		if wrong := valid.Message(m.Topic(), m.Payload()); wrong != "" {
			t.Errorf("%s breaks the schema: %s: %s", m.Topic(), wrong, m.Payload())
		}
		e.mu.Lock()
		defer e.mu.Unlock()
		e.heard = append(e.heard, m)
		close(e.more)
		e.more = make(chan struct{})
	}))
	t.Cleanup(func() { e.c.Disconnect(100) })
	return e
}

func (e *ear) done(tok paho.Token) {
	e.t.Helper()
	if !tok.WaitTimeout(patience) || tok.Error() != nil {
		e.t.Fatalf("mqtt: %v", tok.Error())
	}
}

// hear waits for a message on a topic that the function likes, and takes one that has come already.
func (e *ear) hear(topic string, like func(payload string) bool) string {
	e.t.Helper()
	deadline := time.After(patience)
	for at := 0; ; {
		e.mu.Lock()
		fresh, more := e.heard[at:], e.more
		at = len(e.heard)
		e.mu.Unlock()
		for _, m := range fresh {
			if m.Topic() == "segedge/box/"+topic && like(string(m.Payload())) {
				return string(m.Payload())
			}
		}
		select {
		case <-more:
		case <-deadline:
			e.t.Fatalf("nothing of the kind was said on %s", topic)
		}
	}
}

func (e *ear) send(verb, body string) {
	e.t.Helper()
	e.done(e.c.Publish("segedge/box/camera/cmd/"+verb, 1, false, body))
}

// ask sends a command and waits for its reply.
func (e *ear) ask(verb, id, body string) string {
	e.t.Helper()
	e.send(verb, strings.Replace(body, "{", `{"id":"`+id+`","reply":"ear",`, 1))
	return e.hear("camera/reply/ear", func(s string) bool { return strings.Contains(s, `"id":"`+id+`"`) })
}

func has(parts ...string) func(string) bool {
	return func(s string) bool {
		for _, p := range parts {
			if !strings.Contains(s, p) {
				return false
			}
		}
		return true
	}
}

// quiet starts the agent with nothing followed.
func quiet(t testing.TB, broker string, more ...string) *running {
	t.Helper()
	return start(t, append([]string{
		"--set", "cameras.0.width=640", "--set", "cameras.0.height=360", "--set", "mqtt.broker=" + broker, "--prompt", "point:0.5,0.99",
	}, more...)...)
}

func TestCommandsInAndEventsOut(t *testing.T) {
	broker := mosquitto(t)
	e := listen(t, broker)
	r := quiet(t, broker, "--set", "events.update_interval=100ms")
	e.hear("status", func(s string) bool { return s == "online" })
	r.await("frames", func(s state) bool { return s.Processed > 3 })
	e.send("clear", `{"id":"c1"}`)

	reply := e.ask("prompt", "p1", `{"points":[{"x":0.4,"y":0.5,"label":1}],"name":"ball"}`)
	var answer struct {
		OK     bool
		Result struct {
			Object   string
			Document struct {
				Area float64
				Mask struct{ Size [2]int }
			}
		}
		Error *struct{ Message string }
	}
	if err := json.Unmarshal([]byte(reply), &answer); err != nil || !answer.OK {
		t.Fatalf("%v: %s", err, reply)
	}
	id := answer.Result.Object
	if answer.Result.Document.Area <= 0 || answer.Result.Document.Mask.Size != [2]int{360, 640} {
		t.Errorf("the reply's document: %s", reply)
	}
	created := e.hear("camera/events", has(`"object.new"`, `"`+id+`"`))
	var event struct {
		Schema  int
		EventID string `json:"event_id"`
		Seq     uint64
		After   struct {
			Name string
			Mask struct{ Counts string }
		}
	}
	if err := json.Unmarshal([]byte(created), &event); err != nil || event.Schema != 1 || event.EventID == "" || event.Seq == 0 || event.After.Mask.Counts == "" {
		t.Errorf("%v in %s", err, created)
	}
	e.hear("camera/events", has(`"object.updated"`, `"`+id+`"`))
	e.hear("camera/objects", has(`"`+id+`"`, `"as_of_seq"`))
	if reply := e.ask("rename", "r1", `{"object":"`+id+`","name":"beach ball"}`); !strings.Contains(reply, "beach ball") {
		t.Error(reply)
	}
	if reply := e.ask("remove", "d1", `{"object":"`+id+`"}`); !strings.Contains(reply, `"ok":true`) {
		t.Error(reply)
	}
	e.hear("camera/events", has(`"object.ended"`, `"`+id+`"`))
	r.stop()
	e.hear("status", func(s string) bool { return s == "stopped" })
}

func TestBadCommandsAreAnswered(t *testing.T) {
	broker := mosquitto(t)
	e := listen(t, broker)
	r := quiet(t, broker)
	r.await("frames", func(s state) bool { return s.Processed > 3 })
	for i, c := range []struct{ verb, body, code string }{
		{"prompt", `{"points":[{"x":1.5,"y":0.5,"label":1}]}`, "bad_request"},
		{"prompt", `{"pionts":[]}`, "bad_json"},
		{"prompt", `{"points":[{"x":"a","y":0.5,"label":1}]}`, "bad_json"},
		{"prompt", `{"text":"a dog"}`, "nothing_found"},
		{"prompt", `{"text":"whatchamacallit"}`, "bad_request"},
		{"remove", `{"object":"camera-999"}`, "unknown_object"},
		{"dance", `{"n":1}`, "unknown_verb"},
	} {
		reply := e.ask(c.verb, fmt.Sprintf("bad%d", i), c.body)
		if !strings.Contains(reply, `"ok":false`) || !strings.Contains(reply, `"`+c.code+`"`) {
			t.Errorf("%s %s: %s", c.verb, c.body, reply)
		}
	}
	e.send("prompt", "this is no JSON")
	e.hear("camera/events", has(`"command.rejected"`))
	if s := r.await("frames", func(s state) bool { return s.Processed > 10 }); s.State != "running" {
		t.Errorf("%+v", s)
	}
}

func TestLastWillTellsOfAKilledAgent(t *testing.T) {
	broker := mosquitto(t)
	e := listen(t, broker)
	r := quiet(t, broker)
	e.hear("status", func(s string) bool { return s == "online" })
	r.kill()
	e.hear("status", func(s string) bool { return s == "offline" })
}
