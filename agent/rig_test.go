package agent

import (
	"context"
	"io"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/capture"
	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/inference/inferencetest"
	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/tracker"
	"github.com/segedge/segedge/tracker/lk"
)

// film is a live source that a test feeds: a red square on a green ground, at the place that the test says.
type film struct {
	frames chan int    // the square's left edge; closed at the end
	beside bool        // a blue square stands to the right
	wide   atomic.Bool // from now on the picture is wider
	dark   atomic.Bool // the lights are off
}

func (s *film) Read(ctx context.Context, dst *frame.Frame) error {
	select {
	case x, ok := <-s.frames:
		if !ok {
			return io.EOF
		}
		w := 160
		if s.wide.Load() {
			w = 200
		}
		dst.Resize(w, 120)
		for i := 0; i < len(dst.Pix); i += 3 {
			px, py := i/3%w, i/3/w
			dst.Pix[i], dst.Pix[i+1], dst.Pix[i+2] = 60, 120, 60
			if px >= x && px < x+40 && py >= 40 && py < 80 {
				dst.Pix[i+1], dst.Pix[i+2] = 40, 220
			} else if s.beside && px >= 100 && px < 130 && py >= 40 && py < 80 {
				dst.Pix[i], dst.Pix[i+1] = 220, 40
			}
			if s.dark.Load() {
				dst.Pix[i], dst.Pix[i+1], dst.Pix[i+2] = 4, 2, 3
			}
		}
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *film) Close() error { return nil }

// diary is an event sink.
type diary struct {
	mu     sync.Mutex
	events []seg.Event
	more   chan struct{}
}

func (d *diary) Publish(e seg.Event) {
	d.mu.Lock()
	d.events = append(d.events, e)
	d.mu.Unlock()
	select {
	case d.more <- struct{}{}:
	default:
	}
}

// await waits for an event of this type.
func (d *diary) await(t *testing.T, typ seg.EventType) seg.Event {
	t.Helper()
	deadline := time.After(20 * time.Second)
	for {
		d.mu.Lock()
		for _, e := range d.events {
			if e.Type == typ {
				d.mu.Unlock()
				return e
			}
		}
		d.mu.Unlock()
		select {
		case <-d.more:
		case <-deadline:
			t.Fatalf("no event %s came", typ)
		}
	}
}

// count is how many events of this type have come.
func (d *diary) count(typ seg.EventType) (n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i := range d.events {
		if d.events[i].Type == typ {
			n++
		}
	}
	return n
}

// screen is a video sink that tells when a frame was shown.
type screen struct{ shown chan uint64 }

func (s *screen) Show(f *frame.Frame, _ []seg.Object) { s.shown <- f.Seq }

type rig struct {
	*Agent
	t     *testing.T
	film  *film
	diary *diary
	shown chan uint64
	ended chan error
	stop  context.CancelFunc
}

func newRig(t *testing.T, change func(*Options, *CameraOptions)) *rig {
	t.Helper()
	r := &rig{t: t, film: &film{frames: make(chan int)}, diary: &diary{more: make(chan struct{}, 1)}, shown: make(chan uint64, 1), ended: make(chan error, 1)}
	model := inferencetest.New(inferencetest.Options{})
	o := Options{Name: "box", Version: "test", Model: model, Events: r.diary}
	co := CameraOptions{
		Name: "cam",
		Source: capture.Options{ // a test may think for longer than a camera may be silent
			Open: func(context.Context) (capture.Source, error) { return r.film, nil }, StallAfter: time.Hour, StuckAfter: time.Hour, OpenLimit: time.Hour,
		},
		Tracker: tracker.New(tracker.Options{}, lk.New(lk.Options{})),
		Video:   &screen{r.shown},
		Viewers: func() int { return 3 },
	}
	if change != nil {
		change(&o, &co)
	}
	a, err := New(o, []CameraOptions{co})
	if err != nil {
		t.Fatal(err)
	}
	r.Agent = a
	ctx, cancel := context.WithCancel(context.Background())
	r.stop = cancel
	go func() { r.ended <- a.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-r.ended; err != nil {
			t.Errorf("the agent ended with %v", err)
		}
		if err := a.Close(); err != nil {
			t.Error(err)
		}
		if n := model.Live(); n != 0 {
			t.Errorf("%d embeddings were never closed", n)
		}
	})
	return r
}

// next shows a frame with the square at x.
func (r *rig) next(x int) uint64 {
	r.t.Helper()
	select {
	case r.film.frames <- x:
	case <-time.After(20 * time.Second):
		r.t.Fatal("the source is not read")
	}
	select {
	case seq := <-r.shown:
		return seq
	case <-time.After(20 * time.Second):
		r.t.Fatal("no frame was shown")
		return 0
	}
}

func (r *rig) do(verb, body string) api.Reply {
	r.t.Helper()
	cmd, bad := api.Decode(verb, []byte(body))
	if bad != nil {
		r.t.Fatalf("%s %s: %v", verb, body, bad)
	}
	return r.Do(r.t.Context(), "cam", cmd)
}

const onSquare = `{"id":"1","points":[{"x":0.3,"y":0.5,"label":1}]}`
