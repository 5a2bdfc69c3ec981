package mqtt

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/segedge/segedge/api"
)

// cameras is a service with other cameras.
type cameras struct {
	*agent
	names []string
}

func (c cameras) Cameras() []string { return c.names }

func (c cameras) State(camera string) (api.State, bool) {
	s, _ := c.agent.State("cam")
	return s, camera == c.names[0]
}

func (c cameras) Objects(camera string) (api.Objects, bool) {
	o, _ := c.agent.Objects("cam")
	return o, camera == c.names[0]
}

// now is what a broker holds: who subscribes gets it.
func now(t *testing.T, url string, filters ...string) map[string]string {
	t.Helper()
	ears := listen(t, url, "now-"+t.Name(), filters...)
	ears.send(t, "end/of/retained", "")
	until(t, "what is retained", func() bool { return len(ears.all("end/of/retained")) > 0 })
	out := map[string]string{}
	for _, m := range ears.all("") {
		if m.Retained && len(m.Payload) > 0 {
			out[m.Topic] = string(m.Payload)
		}
	}
	return out
}

// TestWhatIsNoLongerTrueIsTakenBack: over restarts, a camera that was renamed, an agent that was, an object that ended
// while nobody was connected, and discovery switched off.
func TestWhatIsNoLongerTrueIsTakenBack(t *testing.T) {
	m := startMosquitto(t, "")
	a := &agent{}
	a.set(cup(1))
	o := testOptions(t, m.url(), a)
	o.Discovery = "homeassistant"
	run := func(o Options) {
		t.Helper()
		c, stop := start(t, o)
		until(t, "connected", func() bool { return c.Ready() == nil })
		stop()
	}
	run(o)
	ears := listen(t, m.url(), "ears", "homeassistant/#", "segedge/#")
	a.set() // it ended while the agent was away
	run(o)
	until(t, "the object that ended meanwhile is taken back", func() bool {
		for _, m := range ears.all("/config") {
			for _, c := range told(t, m.Payload) {
				if len(c) == 1 && c["platform"] == "binary_sensor" {
					return true
				}
			}
		}
		return false
	})
	o.Service = cameras{a, []string{"door"}}
	run(o)
	if got := now(t, m.url(), "segedge/#", "homeassistant/#", "end/#"); got["segedge/box/door/state"] == "" ||
		got["segedge/box/cam/state"] != "" ||
		got["segedge/box/cam/objects"] != "" || got["segedge/box/cam/presence"] != "" || got["homeassistant/device/segedge_box/cam/config"] != "" ||
		got["homeassistant/device/segedge_box/door/config"] == "" {
		t.Errorf("after the camera was renamed: %v", got)
	}
	o.Discovery = ""
	run(o)
	if got := now(t, m.url(), "homeassistant/#", "end/#"); len(got) != 0 {
		t.Errorf("after discovery was switched off: %v", got)
	}
	o.Agent = "other"
	run(o)
	got := now(t, m.url(), "segedge/#", "end/#")
	for topic := range got {
		if strings.HasPrefix(topic, "segedge/box/") {
			t.Errorf("after the agent was renamed there is %s", topic)
		}
	}
	if got["segedge/other/status"] != StatusStopped {
		t.Errorf("%v", got)
	}
}

// changing is a service whose second camera goes and comes back.
type changing struct {
	*agent
	one atomic.Bool
}

func (c *changing) Cameras() []string {
	if c.one.Load() {
		return []string{"cam"}
	}
	return []string{"cam", "door"}
}

func (c *changing) State(string) (api.State, bool)     { return c.agent.State("cam") }
func (c *changing) Objects(string) (api.Objects, bool) { return c.agent.Objects("cam") }

// A camera that is taken out of a running agent leaves nothing with the broker, and one that comes back is told again.
func TestACameraThatGoesIsTakenBack(t *testing.T) {
	m := startMosquitto(t, "")
	s := &changing{agent: &agent{}}
	o := testOptions(t, m.url(), s.agent)
	o.Service, o.StateInterval = s, 10*time.Millisecond
	c, stop := start(t, o)
	defer stop()
	until(t, "connected", func() bool { return c.Ready() == nil })
	ears := listen(t, m.url(), "ears", c.Topics().Camera("door", "state"))
	held := func() bool {
		heard := ears.all("door/state")
		return len(heard) > 0 && len(heard[len(heard)-1].Payload) > 0
	}
	until(t, "the second camera is told", held)
	s.one.Store(true)
	until(t, "it is taken back", func() bool { return !held() })
	s.one.Store(false)
	until(t, "it is told again", held)
}

func TestAnnouncedIsOfOneBroker(t *testing.T) {
	path := filepath.Join(t.TempDir(), "announced.json")
	log := slog.New(slog.DiscardHandler)
	a := loadAnnounced(path, "one", log)
	a.topic("a/state")
	a.described("ha/config", map[string]string{"x": "sensor"})
	if again := loadAnnounced(path, "one", log); !again.Topics["a/state"] || again.Devices["ha/config"]["x"] != "sensor" || len(again.stale(nil)) != 2 {
		t.Errorf("%+v", again)
	}
	if other := loadAnnounced(path, "two", log); len(other.Topics) != 0 || len(other.Devices) != 0 {
		t.Errorf("another broker holds none of it: %+v", other)
	}
	if err := os.WriteFile(path, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	broken := loadAnnounced(path, "one", log)
	broken.topic("b")
	if again := loadAnnounced(path, "one", log); !again.Topics["b"] || len(again.Topics) != 1 {
		t.Errorf("%+v", again)
	}
}
