package mqtt

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/api/schematest"
)

// mosquitto is a real broker on a free port of loopback.
type mosquitto struct {
	t    testing.TB
	dir  string
	port int
	cmd  *exec.Cmd
}

// lossless are the settings under which mosquitto does not lose what it acknowledged.
const lossless = "persistence true\nautosave_on_changes true\nautosave_interval 1\n"

func startMosquitto(t testing.TB, extra string) *mosquitto {
	t.Helper()
	m := &mosquitto{t: t, dir: t.TempDir(), port: freePort(t)}
	m.configure(extra)
	m.start()
	t.Cleanup(m.kill)
	return m
}

// configure writes the settings of the next start.
func (m *mosquitto) configure(extra string) {
	m.t.Helper()
	conf := fmt.Sprintf("listener %d 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\npersistence_location %s/\n%s", m.port, m.dir, extra)
	if strings.Contains(extra, "allow_anonymous") {
		conf = strings.Replace(conf, "allow_anonymous true\n", "", 1)
	}
	if strings.Contains(extra, "max_queued_messages") {
		conf = strings.Replace(conf, "max_queued_messages 0\n", "", 1)
	}
	if os.Getuid() == 0 {
		conf += "user root\n"
	}
	if err := os.WriteFile(filepath.Join(m.dir, "mosquitto.conf"), []byte(conf), 0o600); err != nil {
		m.t.Fatal(err)
	}
}

func mosquittoPath(t testing.TB) string {
	t.Helper()
	for _, p := range []string{"mosquitto", "/usr/sbin/mosquitto"} {
		if found, err := exec.LookPath(p); err == nil {
			return found
		}
	}
	t.Skip("SKIPPED: mosquitto is not installed (apt-get install mosquitto), so nothing was shown against a real broker")
	return ""
}

func freePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port
}

func (m *mosquitto) url() string { return fmt.Sprintf("tcp://127.0.0.1:%d", m.port) }

func (m *mosquitto) start() {
	m.t.Helper()
	m.cmd = exec.Command(mosquittoPath(m.t), "-c", filepath.Join(m.dir, "mosquitto.conf"))
	if err := m.cmd.Start(); err != nil {
		m.t.Fatal(err)
	}
	until(m.t, "mosquitto listens", func() bool {
		c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", m.port))
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	})
}

// kill ends the broker without a chance to save anything.
func (m *mosquitto) kill() {
	if m.cmd != nil && m.cmd.ProcessState == nil {
		_ = m.cmd.Process.Kill()
		_ = m.cmd.Wait()
	}
}

// listener is a consumer that keeps everything it hears, across its own reconnections.
type listener struct {
	mu       sync.Mutex
	messages []Message
	link     *Link
}

func listen(t *testing.T, url, id string, filters ...string) *listener {
	t.Helper()
	return listenAs(t, Connection{Broker: url, ClientID: id}, filters...)
}

// listenAs is listen for somebody with a name.
func listenAs(t *testing.T, as Connection, filters ...string) *listener {
	t.Helper()
	s := &listener{}
	s.connect(t, as, filters...)
	return s
}

func (s *listener) connect(t *testing.T, as Connection, filters ...string) {
	t.Helper()
	until(t, "the listener connects", func() bool {
		l, err := Dial(context.Background(), as, nil, true, func(m Message) {
			s.mu.Lock()
			if len(s.messages) < 1000 { // under load the same comes again and again
				if wrong := againstSchema(m); wrong != "" {
					t.Errorf("%s breaks the schema: %s: %s", m.Topic, wrong, m.Payload)
				}
			}
			s.messages = append(s.messages, m)
			s.mu.Unlock()
			m.Done()
		})
		if err != nil {
			return false
		}
		if err := l.Subscribe(context.Background(), filters...); err != nil {
			l.Close(0)
			return false
		}
		s.link = l
		return true
	})
	t.Cleanup(func() { s.link.Close(100 * time.Millisecond) })
}

var schema = sync.OnceValues(func() (schematest.Validator, error) { return schematest.New(api.JSONSchema()) })

// againstSchema is what is wrong with a message of an agent, which every test that listens looks at; "" for nothing.
func againstSchema(m Message) string {
	v, err := schema()
	if err != nil {
		return err.Error()
	}
	return v.Message(m.Topic, m.Payload)
}

// different is how many different events came; as long as it is less than n, whatever came, which takes no reading.
func (s *listener) different(t *testing.T, n int) int {
	if have := len(s.all("/events")); have < n {
		return have
	}
	return unique(s.events(t))
}

func (s *listener) all(suffix string) []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Message
	for _, m := range s.messages {
		if strings.HasSuffix(m.Topic, suffix) {
			out = append(out, m)
		}
	}
	return out
}

// last is the newest payload of a topic.
func (s *listener) last(suffix string) string {
	if all := s.all(suffix); len(all) > 0 {
		return string(all[len(all)-1].Payload)
	}
	return ""
}

func (s *listener) events(t *testing.T) []api.Event {
	t.Helper()
	var out []api.Event
	for _, m := range s.all("/events") {
		var e api.Event
		if err := json.Unmarshal(m.Payload, &e); err != nil {
			t.Fatalf("%v: %s", err, m.Payload)
		}
		out = append(out, e)
	}
	return out
}

func (s *listener) send(t *testing.T, topic string, payload string) {
	t.Helper()
	if err := s.link.Publish(context.Background(), topic, 1, false, []byte(payload)); err != nil {
		t.Fatal(err)
	}
}

func TestAgainstMosquitto(t *testing.T) {
	m := startMosquitto(t, "")
	a := &agent{}
	ears := listen(t, m.url(), "ears", "segedge/#")
	_, stop := start(t, testOptions(t, m.url(), a))
	until(t, "online", func() bool { return ears.last("/status") == StatusOnline })

	c := ears.all("")
	for i, want := range []string{"/info", "cam/state", "cam/objects", "cam/presence", "/status"} {
		if len(c) <= i || !strings.HasSuffix(c[i].Topic, want) {
			t.Fatalf("message %d is not %s: online must come after all that is retained", i, want)
		}
	}
	ears.send(t, "segedge/box/cam/cmd/clear", `{"id":"1","reply":"me"}`)
	until(t, "the reply", func() bool { return ears.last("/reply/me") != "" })
	if got := ears.last("/reply/me"); got != `{"schema":1,"id":"1","ok":true,"result":{"did":"clear"}}` {
		t.Errorf("reply %s", got)
	}
	stop()
	until(t, "stopped", func() bool { return ears.last("/status") == StatusStopped })
}
