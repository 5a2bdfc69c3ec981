package webhook

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/secret"
	"github.com/segedge/segedge/seg"
)

// patience is a safety net, no measurement.
const patience = 30 * time.Second

// receiver answers what a test says, and keeps what it has taken.
type receiver struct {
	t *testing.T
	*httptest.Server
	mu     sync.Mutex
	answer func(n int, e api.Event) int // of the nth request; nil is 204
	asked  int
	taken  []api.Event
	auth   string
}

func newReceiver(t *testing.T, tls bool) *receiver {
	r := &receiver{t: t}
	r.Server = httptest.NewUnstartedServer(r)
	r.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0)
	if tls {
		r.StartTLS()
	} else {
		r.Start()
	}
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	body, err := io.ReadAll(q.Body)
	var e api.Event
	if err == nil {
		err = json.Unmarshal(body, &e)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil || q.Method != http.MethodPost || q.Header.Get("Content-Type") != "application/json" {
		r.t.Errorf("%s %s: %v", q.Method, q.Header.Get("Content-Type"), err)
	}
	r.auth = q.Header.Get("Authorization")
	r.asked++
	status := http.StatusNoContent
	if r.answer != nil {
		status = r.answer(r.asked, e)
	}
	if status < 300 {
		r.taken = append(r.taken, e)
	}
	w.WriteHeader(status)
}

// await waits until so many events have been taken.
func (r *receiver) await(n int) []api.Event {
	r.t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		r.mu.Lock()
		got := append([]api.Event(nil), r.taken...)
		r.mu.Unlock()
		if len(got) >= n {
			return got
		}
		if time.Now().After(end) {
			r.t.Fatalf("%d events of %d were taken", len(got), n)
		}
	}
}

// run runs a client; stop ends it.
func run(t *testing.T, o Options) (c *Client, stop func()) {
	t.Helper()
	o.Pause = time.Millisecond
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	return c, stop
}

func event(camera string, n int) seg.Event {
	return seg.Event{Camera: camera, Type: seg.ZoneEntered, Time: time.Unix(int64(n), 0), Details: map[string]any{"zone": fmt.Sprint(n)}}
}

// Whatever a receiver does, events come in order and none is missing.
func TestEventsComeInOrderHoweverOftenTheReceiverFails(t *testing.T) {
	r := newReceiver(t, false)
	r.answer = func(n int, _ api.Event) int {
		return []int{500, 503, 204, 404, 429, 401, 302, 204, 408}[n%9]
	}
	c, _ := run(t, Options{URL: r.URL, Dir: filepath.Join(t.TempDir(), "box"), Token: "0123456789abcdef"})
	const n = 12
	for i := range n {
		c.Publish(event("yard", i), 0)
	}
	for i, e := range r.await(n) {
		if e.Seq != uint64(i+1) || e.Details["zone"] != fmt.Sprint(i) {
			t.Errorf("event %d is %+v", i, e)
		}
	}
	if r.auth != "Bearer 0123456789abcdef" {
		t.Errorf("authorization %q", r.auth)
	}
}

// An event that the receiver will never take is set aside, and that is told in its place.
func TestWhatIsRefusedIsToldAndHoldsNothingUp(t *testing.T) {
	r := newReceiver(t, false)
	r.answer = func(_ int, e api.Event) int {
		if e.Details["zone"] == "1" {
			return http.StatusUnprocessableEntity
		}
		return http.StatusNoContent
	}
	c, _ := run(t, Options{URL: r.URL})
	for i := range 3 {
		c.Publish(event("yard", i), 0)
	}
	var dropped *api.Event
	got := r.await(3)
	for i := range got {
		if got[i].Type == seg.EventsDropped {
			dropped = &got[i]
		}
	}
	if dropped == nil || dropped.Details["from"] != 2. || dropped.Details["to"] != 2. {
		t.Errorf("%+v", got)
	}
}

// What was not taken when the agent stops comes after the next start, with the same id; what was does not come again.
func TestEventsOutliveARestart(t *testing.T) {
	r := newReceiver(t, false)
	dir := filepath.Join(t.TempDir(), "box")
	var refuses = true
	r.answer = func(n int, _ api.Event) int {
		if n > 1 && refuses {
			return http.StatusServiceUnavailable
		}
		return http.StatusNoContent
	}
	c, stop := run(t, Options{URL: r.URL, Dir: dir})
	for i := range 3 {
		c.Publish(event("yard", i), 0)
	}
	first := r.await(1)
	stop()
	r.mu.Lock()
	refuses = false
	r.mu.Unlock()
	run(t, Options{URL: r.URL, Dir: dir})
	got := r.await(3)
	for i, e := range got {
		if e.Seq != uint64(i+1) || strings.TrimSuffix(e.EventID, fmt.Sprint("-", e.Seq)) != strings.TrimSuffix(first[0].EventID, "-1") {
			t.Errorf("event %d is %s", i, e.EventID)
		}
	}
}

func TestOnlyTheTypesThatAreAskedFor(t *testing.T) {
	r := newReceiver(t, false)
	c, _ := run(t, Options{URL: r.URL, Events: []seg.EventType{seg.LineCrossed}})
	c.Publish(event("yard", 1), 0)
	c.Publish(seg.Event{Camera: "yard"}, 4) // given up before they came here
	c.Publish(seg.Event{Camera: "yard", Type: seg.LineCrossed, Time: time.Unix(1, 0)}, 0)
	types := map[seg.EventType]int{}
	for _, e := range r.await(2) {
		types[e.Type]++
	}
	if types[seg.LineCrossed] != 1 || types[seg.EventsDropped] != 1 {
		t.Errorf("%v", types)
	}
}

// A flood is bounded: what finds no room is told.
func TestAFlood(t *testing.T) {
	c, err := New(Options{URL: "http://127.0.0.1:1/"})
	if err != nil {
		t.Fatal(err)
	}
	for i := range handover + 7 {
		c.Publish(event("yard", i), 0)
	}
	c.journal(nil)
	c.journal(nil)
	if s := c.Stats(); s.Dropped != 7 || s.Pending != handover+1 {
		t.Errorf("%+v", s)
	}
	c.outbox.Close()
}

func TestTLS(t *testing.T) {
	r := newReceiver(t, true)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: r.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	c, _ := run(t, Options{URL: r.URL, CA: ca})
	c.Publish(event("yard", 1), 0)
	r.await(1)
	stranger, stop := run(t, Options{URL: r.URL})
	stranger.Publish(event("yard", 2), 0)
	for end := time.Now().Add(patience); stranger.Stats().Pending == 0; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the event is not journalled")
		}
	}
	stop()
	if n := len(r.await(1)); n != 1 {
		t.Errorf("%d events were taken: one went to a receiver that nobody vouches for", n)
	}
	for _, o := range []Options{{URL: r.URL, CA: "/none"}, {URL: r.URL, CA: os.Args[0]}, {URL: r.URL, Cert: ca, Key: ca}, {}} {
		if _, err := New(o); err == nil {
			t.Errorf("%+v is taken", o)
		}
	}
}

// Nothing that is secret in an address is written anywhere.
func TestSecretsAreMasked(t *testing.T) {
	var log bytes.Buffer
	var mu sync.Mutex
	logger := slog.New(secret.NewHandler(slog.NewTextHandler(lockedWriter{&mu, &log}, nil)))
	c, stop := run(t, Options{URL: "http://user:hunter22@127.0.0.1:1/hook?token=swordfish", Logger: logger})
	c.Publish(event("yard", 1), 0)
	for end := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		mu.Lock()
		said := log.String()
		mu.Unlock()
		if strings.Contains(said, "does not take events") {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("it is not told that nobody takes the events: %s", said)
		}
	}
	stop()
	for _, s := range []string{"hunter22", "swordfish"} {
		if strings.Contains(log.String(), s) {
			t.Errorf("the log says %s: %s", s, log.String())
		}
	}
}

type lockedWriter struct {
	mu *sync.Mutex
	w  io.Writer
}

func (l lockedWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}

func TestPauses(t *testing.T) {
	c, err := New(Options{URL: "http://127.0.0.1:1/"})
	if err != nil {
		t.Fatal(err)
	}
	defer c.outbox.Close()
	why := fmt.Errorf("away")
	for i, most := range []time.Duration{time.Second, 2 * time.Second, 4 * time.Second} {
		if got := c.later(t.Context(), 0, why); got > most || got < most*3/4 {
			t.Errorf("pause %d is %v, want at most %v", i, got, most)
		}
	}
	c.failed.n = 1000
	if got := c.later(t.Context(), 0, why); got > lastPause || got < lastPause/2 {
		t.Errorf("after long it is %v", got)
	}
	if got := c.later(t.Context(), time.Hour, why); got != mostAfter {
		t.Errorf("a receiver asked for an hour and gets %v", got)
	}
	answer := &http.Response{StatusCode: 503, Status: "503 Service Unavailable", Header: http.Header{"Retry-After": {"7"}}}
	if v, after, err := judge(answer); v != again || after != 7*time.Second || err == nil {
		t.Errorf("%v, %v, %v", v, after, err)
	}
}
