package soak

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"mime"
	"mime/multipart"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"
)

// A slope is found within its interval nine times in ten, also where neighbouring samples follow one another.
func TestTrendFindsASlopeWithinItsInterval(t *testing.T) {
	for _, follow := range []float64{0, 0.8} {
		within, n := 0, 200
		for seed := range n {
			noise := rand.New(rand.NewPCG(uint64(seed), 7))
			at, values := make([]float64, 240), make([]float64, 240)
			drift := 0.0
			for i := range at {
				drift = follow*drift + noise.NormFloat64()
				at[i], values[i] = float64(15*i), 300+6*float64(15*i)/3600+drift
			}
			if trend := trendOf(at, values); math.Abs(trend.PerHour-6) <= trend.Interval {
				within++
			}
		}
		if within < n*9/10 {
			t.Errorf("with neighbours that follow by %g only %d of %d intervals hold the slope", follow, within, n)
		}
	}
}

func TestTrendOfTooLittleIsNone(t *testing.T) {
	if trend := trendOf([]float64{0, 1, 2}, []float64{1, 2, 3}); !math.IsInf(trend.Interval, 1) {
		t.Errorf("three samples tell a slope: %+v", trend)
	}
}

// The values are those of tables of Student's distribution.
func TestStudentsQuantile(t *testing.T) {
	for df, want := range map[float64]float64{3: 3.182, 5: 2.571, 10: 2.228, 30: 2.042, 120: 1.980} {
		if got := student95(df); math.Abs(got-want) > 0.012*want {
			t.Errorf("%g degrees of freedom: %.3f, want %.3f", df, got, want)
		}
	}
}

func TestMetricsAreReadByNameAndLabels(t *testing.T) {
	text := "# HELP go_goroutines number\n# TYPE go_goroutines gauge\ngo_goroutines 42\nsegedge_fps{camera=\"steady\"} 14.5\nnot a metric\n\n"
	got, err := parseMetrics(strings.NewReader(text))
	if err != nil || got["go_goroutines"] != 42 || got[`segedge_fps{camera="steady"}`] != 14.5 {
		t.Errorf("%v, %v", got, err)
	}
}

func TestSampleOfThisProcess(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "go_memstats_heap_alloc_bytes 2.097152e+06\ngo_memstats_sys_bytes 1048576\ngo_memstats_heap_released_bytes 0\ngo_goroutines 3\nsegedge_fps{camera=\"a\"} 15\n")
	}))
	defer server.Close()
	s, err := take(t.Context(), os.Getpid(), server.URL, "a")
	if err != nil {
		t.Fatal(err)
	}
	if s.RSS < 1 || s.Threads < 1 || s.Files < 1 || s.Heap != 2 || s.Goroutines != 3 || s.FPS != 15 || s.Native != s.RSS-1 {
		t.Errorf("%+v", s)
	}
	if _, err := take(t.Context(), os.Getpid(), server.URL+"/nothing\x7f", "a"); err == nil {
		t.Error("an address that is none was scraped")
	}
}

func TestLedgerHoldsEventsAgainstTheirNumbers(t *testing.T) {
	event := func(stream, camera string, seq int, more string) []byte {
		return fmt.Appendf(nil, `{"event_id":"%s-%d","camera":%q,"type":"object.updated"%s}`, stream, seq, camera, more)
	}
	dropped := func(seq, from, to int) []byte {
		return fmt.Appendf(nil, `{"event_id":"s-%d","camera":"a","type":"events.dropped","from":%d,"to":%d}`, seq, from, to)
	}
	for name, c := range map[string]struct {
		events           [][]byte
		lost, duplicates int
		late             int
	}{
		"in order":              {events: [][]byte{event("s", "a", 5, ""), event("s", "a", 6, ""), event("s", "b", 1, "")}},
		"twice":                 {events: [][]byte{event("s", "a", 1, ""), event("s", "a", 2, ""), event("s", "a", 2, "")}, duplicates: 1},
		"a hole":                {events: [][]byte{event("s", "a", 1, ""), event("s", "a", 4, "")}, lost: 2},
		"a hole explained":      {events: [][]byte{event("s", "a", 1, ""), dropped(4, 2, 3)}},
		"explained later":       {events: [][]byte{event("s", "a", 1, ""), event("s", "a", 3, ""), dropped(4, 2, 2)}},
		"explained in part":     {events: [][]byte{event("s", "a", 1, ""), dropped(5, 2, 3)}, lost: 1},
		"out of order":          {events: [][]byte{event("s", "a", 1, ""), event("s", "a", 3, ""), event("s", "a", 2, "")}, late: 1},
		"a new stream":          {events: [][]byte{event("s", "a", 7, ""), event("r", "a", 1, "")}},
		"what cannot be read":   {events: [][]byte{[]byte("{"), event("s", "a", 1, "")}, lost: 1},
		"an id that is no name": {events: [][]byte{[]byte(`{"event_id":"x","camera":"a"}`)}, lost: 1},
	} {
		l := newLedger()
		for _, e := range c.events {
			l.note(e)
		}
		if l.lost() != c.lost || l.duplicates != c.duplicates || l.late != c.late {
			t.Errorf("%s: %d lost, %d twice, %d late, want %d, %d, %d", name, l.lost(), l.duplicates, l.late, c.lost, c.duplicates, c.late)
		}
		if named := l.named(20); len(named) != len(l.missing) {
			t.Errorf("%s: %v are named of %v", name, named, l.missing)
		}
	}
}

func TestLedgerIsBounded(t *testing.T) {
	l := newLedger()
	l.note([]byte(`{"event_id":"s-1","camera":"a"}`))
	l.note(fmt.Appendf(nil, `{"event_id":"s-%d","camera":"a"}`, 3*maxMissing))
	if len(l.missing) != maxMissing || l.lost() != 3*maxMissing-2 {
		t.Errorf("%d remembered, %d lost", len(l.missing), l.lost())
	}
}

// echo answers what it gets until the test ends.
func echo(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(c, c); _ = c.Close() }()
		}
	}()
	return l.Addr().String()
}

func TestLinkIsCutAndFrozen(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	l, err := newLink(ctx, echo(t))
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { l.run(ctx); close(ended) }()
	dial := func() net.Conn {
		t.Helper()
		c, err := net.Dial("tcp", l.addr())
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	c := dial()
	said := make([]byte, 2)
	say := func() error {
		if _, err := io.WriteString(c, "hi"); err != nil {
			return err
		}
		_, err := io.ReadFull(c, said)
		return err
	}
	if err := say(); err != nil {
		t.Fatalf("through an open link: %v", err)
	}
	l.setFrozen(true)
	heard := make(chan error, 1)
	go func() { heard <- say() }()
	l.setFrozen(false)
	if err := <-heard; err != nil {
		t.Errorf("after a frost: %v", err)
	}
	l.setCut(true)
	if _, err := c.Read(said); err == nil {
		t.Error("a cut link still gives")
	}
	if _, err := dial().Read(said); err == nil {
		t.Error("a cut link takes connections")
	}
	l.setCut(false)
	c = dial()
	if err := say(); err != nil {
		t.Errorf("through a mended link: %v", err)
	}
	l.setFrozen(true) // it must end frozen, too
	cancel()
	<-ended
}

func TestCameraFailsWhenTold(t *testing.T) {
	c, err := newCamera()
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(c)
	defer server.Close()
	resp, err := http.Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	_, params, err := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	parts := multipart.NewReader(resp.Body, params["boundary"])
	next := func() []byte {
		p, err := parts.NextPart()
		if err != nil {
			return nil
		}
		data, err := io.ReadAll(p)
		if err != nil {
			return nil
		}
		return data
	}
	if p := next(); !bytes.HasPrefix(p, []byte{0xff, 0xd8}) {
		t.Fatalf("no JPEG came: %d bytes", len(p))
	}
	c.be(small)
	for range 3 { // one may be under way
		if p := next(); len(p) == 0 {
			t.Fatal("no picture of another size came")
		}
	}
	c.be(gone)
	for next() != nil {
	}
	if resp, err := http.Get(server.URL); err != nil || resp.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("a camera that is gone answers %v, %v", resp, err)
	}
}

func TestPlotShowsEachSeries(t *testing.T) {
	r := &Report{Seconds: 600, WarmUp: 60, Faults: []Fault{{At: 100, What: "the broker goes away"}}, Trends: map[string]Trend{"RSS": {PerHour: 3, Interval: 1}}}
	for i := range 40 {
		r.Samples = append(r.Samples, Sample{At: float64(15 * i), RSS: 250, Heap: 30, FPS: 15})
	}
	var b bytes.Buffer
	if err := r.Plot(&b); err != nil {
		t.Fatal(err)
	}
	svg := b.String()
	for _, want := range []string{"<svg", "RSS", "Go heap", "descriptors", "+3.0 ± 1.0 an hour", "the broker goes away", "</svg>"} {
		if !strings.Contains(svg, want) {
			t.Errorf("the picture lacks %q", want)
		}
	}
	if strings.Contains(svg, "NaN") || strings.Contains(svg, "Inf") {
		t.Error("the picture has places that are none")
	}
	if n := strings.Count(svg, "<polyline"); n != len(series) {
		t.Errorf("%d lines for %d series", n, len(series))
	}
}

// An agent that cannot start is told at once, with where its log is.
func TestProgramThatEndsAtOnce(t *testing.T) {
	_, err := Run(t.Context(), Options{Program: "/bin/false", Dir: t.TempDir(), Duration: time.Second, Sample: time.Second, Every: time.Second})
	if err == nil || !strings.Contains(err.Error(), "agent.log") {
		t.Errorf("%v", err)
	}
}

func TestVerdictNamesEachFault(t *testing.T) {
	good := Report{Events: 9, Trends: map[string]Trend{"RSS": {PerHour: 1, Interval: 1}}}
	if err := good.Verdict(4); err != nil {
		t.Errorf("a good soak: %v", err)
	}
	for want, r := range map[string]Report{
		"end well":        {Events: 9, Exit: "signal: killed", Trends: good.Trends},
		"3 events":        {Events: 9, Lost: 3, Trends: good.Trends},
		"no event":        {Trends: good.Trends},
		"resident memory": {Events: 9, Trends: map[string]Trend{"RSS": {PerHour: 3, Interval: 2}}},
	} {
		if err := r.Verdict(4); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
	var b bytes.Buffer
	good.Samples = []Sample{{RSS: 200}, {RSS: 201}}
	if err := good.Summary(&b); err != nil || !strings.Contains(b.String(), "| RSS | 200.0 MiB | 201.0 MiB | +1.0 ± 1.0 | 2.0 |") {
		t.Errorf("%v\n%s", err, b.String())
	}
}
