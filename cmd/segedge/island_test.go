package main

import (
	"bytes"
	"context"
	"encoding/json"
	"image"
	"image/png"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/testkit"
)

// live is `segedge run` in this process.
type live struct {
	t     *testing.T
	page  string
	file  string
	log   testkit.Buffer
	out   testkit.Buffer
	ended chan int
	stop  context.CancelFunc
}

var pageLine = regexp.MustCompile(`page: (http://\S+)`)

// startAgent runs an agent with a configuration file and waits for its page.
func startAgent(t *testing.T, yaml string, args ...string) *live {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "segedge.yaml")
	if err := os.WriteFile(file, []byte(yaml), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	l := &live{t: t, file: file, ended: make(chan int, 1), stop: cancel}
	args = append([]string{"run", "--config", file, "--state", filepath.Join(dir, "state"), "--listen", "127.0.0.1:0", "--set", "mqtt.embedded=127.0.0.1:0"}, args...)
	go func() { l.ended <- execute(ctx, args, &l.out, &l.log) }()
	t.Cleanup(func() {
		cancel()
		<-l.ended
		close(l.ended)
		if t.Failed() {
			t.Log(l.out.String(), l.log.String())
		}
	})
	l.until("the page", func() bool {
		m := pageLine.FindStringSubmatch(l.out.String())
		if m != nil {
			l.page = m[1]
		}
		return m != nil
	})
	return l
}

// until waits for something that the agent comes to by itself.
func (l *live) until(what string, done func() bool) {
	l.t.Helper()
	for end := time.Now().Add(time.Minute); !done(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			l.t.Fatalf("%s: not within a minute", what)
		}
	}
}

func (l *live) state(camera string) (s api.State) {
	l.t.Helper()
	_ = json.Unmarshal([]byte(l.get("api/v1/cameras/"+camera+"/state")), &s)
	return s
}

// stillPicture puts one into a folder.
func stillPicture(t *testing.T, dir string) {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewRGBA(image.Rect(0, 0, 64, 48))); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "1.png"), b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}

// One camera whose source is missing neither ends the agent nor stays away once it is there.
func TestAMissingSourceIsWaitedFor(t *testing.T) {
	late := filepath.Join(t.TempDir(), "late")
	l := startAgent(t, "cameras:\n- name: a\n  source: synthetic\n- name: b\n  source: "+late+"\n  loop: true\n")
	l.until("the missing one is told", func() bool { return strings.Contains(l.state("b").Reason, "no such file") })
	l.until("the other runs", func() bool { return l.state("a").State == api.Running && l.state("a").Processed > 0 })
	stillPicture(t, late)
	l.until("the missing one runs", func() bool { return l.state("b").State == api.Running })
}

// What was sent is what is counted.
func TestMetricsCountTheEvents(t *testing.T) {
	l := startAgent(t, "cameras:\n- name: a\n  source: synthetic\n")
	counted := regexp.MustCompile(`segedge_events_total\{camera="a"\} [1-9]`)
	l.until("events are counted", func() bool {
		text := l.get("metrics")
		return counted.MatchString(text) && strings.Contains(text, "segedge_broker_connected 1") && strings.Contains(text, `segedge_camera_reconnects_total{camera="a"} 0`)
	})
}

// get reads an address of the page.
func (l *live) get(path string) string {
	l.t.Helper()
	res, err := http.Get(l.page + path)
	if err != nil {
		l.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		l.t.Fatal(err)
	}
	return string(body)
}

// The address in a file may be one that the box has only once it has a network; on a command line it is mistyped.
func TestAnAddressThatTheBoxDoesNotHaveYet(t *testing.T) {
	for config, want := range map[string]bool{"": false, "/etc/segedge/segedge.yaml": true} {
		b := &builder{run: &runCmd{settings: settings{Config: config}}, log: slog.New(slog.DiscardHandler)}
		l, err := b.listen("192.0.2.1:0")
		if (err == nil) != want {
			t.Errorf("with the configuration %q: %v", config, err)
		}
		if err == nil {
			_ = l.Close()
		}
	}
}
