package pipeline

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/segedge/segedge/inference/inferencetest"
)

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
				for {
					if _, err := turns.take(ctx); err != nil {
						return
					}
					had[i]++
					if n := working.Add(1); n > most.Load() {
						most.Store(n)
					}
					time.Sleep(20 * time.Millisecond) // the model
					working.Add(-1)
					turns.done()
				}
			}()
		}
		for range cameras {
			<-done
		}
		if low, high := slices.Min(had[:]), slices.Max(had[:]); high-low > 20 || low < 180 || most.Load() != places {
			t.Errorf("turns %v, at most %d at once", had, most.Load())
		}
		if turns.Waiting() != 0 || turns.Taken() < cameras*180 {
			t.Errorf("%d wait, %d were taken", turns.Waiting(), turns.Taken())
		}
	})
}

// That the model is too slow for so many is told when it has been so for a while, once, and when it is over.
func TestCrowdingIsToldOnChange(t *testing.T) {
	var told []bool
	turns := NewTurns(1, func(crowded bool, _ time.Duration) { told = append(told, crowded) })
	now := time.Unix(0, 0)
	for _, phase := range []struct {
		wait, lasts time.Duration
		want        []bool
	}{
		{100 * time.Millisecond, time.Minute, nil}, {3 * time.Second, 15 * time.Second, nil}, {0, 10 * time.Second, nil}, {3 * time.Second, time.Minute, []bool{true}},
		{800 * time.Millisecond, time.Minute, []bool{true}}, {3 * time.Second, time.Hour, []bool{true}}, {50 * time.Millisecond, time.Minute, []bool{true, false}},
	} {
		for end := now.Add(phase.lasts); now.Before(end); now = now.Add(phase.wait + 500*time.Millisecond) {
			turns.note(phase.wait, now)
		}
		if !slices.Equal(told, phase.want) {
			t.Fatalf("after %v of waiting %v: told %v, want %v", phase.lasts, phase.wait, told, phase.want)
		}
	}
}

// A camera that waits for its turn is not one whose model hangs, answers prompts meanwhile, and ends at once.
func TestWaitingForATurn(t *testing.T) {
	turns := NewTurns(1, nil)
	if _, err := turns.take(t.Context()); err != nil { // another camera works
		t.Fatal(err)
	}
	b := block{x: 100, y: 100, w: 40, h: 40, color: [3]int{60, 60, 200}}
	r := newRig(t, inferencetest.New(inferencetest.Options{}), func(o *Options) { o.Turns = turns }, b)
	r.next()
	if a := r.wait(r.click(b.center(1), 1)); a.err != nil {
		t.Fatalf("a person waits for another camera's routine: %v", a.err)
	}
	for turns.Waiting() == 0 {
		if err := r.Keyframe(t.Context()); err != nil {
			t.Fatal(err)
		}
		r.next()
	}
	if c := r.Counters(); r.EmbedFor() != 0 || !c.Busy.Embed && !c.Busy.Refresh {
		t.Errorf("at work for %v, busy %+v", r.EmbedFor(), c.Busy)
	}
	if a := r.wait(r.click(b.center(1), 1)); errors.Is(a.err, ErrOverloaded) {
		t.Error(a.err)
	}
}
