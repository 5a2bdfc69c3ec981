package e2e

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience is how long a test waits for something that must come. It is a safety net, no measurement.
const patience = 60 * time.Second

// root is the repository's folder.
func root(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Dir(dir)
}

// program is the built binary.
func program(t testing.TB) string {
	t.Helper()
	p := filepath.Join(root(t), "bin", "segedge")
	if _, err := os.Stat(p); err != nil {
		t.Fatalf("%v: run make build first", err)
	}
	return p
}

// need skips a test on a machine without a program.
func need(t testing.TB, name, debian string) string {
	t.Helper()
	p, err := exec.LookPath(name)
	if err != nil {
		if p, err = exec.LookPath("/usr/sbin/" + name); err != nil {
			t.Skipf("no %s on this machine: install the package %s (make test does)", name, debian)
		}
	}
	return p
}

// running is an agent in a process of its own.
type running struct {
	t    testing.TB
	cmd  *exec.Cmd
	page string // its address, with a slash at the end
	mqtt string
	done chan error
	mu   sync.Mutex
	log  bytes.Buffer
	ends sync.Once
}

var (
	pageLine = regexp.MustCompile(`page: (\S+)`)
	mqttLine = regexp.MustCompile(`mqtt: (\S+), topics`)
)

// start runs `segedge run` with a state folder of its own and any free port, and waits until it has said where it is.
func start(t testing.TB, args ...string) *running {
	t.Helper()
	args = append([]string{"run", "--state", t.TempDir(), "--listen", "127.0.0.1:0", "--set", "agent.name=box"}, args...)
	r := &running{t: t, cmd: exec.Command(program(t), args...), done: make(chan error, 1)}
	r.cmd.Dir = root(t)
	out, err := r.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	r.cmd.Stderr = r
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ready := make(chan struct{})
	go r.read(out, ready)
	t.Cleanup(func() {
		r.stop()
		if t.Failed() {
			r.mu.Lock()
			defer r.mu.Unlock()
			t.Logf("the agent said:\n%s", r.log.String())
		}
	})
	select {
	case <-ready:
	case err := <-r.done:
		t.Fatalf("the agent ended before it was ready: %v\n%s", err, r.log.String())
	case <-time.After(patience):
		t.Fatal("the agent was not ready in time")
	}
	return r
}

// Write takes what the agent writes to its standard error.
func (r *running) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.log.Write(p)
}

// read reads the welcome, then waits for the process.
func (r *running) read(out io.Reader, ready chan struct{}) {
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		line := lines.Text()
		_, _ = r.Write([]byte(line + "\n"))
		if m := mqttLine.FindStringSubmatch(line); m != nil {
			r.mqtt = m[1]
		}
		if m := pageLine.FindStringSubmatch(line); m != nil && r.page == "" {
			r.page = m[1]
			close(ready)
		}
	}
	r.done <- r.cmd.Wait()
}

// stop ends the agent as systemd does and demands a clean exit in time.
func (r *running) stop() {
	r.t.Helper()
	r.ends.Do(func() {
		_ = r.cmd.Process.Signal(syscall.SIGTERM)
		select {
		case err := <-r.done:
			if err != nil {
				r.t.Errorf("the agent's exit: %v", err)
			}
		case <-time.After(patience):
			_ = r.cmd.Process.Kill()
			r.t.Error("the agent did not stop on SIGTERM")
		}
	})
}

// kill ends the agent without a word.
func (r *running) kill() {
	r.ends.Do(func() {
		_ = r.cmd.Process.Kill()
		<-r.done
	})
}

// get reads JSON from the agent's API.
func (r *running) get(path string, into any) {
	r.t.Helper()
	resp, err := http.Get(r.page + path)
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(into); err != nil {
		r.t.Fatalf("GET %s: %v", path, err)
	}
}

// post sends a command over HTTP.
func (r *running) post(verb, body string) (status int, reply map[string]any) {
	r.t.Helper()
	resp, err := http.Post(r.page+"api/v1/cameras/camera/"+verb, "application/json", strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(&reply); err != nil {
		r.t.Fatalf("%s: %v", verb, err)
	}
	return resp.StatusCode, reply
}

// state is a camera's state as the API tells it.
type state struct {
	State     string  `json:"state"`
	FPS       float64 `json:"fps"`
	Width     int     `json:"width"`
	Processed uint64  `json:"processed"`
	Keyframes uint64  `json:"keyframes"`
	Viewers   int     `json:"viewers"`
	Objects   int     `json:"objects"`

	ModelErrors uint64 `json:"model_errors"`
	Refused     uint64 `json:"prompts_refused"`
	Panics      uint64 `json:"panics"`
}

// await asks again until the condition holds.
func (r *running) await(what string, cond func(state) bool) state {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	var s state
	for {
		r.get("api/v1/cameras/camera/state", &s)
		if cond(s) {
			return s
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			r.t.Fatalf("%s: it stays at %+v", what, s)
		}
	}
}

// freePort is a TCP port that was free a moment ago.
func freePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// mosquitto starts a real broker on a free port and returns its address.
func mosquitto(t testing.TB) string {
	t.Helper()
	path := need(t, "mosquitto", "mosquitto")
	port := freePort(t)
	conf := filepath.Join(t.TempDir(), "mosquitto.conf")
	if err := os.WriteFile(conf, fmt.Appendf(nil, "listener %d 127.0.0.1\nallow_anonymous true\n", port), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, "-c", conf)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	addr := fmt.Sprintf("127.0.0.1:%d", port)
	deadline := time.After(patience)
	for {
		if c, err := net.Dial("tcp", addr); err == nil {
			c.Close()
			return "tcp://" + addr
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-deadline:
			t.Fatal("mosquitto did not start")
		}
	}
}
