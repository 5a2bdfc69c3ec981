package pipeline

import (
	"context"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/segedge/segedge/inference/inferencetest"
	"github.com/segedge/segedge/seg"
)

// wait takes a turn and waits until it has come.
func (u *turn) wait(ctx context.Context) error {
	if u.take() {
		return nil
	}
	select {
	case <-u.came:
		u.got()
		return nil
	case <-ctx.Done():
		u.end()
		return ctx.Err()
	}
}

// taken are turns of which another camera has one.
func taken(t *testing.T) (*Turns, *turn) {
	t.Helper()
	turns := NewTurns(1, nil)
	other := newTurn(turns)
	if !other.take() {
		t.Fatal("the first does not get a turn")
	}
	t.Cleanup(other.end)
	return turns, other
}

// Cameras that always want the model get the same number of turns, and no more work at once than there may.
func TestTurnsAreShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const cameras, places = 5, 2
		turns := NewTurns(places, nil)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		var had [cameras]int
		var working, most atomic.Int64
		done := make(chan bool)
		for i := range cameras {
			go func() {
				defer func() { done <- true }()
				u := newTurn(turns)
				for u.wait(ctx) == nil && ctx.Err() == nil {
					had[i]++
					if n := working.Add(1); n > most.Load() {
						most.Store(n)
					}
					time.Sleep(20 * time.Millisecond) // the model
					working.Add(-1)
					u.give()
				}
				u.end()
			}()
		}
		for range cameras {
			<-done
		}
		if low, high := slices.Min(had[:]), slices.Max(had[:]); high-low > 20 || low < 180 || most.Load() != places {
			t.Errorf("turns %v, at most %d at once", had, most.Load())
		}
		if turns.Waiting() != 0 || turns.Taken() < cameras*180 || turns.free != places {
			t.Errorf("%d wait, %d were taken, %d places are free", turns.Waiting(), turns.Taken(), turns.free)
		}
	})
}

// Who leaves gives back what it has, also a turn that has come and was not noticed, and keeps nobody waiting.
func TestLeavingTheTurns(t *testing.T) {
	turns, other := taken(t)
	a, b, c := newTurn(turns), newTurn(turns), newTurn(turns)
	for _, u := range []*turn{a, b, c, b} {
		if u.take() {
			t.Fatal("two have the only turn")
		}
	}
	if n := turns.Waiting(); n != 3 {
		t.Errorf("%d wait, want 3", n)
	}
	a.end()
	other.give()
	b.end()
	if c.take() {
		t.Error("a turn that comes is taken by got")
	}
	<-c.came
	if c.got(); turns.Waiting() != 0 || !c.take() || turns.Still() <= 0 {
		t.Errorf("%d wait, still for %v", turns.Waiting(), turns.Still())
	}
	c.end()
	if other.end(); turns.free != 1 || turns.Still() != 0 {
		t.Errorf("%d places are free of one", turns.free)
	}
}

// That the model is too slow for so many is told when it has been so for a while, once, and when it is over.
func TestCrowdingIsToldOnChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told []bool
		turns := NewTurns(1, func(crowded bool, _ time.Duration) { told = append(told, crowded) })
		for _, phase := range []struct {
			late, lasts time.Duration
			want        []bool
		}{
			{100 * time.Millisecond, time.Minute, nil}, {3 * time.Second, 15 * time.Second, nil}, {0, 10 * time.Second, nil}, {3 * time.Second, time.Minute, []bool{true}},
			{800 * time.Millisecond, time.Minute, []bool{true}}, {3 * time.Second, time.Hour, []bool{true}}, {50 * time.Millisecond, time.Minute, []bool{true, false}},
		} {
			for end := time.Now().Add(phase.lasts); time.Now().Before(end); time.Sleep(phase.late + 500*time.Millisecond) {
				turns.mu.Lock()
				turns.note(phase.late, time.Now())
				turns.mu.Unlock()
			}
			if !slices.Equal(told, phase.want) {
				t.Fatalf("after %v of %v late: told %v, want %v", phase.lasts, phase.late, told, phase.want)
			}
		}
	})
}

// What counts is how old a keyframe is when its objects are known, where it had to wait; and that nobody wants the model ends it too.
func TestCrowdingIsTheAgeOfKeyframes(t *testing.T) {
	for _, c := range []struct {
		what    string
		cameras int
		work    time.Duration
		want    []bool
	}{
		{"two that wait 0.6 s and take 0.6 s, until they stop", 2, 600 * time.Millisecond, []bool{true, false}},
		{"two that wait 0.2 s and take 0.2 s", 2, 200 * time.Millisecond, nil},
		{"one that takes 3 s: there is none to take away", 1, 3 * time.Second, nil},
	} {
		synctest.Test(t, func(t *testing.T) {
			var told []bool
			turns := NewTurns(1, func(crowded bool, _ time.Duration) { told = append(told, crowded) })
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			defer cancel()
			for range c.cameras {
				go func() {
					u := newTurn(turns)
					for u.wait(ctx) == nil && ctx.Err() == nil {
						time.Sleep(c.work)
						u.give()
					}
					u.end()
				}()
			}
			time.Sleep(3 * time.Minute)
			turns.mu.Lock() // told was
			defer turns.mu.Unlock()
			if !slices.Equal(told, c.want) {
				t.Errorf("%s: told %v, want %v", c.what, told, c.want)
			}
		})
	}
}

// A place that is never given back is seen, once it keeps everybody else from a turn.
func TestPlacesThatAreNotGivenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turns := NewTurns(2, nil)
		a, b := newTurn(turns), newTurn(turns)
		a.take()
		time.Sleep(time.Minute)
		if d := turns.Still(); d != 0 {
			t.Errorf("still for %v with a place free", d)
		}
		b.take()
		time.Sleep(time.Second)
		if d := turns.Still(); d != time.Second {
			t.Errorf("still for %v, want a second", d)
		}
		b.give()
		if d := turns.Still(); d != 0 {
			t.Errorf("still for %v after one was given back", d)
		}
	})
}

// wantsTurn shows frames until the camera waits for its turn behind n others.
func (r *rig) wantsTurn(turns *Turns, n int) {
	r.t.Helper()
	for turns.Waiting() <= n {
		if err := r.Keyframe(r.t.Context()); err != nil {
			r.t.Fatal(err)
		}
		r.next()
	}
}

// A camera that waits for its turn is not one whose model hangs, answers prompts meanwhile, whether their keyframe is there or not, and ends at
// once.
func TestWaitingForATurn(t *testing.T) {
	for _, frames := range []int{1, 70} { // 64 are remembered
		turns, _ := taken(t)
		r := newRig(t, inferencetest.New(inferencetest.Options{}), func(o *Options) { o.Turns = turns }, still)
		r.next()
		if a := r.wait(r.click(still.center(1), 1)); a.err != nil {
			t.Fatalf("a person waits for another camera's routine: %v", a.err)
		}
		r.wantsTurn(turns, 0)
		for range frames {
			r.next()
		}
		if c := r.Counters(); r.WorkingFor() != 0 || c.Busy != (Busy{}) {
			t.Errorf("at work for %v, busy %+v", r.WorkingFor(), c.Busy)
		}
		if a := r.wait(r.click(still.center(1), 0)); a.err != nil {
			t.Errorf("a prompt, %d frames on: %v", frames, a.err)
		}
	}
}

var still = block{x: 100, y: 100, w: 40, h: 40, color: [3]int{60, 60, 200}}

// However long a camera waits for its turns, each gives it a keyframe of the present, and answers about its objects.
func TestKeyframesThatWaitForTheirTurnAreOfThePresent(t *testing.T) {
	large := block{x: 40, y: 40, w: 200, h: 160, color: [3]int{60, 60, 200}} // too large for crops
	turns, other := taken(t)
	r := newRig(t, inferencetest.New(inferencetest.Options{}), func(o *Options) { o.Turns = turns }, large)
	r.next()
	if a := r.wait(r.click(large.center(1), 1)); a.err != nil {
		t.Fatal(a.err)
	}
	for round := range 3 {
		r.wantsTurn(turns, 0)
		for range 70 {
			r.next()
		}
		before := r.n
		other.give()
		if err := other.wait(t.Context()); err != nil { // after the camera
			t.Fatal(err)
		}
		if c := r.Counters(); c.LastKeyframe < before {
			t.Errorf("round %d: frame %d, and the last keyframe that was answered is %d, of %d", round, before, c.LastKeyframe, c.Keyframes)
		}
		if o := r.next(); len(o) != 1 || o[0].State != seg.Tracking {
			t.Errorf("round %d: %+v", round, o)
		}
	}
}
