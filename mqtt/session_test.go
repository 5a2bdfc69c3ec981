package mqtt

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/testkit"
)

// settled waits until no more goroutines run than before.
func settled(t *testing.T, before int) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for runtime.NumGoroutine() > before {
		if time.Now().After(deadline) {
			buf := make([]byte, 1<<16)
			t.Fatalf("%d goroutines, %d before:\n%s", runtime.NumGoroutine(), before, buf[:runtime.Stack(buf, true)])
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func TestNothingIsLeftRunning(t *testing.T) {
	m := startMosquitto(t, "")
	before := runtime.NumGoroutine()
	c, stop := start(t, testOptions(t, m.url(), &agent{}))
	for i := range 4 {
		until(t, "a session", func() bool { return c.Stats().Sessions > uint64(i) && c.Ready() == nil })
		c.Publish(happened(i))
		m.kill()
		until(t, "the session ends", func() bool { return c.Ready() != nil })
		m.start()
	}
	until(t, "the last session", func() bool { return c.Ready() == nil })
	stop()
	settled(t, before)
	_, stop = start(t, testOptions(t, "tcp://127.0.0.1:1", &agent{}))
	stop()
	settled(t, before)
}

func TestStopIsQuickWhateverTheBrokerDoes(t *testing.T) {
	deaf, err := net.Listen("tcp", "127.0.0.1:0") // takes connections and says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = deaf.Close() }()
	before := runtime.NumGoroutine()
	c, stop := start(t, testOptions(t, "tcp://"+deaf.Addr().String(), &agent{}))
	c.Publish(happened(0))
	conn, err := deaf.Accept()
	if err != nil {
		t.Fatal(err)
	}
	stop() // fails by itself after 30 s
	_ = conn.Close()
	settled(t, before)
}

func TestObjectsAreSentOnChange(t *testing.T) {
	m := startMosquitto(t, "")
	a := &agent{}
	ears := listen(t, m.url(), "ears", "segedge/#")
	c, _ := start(t, testOptions(t, m.url(), a))
	until(t, "online", func() bool { return ears.last("/status") == StatusOnline })
	a.set(cup(1))
	until(t, "the object", func() bool { return strings.Contains(ears.last("cam/objects"), `"id":"cam-1"`) })
	n := len(ears.all("cam/objects"))
	older := cup(1)
	for age := range 20 { // only the frame and the ages change
		older.Age, older.MaskAge = age, age
		a.set(older)
	}
	c.Publish(happened(1))
	until(t, "the event", func() bool { return len(ears.all("/events")) == 1 })
	a.set(cup(1), cup(2))
	until(t, "two objects", func() bool { return strings.Contains(ears.last("cam/objects"), `"id":"cam-2"`) })
	if got := len(ears.all("cam/objects")); got > n+2 {
		t.Errorf("%d messages for one change", got-n)
	}
	if got := ears.last("cam/objects"); !strings.Contains(got, `"as_of_seq":1`) || strings.Contains(got, `"counts"`) {
		t.Errorf("objects %s", got)
	}
	if c.LastSeq("cam") != 1 {
		t.Errorf("the last sequence number is %d", c.LastSeq("cam"))
	}
}

func TestMasksStream(t *testing.T) {
	m := startMosquitto(t, "")
	a := &agent{}
	a.set(cup(1))
	ears := listen(t, m.url(), "ears", "segedge/box/+/masks")
	o := testOptions(t, m.url(), a)
	o.MasksInterval = 5 * time.Millisecond
	start(t, o)
	for i := range 3 {
		until(t, "masks", func() bool { return len(ears.all("/masks")) > i })
		a.set(cup(1))
	}
	var got struct {
		Frame   seg.FrameRef
		Objects []struct {
			ID   string
			Mask seg.RLE
		}
	}
	first := ears.all("/masks")[0].Payload
	if err := json.Unmarshal(first, &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Objects) != 1 || got.Objects[0].ID != "cam-1" || got.Objects[0].Mask.Size != [2]int{32, 64} {
		t.Errorf("masks %s", first)
	}
	seen := map[string]bool{}
	for _, msg := range ears.all("/masks") {
		if seen[string(msg.Payload)] {
			t.Error("a frame's masks came twice")
		}
		seen[string(msg.Payload)] = true
	}
}

func TestMasksAsPolygons(t *testing.T) {
	o := cup(1)
	data, err := encodeMask("cam", &o, 64, 32, true)
	if err != nil {
		t.Fatal(err)
	}
	var got api.Object
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatalf("%v: %s", err, data)
	}
	if len(got.Polygons) != 1 || len(got.Polygons[0]) != 4 || got.Mask != nil || got.ID != "cam-1" {
		t.Errorf("got %s", data)
	}
	for _, p := range got.Polygons[0] {
		if p[0] != 0.25 && p[0] != 0.5 || p[1] != 0.25 && p[1] != 0.75 {
			t.Errorf("a corner at %v", p)
		}
	}
	o.Mask = nil
	if data, err = encodeMask("cam", &o, 64, 32, true); err != nil || strings.Contains(string(data), "polygons") {
		t.Errorf("%v: %s", err, data)
	}
}

func TestUpdatesAreRateLimited(t *testing.T) {
	m := startMosquitto(t, "")
	ears := listen(t, m.url(), "ears", "segedge/box/+/events")
	o := testOptions(t, m.url(), &agent{})
	o.UpdateInterval = time.Second
	c, stop := start(t, o)
	until(t, "connected", func() bool { return c.Ready() == nil })
	for i := range 31 {
		c.Publish(updated(1, time.Duration(i)*time.Second/30, i+1))
	}
	stop() // sends what was held back
	until(t, "the updates", func() bool { return len(ears.all("/events")) >= 2 })
	if got := ears.events(t); len(got) != 2 || got[0].After.Age != 1 || got[1].After.Age != 31 {
		t.Errorf("%d updates: %+v", len(got), got)
	}
}

// TestFloodIsExplained publishes faster than any journal: what finds no room is accounted for.
func TestFloodIsExplained(t *testing.T) {
	m := startMosquitto(t, "")
	ears := listen(t, m.url(), "ears", "segedge/box/+/events")
	o := testOptions(t, m.url(), &agent{})
	o.Handover = 16
	c, _ := start(t, o)
	const n = 5000
	for i := range n {
		c.Publish(happened(i))
	}
	until(t, "the flood is over", func() bool {
		return c.Stats().Outbox.Appended > 0 && c.Stats().Outbox.Pending == 0 && len(c.intake.wake) == 0
	})
	until(t, "all numbers are accounted for", func() bool {
		have := map[uint64]bool{}
		for _, e := range ears.events(t) {
			have[e.Seq] = true
			if e.Type == seg.EventsDropped {
				for s := uint64(e.Details["from"].(float64)); s <= uint64(e.Details["to"].(float64)); s++ {
					have[s] = true
				}
			}
		}
		last := c.LastSeq("cam")
		for s := uint64(1); s <= last; s++ {
			if !have[s] {
				return false
			}
		}
		return last >= n
	})
	if c.Stats().Lost == 0 {
		t.Error("the flood was no flood")
	}
	t.Logf("%d of %d found no room, every one explained", c.Stats().Lost, n)
}

func TestTwoAgentsWithOneStateFolder(t *testing.T) {
	o := testOptions(t, "tcp://127.0.0.1:1", &agent{})
	start(t, o)
	if _, err := New(o); err == nil || !strings.Contains(err.Error(), "own state folder") {
		t.Errorf("got %v", err)
	}
}

func TestCommandsOverABroker(t *testing.T) {
	m := startMosquitto(t, "")
	ears := listen(t, m.url(), "ears", "segedge/#")
	a := &agent{}
	o := testOptions(t, m.url(), a)
	_, stop := start(t, o)
	until(t, "online", func() bool { return ears.last("/status") == StatusOnline })
	topics := Topics{Prefix: "segedge/box"}
	ears.send(t, topics.Command("cam", "prompt"), `{"id":"1","reply":"me","points":[{"x":7,"y":0}]}`)
	until(t, "the refusal", func() bool { return strings.Contains(ears.last("/reply/me"), `"code":"bad_request"`) })
	until(t, "command.rejected", func() bool {
		e := ears.events(t)
		return len(e) == 1 && e[0].Type == seg.CommandRejected && e[0].Details["id"] == "1"
	})
	stop()
	// The session stays on the broker: what is sent to an agent that is away is done when it comes back.
	for i := range 5 {
		ears.send(t, topics.Command("cam", "clear"), fmt.Sprintf(`{"id":"away-%d","reply":"me"}`, i))
	}
	start(t, o)
	until(t, "the replies", func() bool { return len(ears.all("/reply/me")) == 6 })
	if got := a.commands(); len(got) != 5 || got[0].ID != "away-0" || got[4].ID != "away-4" {
		t.Errorf("done %+v", got)
	}
}

// late is a service that was started later than the others.
type late struct{ *agent }

func (l late) Info() api.Info {
	i := l.agent.Info()
	i.Started = i.Started.Add(time.Hour)
	return i
}

// TestTwoAgentsWithOneName: the one that was started later says so and waits until the other has gone; they do not throw
// each other out.
func TestTwoAgentsWithOneName(t *testing.T) {
	m := startMosquitto(t, "")
	ears := listen(t, m.url(), "ears", "segedge/box/status")
	first, stop := start(t, testOptions(t, m.url(), &agent{}))
	until(t, "the first is connected", func() bool { return first.Ready() == nil })
	said := &testkit.Buffer{}
	o := testOptions(t, m.url(), &agent{})
	o.Service, o.Logger = late{&agent{}}, slog.New(slog.NewTextHandler(said, nil))
	second, _ := start(t, o)
	until(t, "the second says why it waits", func() bool { return strings.Contains(said.String(), "give one of them another agent.name") })
	until(t, "the first is back", func() bool { return first.Ready() == nil })
	if err := second.Ready(); err == nil || !strings.Contains(err.Error(), `another agent called "box"`) {
		t.Errorf("the second is ready: %v", err)
	}
	online := 0
	for _, m := range ears.all("/status") {
		if string(m.Payload) == StatusOnline {
			online++
		}
	}
	if online > 6 { // before, they threw each other out for ever
		t.Errorf("online was said %d times", online)
	}
	stop()
	until(t, "the second takes over", func() bool { return second.Ready() == nil })
}

// TestBrokerThatPassesNothingOn: mosquitto acknowledges what a client without the right says, and discards it.
func TestBrokerThatPassesNothingOn(t *testing.T) {
	dir := t.TempDir()
	acl := filepath.Join(dir, "acl")
	if err := os.WriteFile(acl, []byte("user somebody\ntopic readwrite #\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	// With no bound on its queue mosquitto 2.0.11 ends the connection at what it denies, instead.
	m := startMosquitto(t, "max_queued_messages 1000\nacl_file "+acl+"\n")
	o := testOptions(t, m.url(), &agent{})
	o.HearTimeout = 500 * time.Millisecond
	c, _ := start(t, o)
	until(t, "it is noticed", func() bool {
		err := c.Ready()
		return err != nil && strings.Contains(err.Error(), "access list must let a client without a user name write to segedge/box/#")
	})
	if !c.Stats().Connected {
		t.Error("noticed for another reason")
	}
}

// TestItSaysAgainThatItIsThere: whatever somebody else leaves on the agent's status, it is online while it is and stopped when it is not.
func TestItSaysAgainThatItIsThere(t *testing.T) {
	m := startMosquitto(t, "")
	c, stop := start(t, testOptions(t, m.url(), &agent{}))
	until(t, "connected", func() bool { return c.Ready() == nil })
	var mu sync.Mutex
	var heard []string
	l, err := Dial(t.Context(), Connection{Broker: m.url(), ClientID: "other"}, nil, false, func(m Message) {
		mu.Lock()
		defer mu.Unlock()
		heard = append(heard, string(m.Payload))
		m.Done()
	})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close(time.Second)
	if err := l.Subscribe(t.Context(), "segedge/box/status"); err != nil {
		t.Fatal(err)
	}
	last := func() string {
		mu.Lock()
		defer mu.Unlock()
		if len(heard) == 0 {
			return "nothing"
		}
		return heard[len(heard)-1]
	}
	for _, said := range []string{StatusOffline, "", "\xff"} {
		if err := l.Publish(t.Context(), "segedge/box/status", 1, true, []byte(said)); err != nil {
			t.Fatal(err)
		}
		until(t, "it says again that it is there", func() bool { return last() == StatusOnline })
	}
	if err := l.Publish(t.Context(), "segedge/box/status", 1, true, []byte(StatusOffline)); err != nil {
		t.Fatal(err)
	}
	stop()
	until(t, "it has stopped", func() bool { return last() == StatusStopped })
}

// TestStopWithAFrozenBroker ends, whatever was under way.
func TestStopWithAFrozenBroker(t *testing.T) {
	m := startMosquitto(t, "")
	a := &agent{}
	c, stop := start(t, testOptions(t, m.url(), a))
	until(t, "connected", func() bool { return c.Ready() == nil })
	if err := m.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	a.set(cup(1)) // the list of objects is sent, and nobody acknowledges it
	c.Publish(happened(0))
	until(t, "the event waits for the broker", func() bool { return c.Stats().Outbox.Pending == 1 })
	stop() // fails the test where it does not end
}

func TestStuckJournal(t *testing.T) {
	c, stop := start(t, testOptions(t, "tcp://127.0.0.1:1", &agent{}))
	until(t, "the journal runs", func() bool { return c.turned.Load() != nil })
	if err := c.Stuck(time.Minute); err != nil {
		t.Errorf("got %v", err)
	}
	if err := c.Stuck(-time.Hour); err == nil || !strings.Contains(err.Error(), "has hung") {
		t.Errorf("got %v", err)
	}
	stop()
	if err := c.Stuck(-time.Hour); err != nil {
		t.Errorf("a journal that has ended hangs: %v", err)
	}
}

// TestFullDiskIsToldAndNothingStops lets the journal's folder vanish under a running client.
func TestFullDiskIsToldAndNothingStops(t *testing.T) {
	m := startMosquitto(t, "")
	ears := listen(t, m.url(), "ears", "segedge/box/+/events")
	o := testOptions(t, m.url(), &agent{})
	o.StateDir = filepath.Join(o.StateDir, "file", "state")
	if err := os.WriteFile(filepath.Dir(o.StateDir), []byte("in the way"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, _ := start(t, o)
	for n := range 10 {
		c.Publish(happened(n))
	}
	until(t, "the events", func() bool { return unique(ears.events(t)) == 10 })
	complete(t, ears.events(t), 10)
	if err := c.Ready(); err == nil || !strings.Contains(err.Error(), "not durable") {
		t.Errorf("got %v", err)
	}
}
