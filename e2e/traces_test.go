package e2e

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// traces are the spans that a collector got, their names by trace.
type traces struct {
	mu    sync.Mutex
	names map[string]map[string]bool
	verbs []string
}

func (c *traces) ServeHTTP(_ http.ResponseWriter, q *http.Request) {
	body, _ := io.ReadAll(q.Body) // a torn one is no message
	var m collector.ExportTraceServiceRequest
	if q.URL.Path != "/v1/traces" || proto.Unmarshal(body, &m) != nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, of := range m.GetResourceSpans() {
		for _, scope := range of.GetScopeSpans() {
			for _, s := range scope.GetSpans() {
				c.note(s)
			}
		}
	}
}

func (c *traces) note(s *tracepb.Span) {
	id := string(s.GetTraceId())
	if c.names[id] == nil {
		c.names[id] = map[string]bool{}
	}
	c.names[id][s.GetName()] = true
	for _, a := range s.GetAttributes() {
		if a.GetKey() == "segedge.verb" {
			c.verbs = append(c.verbs, a.GetValue().GetStringValue())
		}
	}
}

// whole reports whether one trace has a keyframe's spans, from its capture to its encoded picture.
func (c *traces) whole() bool {
	names := []string{"frame", "capture", "reduce", "embed", "track", "overlay", "convert", "encode", "walk"}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, got := range c.names {
		n := 0
		for _, name := range names {
			if got[name] {
				n++
			}
		}
		if n == len(names) && (got["refresh"] || got["decode"]) {
			return true
		}
	}
	return false
}

// A collector gets a keyframe from its capture to its encoded picture, and a command.
func TestTraces(t *testing.T) {
	got := &traces{names: map[string]map[string]bool{}}
	server := httptest.NewServer(got)
	defer server.Close()
	a := start(t, "--source", "synthetic", "--set", "telemetry.otlp="+server.URL, "--set", "telemetry.every=5s", "--summary", t.TempDir()+"/summary.json")
	resp, err := http.Post(a.page+"api/v1/cameras/camera/prompt", "application/json", strings.NewReader(`{"points":[{"x":0.3,"y":0.4}]}`))
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	end := time.Now().Add(2 * patience)
	for !got.whole() {
		if time.Now().After(end) {
			t.Fatalf("no frame was traced whole: %v", got.names)
		}
		time.Sleep(200 * time.Millisecond)
	}
	a.stop()
	if !strings.Contains(strings.Join(got.verbs, " "), "prompt") {
		t.Errorf("the commands traced are %q", got.verbs)
	}
}
