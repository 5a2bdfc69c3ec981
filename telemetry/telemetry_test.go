package telemetry

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/segedge/segedge/frame"
)

// receiver is a collector that keeps what it is sent.
type receiver struct {
	*httptest.Server

	mu       sync.Mutex
	spans    []*tracepb.Span
	resource map[string]string
	requests int
}

func newReceiver(t *testing.T) *receiver {
	r := &receiver{resource: map[string]string{}}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		body, err := io.ReadAll(q.Body)
		var m collector.ExportTraceServiceRequest
		if err != nil || q.URL.Path != "/v1/traces" || proto.Unmarshal(body, &m) != nil {
			t.Errorf("%s: %v, or no traces", q.URL.Path, err)
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.requests++
		for _, of := range m.GetResourceSpans() {
			for _, a := range of.GetResource().GetAttributes() {
				r.resource[a.GetKey()] = a.GetValue().GetStringValue()
			}
			for _, scope := range of.GetScopeSpans() {
				r.spans = append(r.spans, scope.GetSpans()...)
			}
		}
	}))
	t.Cleanup(r.Close)
	return r
}

// named are the spans of a name, in the order of their beginning.
func (r *receiver) named(name string) (out []*tracepb.Span) {
	for _, s := range r.spans {
		if s.GetName() == name {
			out = append(out, s)
		}
	}
	slices.SortFunc(out, func(a, b *tracepb.Span) int { return int(a.GetStartTimeUnixNano()) - int(b.GetStartTimeUnixNano()) })
	return out
}

// collect lets do make spans, which then lie at the receiver.
func collect(t *testing.T, o Options, do func(*Tracer)) {
	tracer := New(o)
	provider, err := tracer.begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	do(tracer)
	tracer.end(t.Context(), provider)
}

func attributeOf(s *tracepb.Span, key string) string {
	for _, a := range s.GetAttributes() {
		if a.GetKey() == key {
			return a.GetValue().String()
		}
	}
	return ""
}

const ms = time.Millisecond

// walkFrame tells of a frame's walk as the pipeline and the sink do: 1 ms in the slot, and 5 ms of work that ends with the encoded picture.
func walkFrame(c *Camera, seq uint64, at time.Time) {
	c.Stage(frame.Stage{Name: "reduce", Seq: seq, Captured: at, Began: at.Add(1 * ms), Took: ms})
	c.Stage(frame.Stage{Name: "track", Seq: seq, Began: at.Add(2 * ms), Took: ms})
	c.Stage(frame.Stage{Name: "frame", Seq: seq, Began: at.Add(1 * ms), Took: 2 * ms})
	c.Stage(frame.Stage{Name: "overlay", Seq: seq, Began: at.Add(3 * ms), Took: ms})
	c.Stage(frame.Stage{Name: "encode", Seq: seq, Began: at.Add(4 * ms), Took: 2 * ms})
}

// A keyframe in each second of a camera with ten frames a second, whose answers come seven frames later: every ten seconds one is told, whole.
func TestKeyframesAreTraced(t *testing.T) {
	r := newReceiver(t)
	start := time.Unix(1_800_000_000, 0)
	collect(t, Options{Endpoint: r.URL, Every: 10 * time.Second, Agent: "box", Version: "v1"}, func(tracer *Tracer) {
		c := tracer.Camera("door")
		for i := range 600 {
			at := start.Add(time.Duration(i) * 100 * ms)
			walkFrame(c, uint64(i+1), at)
			if key := i - 7; key >= 0 && key%10 == 0 {
				asked := start.Add(time.Duration(key)*100*ms + 2*ms)
				c.Stage(frame.Stage{Name: "embed", Seq: uint64(key + 1), Began: asked, Took: 500 * ms})
				c.Stage(frame.Stage{Name: "decode", Seq: uint64(key + 1), Began: asked.Add(500 * ms), Took: 50 * ms})
			}
		}
	})
	roots := r.named("frame")
	if len(roots) != 6 {
		t.Fatalf("%d frames were traced in a minute, want 6", len(roots))
	}
	for i, root := range roots {
		if i > 0 && root.GetStartTimeUnixNano()-roots[i-1].GetStartTimeUnixNano() < uint64(10*time.Second) {
			t.Error("two frames within ten seconds")
		}
		if !strings.Contains(attributeOf(root, "segedge.camera"), "door") || attributeOf(root, "segedge.frame") == "" || len(root.GetParentSpanId()) > 0 {
			t.Errorf("root %v", root)
		}
	}
	root := roots[2]
	at := time.Unix(0, int64(root.GetStartTimeUnixNano()))
	want := map[string][2]time.Duration{
		"capture": {0, 1 * ms}, "reduce": {1 * ms, 2 * ms}, "track": {2 * ms, 3 * ms}, "walk": {1 * ms, 3 * ms}, "overlay": {3 * ms, 4 * ms},
		"encode": {4 * ms, 6 * ms}, "embed": {2 * ms, 502 * ms}, "decode": {502 * ms, 552 * ms}, "frame": {0, 552 * ms},
	}
	n := 0
	for _, s := range r.spans {
		if !bytes.Equal(s.GetTraceId(), root.GetTraceId()) {
			continue
		}
		n++
		got := [2]time.Duration{
			time.Unix(0, int64(s.GetStartTimeUnixNano())).Sub(at), time.Unix(0, int64(s.GetEndTimeUnixNano())).Sub(at),
		}
		if got != want[s.GetName()] {
			t.Errorf("%s: %v, want %v", s.GetName(), got, want[s.GetName()])
		}
		if s != root && !bytes.Equal(s.GetParentSpanId(), root.GetSpanId()) {
			t.Errorf("%s is not the frame's", s.GetName())
		}
	}
	if n != len(want) {
		t.Errorf("%d spans of a frame, want %d", n, len(want))
	}
	if r.resource["service.name"] != "segedge" || r.resource["service.instance.id"] != "box" || r.resource["service.version"] != "v1" {
		t.Errorf("resource %v", r.resource)
	}
}

// Where nothing is followed there are no keyframes: plain frames are told, half as often.
func TestPlainFramesAreTraced(t *testing.T) {
	r := newReceiver(t)
	collect(t, Options{Endpoint: r.URL, Every: 10 * time.Second}, func(tracer *Tracer) {
		c := tracer.Camera("door")
		for i := range 660 {
			walkFrame(c, uint64(i+1), time.Unix(1_800_000_000, 0).Add(time.Duration(i)*100*ms))
		}
	})
	if n := len(r.named("frame")); n != 4 {
		t.Errorf("%d frames in 66 s, want 4", n)
	}
	if n := len(r.named("encode")); n != 4 {
		t.Errorf("%d encoded pictures, want one of each", n)
	}
}

// With every rendition wanted, many objects and late stages of frames long past, a frame's spans stay bounded.
func TestStagesAreBounded(t *testing.T) {
	r := newReceiver(t)
	collect(t, Options{Endpoint: r.URL, Every: time.Second}, func(tracer *Tracer) {
		c, at := tracer.Camera("door"), time.Unix(1_800_000_000, 0)
		walkFrame(c, 1, at)
		for i := range 100 {
			c.Stage(frame.Stage{Name: "refresh", Seq: 1, Began: at.Add(time.Duration(i) * ms), Took: ms})
		}
		walkFrame(c, 65, at.Add(6*time.Second))
		c.Stage(frame.Stage{Name: "refresh", Seq: 1, Began: at.Add(7 * time.Second), Took: ms})
		c.Stage(frame.Stage{Name: "turn", Took: time.Second})
	})
	if n := len(r.spans); n != maxStages+2 {
		t.Errorf("%d spans, want the frame, its capture and %d stages", n, maxStages)
	}
}

func TestCommandsAreTraced(t *testing.T) {
	r := newReceiver(t)
	began := time.Unix(1_800_000_000, 0)
	collect(t, Options{Endpoint: r.URL + "/", Every: 0}, func(tracer *Tracer) {
		if tracer.Camera("door") != nil {
			t.Error("frames are traced though they are not to be")
		}
		tracer.Command(Command{Door: "mqtt", Camera: "door", Verb: "prompt", ID: "7", Began: began, Took: 30 * ms})
		tracer.Command(Command{Door: "http", Camera: "door", Verb: "undo", Code: "conflict", Began: began.Add(time.Second), Took: ms})
	})
	spans := r.named("command")
	if len(spans) != 2 {
		t.Fatalf("%d commands", len(spans))
	}
	done, refused := spans[0], spans[1]
	if took := done.GetEndTimeUnixNano() - done.GetStartTimeUnixNano(); took != uint64(30*ms) || done.GetStatus().GetCode() != tracepb.Status_STATUS_CODE_UNSET {
		t.Errorf("took %d, status %v", took, done.GetStatus())
	}
	for key, want := range map[string]string{"segedge.door": "mqtt", "segedge.camera": "door", "segedge.verb": "prompt", "segedge.command": "7"} {
		if !strings.Contains(attributeOf(done, key), want) {
			t.Errorf("%s is %q, want %s", key, attributeOf(done, key), want)
		}
	}
	if s := refused.GetStatus(); s.GetCode() != tracepb.Status_STATUS_CODE_ERROR || s.GetMessage() != "conflict" {
		t.Errorf("status %v of a refusal", s)
	}
}

func TestEnvironment(t *testing.T) {
	for _, c := range []struct {
		name, endpoint string
		env            map[string]string
		want           bool
	}{
		{"nothing", "", nil, false},
		{"a setting", "http://collector:4318", nil, true},
		{"the standard variable", "", map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}, true},
		{"that of traces", "", map[string]string{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://collector:4318/v1/traces"}, true},
		{"switched off", "http://collector:4318", map[string]string{"OTEL_SDK_DISABLED": "true"}, false},
		{"no exporter", "http://collector:4318", map[string]string{"OTEL_TRACES_EXPORTER": "none"}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			for k, v := range c.env {
				t.Setenv(k, v)
			}
			if got := New(Options{Endpoint: c.endpoint}) != nil; got != c.want {
				t.Errorf("traces: %v, want %v", got, c.want)
			}
		})
	}
	t.Run("is used", func(t *testing.T) {
		r := newReceiver(t)
		t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", r.URL)
		t.Setenv("OTEL_RESOURCE_ATTRIBUTES", "site=yard")
		collect(t, Options{}, func(tracer *Tracer) { tracer.Command(Command{Verb: "undo"}) })
		if len(r.named("command")) != 1 || r.resource["site"] != "yard" {
			t.Errorf("%d spans of %v", len(r.spans), r.resource)
		}
	})
}

// A collector that refuses, or is not there, costs a line in the log.
func TestCollectorAway(t *testing.T) {
	refuses := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }))
	defer refuses.Close()
	gone := httptest.NewServer(nil)
	gone.Close()
	for _, address := range []string{refuses.URL, gone.URL} {
		var log bytes.Buffer
		collect(t, Options{Endpoint: address, Logger: slog.New(slog.NewTextHandler(&log, nil))}, func(tracer *Tracer) {
			for range 10 * maxWaiting {
				tracer.Command(Command{Verb: "undo"})
			}
		})
		if n := strings.Count(log.String(), "traces are not taken"); n != 1 {
			t.Errorf("said %d times:\n%s", n, log.String())
		}
	}
}

// Run sends what it has when it ends, and nothing is made before it and after it.
func TestRun(t *testing.T) {
	r := newReceiver(t)
	tracer := New(Options{Endpoint: r.URL})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := tracer.Run(ctx); err != nil {
		t.Error(err)
	}
	tracer.Command(Command{Verb: "undo"})
	if len(r.spans) != 0 {
		t.Errorf("%d spans", len(r.spans))
	}
	bad := New(Options{Endpoint: "http://[::1"})
	if err := bad.Run(t.Context()); err == nil {
		t.Error("an address that makes no sense is taken")
	}
}

// Nothing is allocated for a frame that is not sent, with traces or without.
func TestNothingIsAllocated(t *testing.T) {
	r := newReceiver(t)
	collect(t, Options{Endpoint: r.URL, Every: time.Hour}, func(tracer *Tracer) {
		var none *Tracer
		for _, c := range []*Camera{none.Camera("door"), tracer.Camera("door")} {
			at, seq := time.Unix(1_800_000_000, 0), uint64(0)
			next := func() {
				seq++
				at = at.Add(10 * ms)
				walkFrame(c, seq, at)
			}
			for range 1000 { // past the first frame, which is sent
				next()
			}
			if n := testing.AllocsPerRun(1000, next); n > 0 {
				t.Errorf("%.0f allocations a frame", n)
			}
		}
	})
}
