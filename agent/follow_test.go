package agent

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/segedge/segedge/agent/watch"
	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/seg"
)

// squares is a detector that sees the film's squares as they are: "square" is any, "red" and "blue" are one each.
type squares struct {
	hold func() // called before a look; may be nil
}

func (s squares) Every(_ context.Context, _ inference.Segmenter, f *frame.Frame, phrase string) (boxes []seg.Named, most int, err error) {
	if s.hold != nil {
		s.hold()
	}
	for colour, channel := range map[string]int{"red": 2, "blue": 0} {
		if b := spread(f, channel); !b.Empty() && (phrase == "square" || phrase == colour) {
			boxes = append(boxes, seg.Named{Box: b})
		}
	}
	slices.SortFunc(boxes, func(a, b seg.Named) int { return int(1000 * (a.X0 - b.X0)) })
	return boxes, 0, nil
}

func (s squares) Ground(ctx context.Context, m inference.Segmenter, f *frame.Frame, phrase string) ([]seg.Named, string, error) {
	boxes, _, err := s.Every(ctx, m, f, phrase)
	return boxes, "", err
}

// spread is the box of the pixels that are bright in one channel.
func spread(f *frame.Frame, channel int) seg.Box {
	x0, y0, x1, y1 := f.Width, f.Height, 0, 0
	for y := range f.Height {
		for x := range f.Width {
			if f.Pix[y*f.Stride()+3*x+channel] > 180 {
				x0, y0, x1, y1 = min(x0, x), min(y0, y), max(x1, x+1), max(y1, y+1)
			}
		}
	}
	w, h := float64(f.Width), float64(f.Height)
	return seg.Box{X0: float64(x0) / w, Y0: float64(y0) / h, X1: float64(x1) / w, Y1: float64(y1) / h}
}

// newLookout is a rig whose camera looks often and knows squares.
func newLookout(t *testing.T, change func(*Options, *CameraOptions)) *rig {
	return newRig(t, func(o *Options, co *CameraOptions) {
		o.Grounder, o.Look = squares{}, LookOptions{Every: 4 * time.Millisecond, Budget: 0.9}
		co.Zones = []api.Zone{{Name: "yard", Points: [][2]float64{{0.5, 0}, {1, 0}, {1, 1}, {0.5, 1}}}}
		if change != nil {
			change(o, co)
		}
	})
}

// until shows frames with the red square at x until something is so. It is for tests in a bubble of synctest, whose clock goes on only once
// everything has been done about a frame.
func (r *rig) until(x int, what string, so func([]seg.Object) bool) {
	r.t.Helper()
	for i := range 1000 {
		r.next(x + i%2) // nothing stands quite still
		if o, _ := r.Objects("cam"); so(o.Objects) {
			return
		}
		time.Sleep(time.Second / 30) // by the bubble's clock: a camera's frames have a distance
	}
	o, _ := r.Objects("cam")
	r.t.Fatalf("never so: %s; %d objects %+v", what, len(o.Objects), o.Objects)
}

// looks shows frames until the lookout has looked n times more.
func (r *rig) looks(x int, counted func() int, n int) {
	r.t.Helper()
	first := counted()
	r.until(x, "looked again", func([]seg.Object) bool { return counted() >= first+n })
}

func following(n int) func([]seg.Object) bool {
	return func(objects []seg.Object) bool {
		seen := 0
		for _, o := range objects {
			if o.State.Visible() {
				seen++
			}
		}
		return seen == n
	}
}

func (r *rig) ok(verb, body string) api.Reply {
	r.t.Helper()
	reply := r.do(verb, body)
	if !reply.OK {
		r.t.Fatalf("%s %s: %v", verb, body, reply.Error)
	}
	return reply
}

// counter counts the looks of a detector.
func counter(o *Options) func() int {
	n := make(chan int, 1)
	n <- 0
	o.Grounder = squares{hold: func() { n <- 1 + <-n }}
	return func() int { v := <-n; n <- v; return v }
}

// What is followed is found when it comes, once, and again when it was lost; what a person takes away stays away.
func TestFollowFindsWhatComesAndNothingTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var counted func() int
		r := newLookout(t, func(o *Options, _ *CameraOptions) { counted = counter(o) })
		r.next(-100) // nothing is there
		p := r.ok("prompt", `{"text":"square","follow":true}`).Result.(api.PromptResult)
		if p.Object != "" || !strings.Contains(p.Note, "looked for") || p.Watch == nil || p.Watch.Limit != watch.DefaultLimit {
			t.Errorf("%+v", p)
		}
		r.until(30, "the red one is followed", following(1))
		r.film.beside = true
		r.until(30, "the blue one is followed too", following(2))
		for x := range 30 {
			r.looks(30+x, counted, 1)
		}
		if n := r.diary.count(seg.ObjectNew); n != 2 {
			t.Errorf("%d objects were made of two", n)
		}
		o, _ := r.Objects("cam")
		first := o.Objects[0].ID
		r.film.dark.Store(true)
		r.until(59, "all is lost in the dark", func(o []seg.Object) bool { return len(o) == 2 && following(0)(o) })
		r.film.dark.Store(false)
		r.until(10, "the red one is found elsewhere", following(2))
		if o, _ := r.Objects("cam"); len(o.Objects) != 2 || o.Objects[0].ID != first {
			t.Errorf("it is another now: %+v", o.Objects)
		}
		s, _ := r.State("cam")
		if len(s.Watches) != 1 || s.Watches[0].Text != "square" || !slices.Equal(s.Watches[0].Objects, []string{"cam-1", "cam-2"}) {
			t.Errorf("watches %+v", s.Watches)
		}
		r.ok("remove", `{"object":"cam-1"}`)
		r.looks(20, counted, 8)
		if o, _ := r.Objects("cam"); len(o.Objects) != 1 || r.diary.count(seg.ObjectNew) != 2 {
			t.Errorf("what was taken away is back: %+v", o.Objects)
		}
		r.ok("prompt", `{"text":" SQUARE ","follow":false}`)
		if s, _ := r.State("cam"); len(s.Watches) != 0 {
			t.Errorf("it is looked for still: %+v", s.Watches)
		}
		if reply := r.do("prompt", `{"text":"square","follow":false}`); reply.OK || reply.Error.Code != api.Conflict {
			t.Errorf("ended twice: %+v", reply)
		}
	})
}

// What was clicked is followed already, and is not followed twice.
func TestFollowKnowsWhatIsFollowedAlready(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var counted func() int
		r := newLookout(t, func(o *Options, _ *CameraOptions) { counted = counter(o) })
		r.next(40)
		r.ok("prompt", onSquare)
		p := r.ok("prompt", `{"text":"square","follow":true}`).Result.(api.PromptResult)
		if p.Object != "cam-1" || !strings.Contains(p.Note, "already") {
			t.Errorf("%+v", p)
		}
		r.looks(40, counted, 6)
		if n := r.diary.count(seg.ObjectNew); n != 1 {
			t.Errorf("%d objects were made of one", n)
		}
	})
}

func TestFollowKeepsItsBounds(t *testing.T) {
	for name, c := range map[string]struct {
		body string
		want []string // the watch's objects
	}{
		"a limit":                    {`{"text":"square","follow":true,"limit":1}`, []string{"cam-1"}},
		"a zone":                     {`{"text":"square","follow":true,"zones":["yard"]}`, []string{"cam-1"}},
		"a zone, said in the phrase": {`{"text":"square in zone yard","follow":true}`, []string{"cam-1"}},
		"neither":                    {`{"text":"square","follow":true}`, []string{"cam-1", "cam-2"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var counted func() int
				r := newLookout(t, func(o *Options, _ *CameraOptions) { counted = counter(o) })
				r.film.beside = true
				r.next(10)
				r.ok("prompt", c.body)
				r.looks(10, counted, 6)
				s, _ := r.State("cam")
				if len(s.Watches) != 1 || !slices.Equal(s.Watches[0].Objects, c.want) {
					t.Errorf("%+v, want %v", s.Watches, c.want)
				}
				if o, _ := r.Objects("cam"); name == "a zone" && o.Objects[0].Mask.Centroid().X < 0.5 {
					t.Error("what is followed stands elsewhere")
				}
			})
		})
	}
}

func TestFollowEndsWithItsAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newLookout(t, nil)
		r.next(-100)
		r.ok("prompt", `{"text":"square","follow":true,"age":0.02}`)
		r.until(-100, "it is over", func([]seg.Object) bool { s, _ := r.State("cam"); return len(s.Watches) == 0 })
	})
}

func TestFollowIsRefusedWhereItMakesNoSense(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newLookout(t, nil)
		r.next(40)
		if reply := r.do("prompt", `{"text":"square","follow":true,"zones":["attic"]}`); reply.OK || !strings.Contains(reply.Error.Message, "yard") {
			t.Errorf("%+v", reply)
		}
		for i := range maxWatches {
			r.ok("prompt", `{"text":"square`+strings.Repeat(" s", i)+`","follow":true}`)
		}
		if reply := r.do("prompt", `{"text":"one more","follow":true}`); reply.OK || reply.Error.Code != api.Overloaded {
			t.Errorf("%+v", reply)
		}
		r.ok("clear", `{}`)
		if s, _ := r.State("cam"); len(s.Watches) != 0 {
			t.Errorf("%+v", s.Watches)
		}
	})
}

// What is configured and what was commanded is looked for after a restart too, with the objects that it had.
func TestWatchesOutliveARestart(t *testing.T) {
	looks := func(configured ...watch.Saved) func(*CameraOptions) {
		return func(co *CameraOptions) { co.Watches = configured }
	}
	known := livesWith(t, nil, squares{}, looks(watch.Saved{Text: "every red"}), func(r *rig) {
		r.next(40)
		r.ok("prompt", `{"text":"blue","follow":true,"limit":3}`)
		r.film.beside = true
		r.until(40, "the blue one is there", func(o []seg.Object) bool { return len(o) == 1 && o[0].Name == "blue" })
		r.ok("clear", `{}`)
		if s, _ := r.State("cam"); len(s.Watches) != 1 || !s.Watches[0].Configured {
			t.Errorf("after clear: %+v", s.Watches)
		}
		r.ok("prompt", `{"text":"blue","follow":true,"limit":3}`)
		r.until(40, "it is there again", following(1))
	})
	if len(known.Watches) != 2 {
		t.Fatalf("%+v", known.Watches)
	}
	livesWith(t, &known, squares{}, looks(), func(r *rig) {
		r.film.beside = true
		r.until(40, "the blue one is found again", following(1))
		s, _ := r.State("cam")
		if len(s.Watches) != 1 || s.Watches[0].Text != "blue" || s.Watches[0].Limit != 3 || len(s.Watches[0].Objects) != 1 {
			t.Errorf("%+v", s.Watches)
		}
		if n := r.diary.count(seg.ObjectNew); n != 0 {
			t.Errorf("%d objects are new", n)
		}
	})
}

// A click waits for no look, however long it takes.
func TestAClickDoesNotWaitForTheDetector(t *testing.T) {
	arrived, open := make(chan struct{}, 100), make(chan struct{})
	r := newLookout(t, func(o *Options, co *CameraOptions) {
		o.Grounder = squares{hold: func() { arrived <- struct{}{}; <-open }}
		co.Watches = []watch.Saved{{Text: "square"}}
	})
	defer close(open)
	for looking := false; !looking; {
		r.next(40)
		select {
		case <-arrived:
			looking = true
		default:
		}
	}
	r.ok("prompt", onSquare)
}

func TestLooksHaveABudget(t *testing.T) {
	o := LookOptions{}.withDefaults()
	for _, c := range []struct {
		took, want time.Duration
		soon       bool
	}{
		{100 * time.Millisecond, 900 * time.Millisecond, false},
		{10 * time.Millisecond, 240 * time.Millisecond, true},
		{100 * time.Millisecond, 300 * time.Millisecond, true},
		{2 * time.Second, 6 * time.Second, true},
	} {
		if got := o.rest(c.took, c.soon); got != c.want {
			t.Errorf("after %v, soon %v: %v, want %v", c.took, c.soon, got, c.want)
		}
	}
}
