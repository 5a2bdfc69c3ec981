package capture

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/segedge/segedge/frame"
)

const beat = 40 * time.Millisecond

func live(rs ...[]read) script {
	return script{info: Info{Live: true, FPS: 25}, reads: slices.Concat(rs...)}
}

func one(r read) []read { return []read{r} }

func wantKinds(t *testing.T, r *rig, want ...Kind) {
	t.Helper()
	if got := r.kinds(); !slices.Equal(got, want) {
		t.Errorf("states %v, want %v", r.states, want)
	}
}

func TestRunToTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Options{}, live(steady(10, beat)))
		if err := r.run(time.Minute); err != nil {
			t.Fatal(err)
		}
		wantKinds(t, r, Opening, Opened, Ended)
		if len(r.frames) != 10 || r.frames[9].Seq != 10 || r.frames[0].Captured.IsZero() {
			t.Errorf("frames %+v", r.frames)
		}
		if i := r.states[1].Info; i.Width != 4 || i.Height != 2 || i.FPS != 25 {
			t.Errorf("opened with %+v", i)
		}
		if s := r.cap.Stats(); s.Captured != 10 || s.Dropped != 0 || s.State.Kind != Ended || s.Stalls != 0 {
			t.Errorf("stats %+v", s)
		}
	})
}

// A source that pauses is stalled within 2.5 s of its last frame, and goes on with the same handle.
func TestStallIsSeenByTheAgeOfFrames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Options{}, live(steady(5, beat), one(read{after: 4 * time.Second}), steady(5, beat)))
		if err := r.run(time.Minute); err != nil {
			t.Fatal(err)
		}
		wantKinds(t, r, Opening, Opened, Stalled, Recovered, Ended)
		if age := r.at(2) - 5*beat; age < 2*time.Second || age > 2500*time.Millisecond {
			t.Errorf("stall reported %v after the last frame", age)
		}
		if s := r.cap.Stats(); s.Stalls != 1 || s.Reopens != 0 || s.Abandoned != 0 || len(r.opens) != 1 {
			t.Errorf("stats %+v after %d openings", s, len(r.opens))
		}
	})
}

// A failing source is opened again, later each time, within the bounds, and the count of frames goes on.
func TestReopenWithBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := errors.New("connection reset")
		r := newRig(t, Options{}, live(steady(5, beat), one(read{err: broken})))
		r.scripts = append(r.scripts, live(one(read{err: broken})), live(one(read{err: broken})), live(steady(5, beat)))
		if err := r.run(time.Minute); err != nil {
			t.Fatal(err)
		}
		wantKinds(t, r, Opening, Opened, Stalled, Stalled, Stalled, Recovered, Ended)
		if s := r.states[2]; !strings.Contains(s.Reason, "connection reset") || s.Retry == 0 {
			t.Errorf("stalled with %+v", s)
		}
		for i, base := range []time.Duration{500 * time.Millisecond, time.Second, 2 * time.Second} {
			gap := r.opens[i+1].Sub(r.opens[i])
			if i == 0 {
				gap -= 5 * beat
			}
			if gap < base*4/5 || gap > base*6/5 {
				t.Errorf("opening %d came %v after the one before, want %v ± 20 %%", i+2, gap, base)
			}
		}
		if len(r.frames) != 10 || r.frames[9].Seq != 10 {
			t.Errorf("frames %+v", r.frames)
		}
		if s := r.cap.Stats(); s.Stalls != 1 || s.Reopens != 3 {
			t.Errorf("stats %+v", s)
		}
	})
}

// A source that panics costs itself: it is opened again, and no frame is missing from the pool.
func TestASourceThatPanicsIsOpenedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Options{}, live(steady(5, beat), one(read{panic: "index out of range"})))
		r.scripts = append(r.scripts, live(steady(5, beat)))
		if err := r.run(time.Minute); err != nil {
			t.Fatal(err)
		}
		wantKinds(t, r, Opening, Opened, Stalled, Recovered, Ended)
		if s := r.states[2]; !strings.Contains(s.Reason, "panicked: index out of range") {
			t.Errorf("stalled with %+v", s)
		}
		if len(r.frames) != 10 {
			t.Errorf("%d frames", len(r.frames))
		}
	})
}

func TestUnreachableSourceIsTriedUntilStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Options{})
		if err := r.run(2 * time.Minute); err != nil {
			t.Fatal(err)
		}
		if len(r.states) != len(r.opens)+1 || r.states[1].Kind != Stalled {
			t.Errorf("%d openings, states %v", len(r.opens), r.states)
		}
		last := r.opens[len(r.opens)-1].Sub(r.opens[len(r.opens)-2])
		if len(r.opens) < 12 || last > 12*time.Second || last < 8*time.Second {
			t.Errorf("%d openings, the last %v apart", len(r.opens), last)
		}
	})
}

// A read that is stuck in C is left behind with its frame, once; what it gives later is thrown away.
func TestStuckReadIsAbandonedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stuck := one(read{after: 30 * time.Second, stuck: true})
		r := newRig(t, Options{},
			live(steady(5, beat), stuck, steady(100, beat)),
			live(steady(5, beat), stuck, steady(5, beat)))
		if err := r.run(time.Minute); err != nil {
			t.Fatal(err)
		}
		// The first is abandoned; the second, as long as the first is out, is waited for.
		r.states = r.states[:8] // what follows are failed openings
		wantKinds(t, r, Opening, Opened, Stalled, Stalled, Recovered, Stalled, Stalled, Stalled)
		s := r.cap.Stats()
		if s.Abandoned != 2 {
			t.Errorf("abandoned %d", s.Abandoned)
		}
		if len(r.frames) != 10 {
			t.Errorf("%d frames: those of an abandoned read must not appear", len(r.frames))
		}
		if gap := r.opens[1].Sub(r.opens[0]); gap < 5*time.Second || gap > 7*time.Second {
			t.Errorf("opened again after %v", gap)
		}
		if gap := r.opens[2].Sub(r.opens[1]); gap < 24*time.Second {
			t.Errorf("a second read was abandoned beside the first, after %v", gap)
		}
	})
}

// As long as one read is left behind, a stream that is silent but not deaf is told to end all the same.
func TestSilenceBesideAStuckReadEndsASession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Options{},
			live(steady(5, beat), one(read{after: time.Hour, stuck: true})),
			live(steady(5, beat), one(read{after: time.Hour})),
			live(steady(5, beat)))
		if err := r.run(5 * time.Minute); err != nil {
			t.Fatal(err)
		}
		wantKinds(t, r, Opening, Opened, Stalled, Stalled, Recovered, Stalled, Stalled, Recovered, Ended)
		if t.Failed() {
			return
		}
		if s := r.states[6]; len(r.opens) != 3 || r.cap.Stats().Abandoned != 1 || !strings.Contains(s.Reason, "gave up: no frame for 5s") {
			t.Errorf("%d openings, %v, %+v", len(r.opens), r.states, r.cap.Stats())
		}
	})
}

func TestStopDoesNotWaitForAStuckRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Options{}, live(steady(5, beat), one(read{after: time.Minute, stuck: true})))
		done := make(chan time.Duration, 1)
		go func() { // run itself joins the reader in the end, to check for leaks
			r.cap.Run(contextFor(t, time.Second))
			done <- time.Since(r.began)
		}()
		if took := <-done; took > 2100*time.Millisecond {
			t.Errorf("stopping took until %v", took)
		}
		if r.pool.InUse() != 2 || r.cap.Stats().Abandoned != 1 { // one in the slot
			t.Errorf("%d frames in use, %+v", r.pool.InUse(), r.cap.Stats())
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		r.out.Close()
		if err := r.pool.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestSlowOpeningIsReportedAndGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Options{}, live(one(read{after: 40 * time.Second}), steady(3, beat)), live(steady(3, beat)))
		if err := r.run(time.Minute); err != nil {
			t.Fatal(err)
		}
		wantKinds(t, r, Opening, Stalled, Stalled, Opened, Ended)
		if s := r.states[1]; !strings.Contains(s.Reason, "first read") || r.at(1) > 10500*time.Millisecond {
			t.Errorf("%v at %v", s, r.at(1))
		}
	})
}

func TestPermanentErrorEndsTheRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Options{})
		r.openErr = fmt.Errorf("open clip.mp4: no such file: %w", ErrPermanent)
		err := r.run(time.Minute)
		if !errors.Is(err, ErrPermanent) || !strings.Contains(err.Error(), "clip.mp4") {
			t.Errorf("run: %v", err)
		}
		wantKinds(t, r, Opening, Ended)
	})
}

// A file that is missing today may be copied tomorrow: a camera of a configuration is tried for ever.
func TestPermanentErrorIsWaitedForWhereAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Options{Wait: true})
		r.openErr = fmt.Errorf("open clip.mp4: no such file: %w", ErrPermanent)
		if err := r.run(time.Minute); err != nil {
			t.Errorf("run: %v", err)
		}
		if n := len(r.opens); n < 6 || r.states[1].Kind != Stalled || !strings.Contains(r.states[1].Reason, "clip.mp4") {
			t.Errorf("%d openings, states %v", n, r.states)
		}
	})
}

func TestFileIsPacedAndLoops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clip := script{info: Info{FPS: 10}, reads: steady(5, 0)}
		r := newRig(t, Options{Loop: true}, clip, clip, clip)
		r.openErr = io.EOF
		if err := r.run(time.Minute); err != nil {
			t.Fatal(err)
		}
		wantKinds(t, r, Opening, Opened, Ended)
		if len(r.frames) != 15 {
			t.Fatalf("%d frames", len(r.frames))
		}
		for i, f := range r.frames {
			if want := time.Duration(i) * 100 * time.Millisecond; f.Captured.Sub(r.began) != want || f.Seq != uint64(i+1) {
				t.Errorf("frame %d of seq %d at %v, want %v", i, f.Seq, f.Captured.Sub(r.began), want)
			}
		}
		if s := r.cap.Stats(); s.FPS < 9.9 || s.FPS > 10.1 {
			t.Errorf("measured %.2f frames a second", s.FPS)
		}
	})
}

// A loop counts its rounds, by which who follows knows that all may be elsewhere. What shows for a moment alone, such as one picture, does not.
func TestALoopCountsItsRounds(t *testing.T) {
	for frames, want := range map[int]uint64{15: 2, 5: 0} { // of a tenth of a second each
		synctest.Test(t, func(t *testing.T) {
			clip := script{info: Info{FPS: 10}, reads: steady(frames, 0)}
			r := newRig(t, Options{Loop: true}, clip, clip, clip)
			r.openErr = io.EOF
			if err := r.run(time.Minute); err != nil {
				t.Fatal(err)
			}
			if first, last := r.frames[0].Round, r.frames[len(r.frames)-1].Round; first != 0 || last != want {
				t.Errorf("%d frames: rounds %d to %d, want %d", frames, first, last, want)
			}
		})
	}
}

func TestSizeChangeIsReportedAndOddEdgesKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Options{}, live(steady(2, beat), []read{{w: 7, h: 5}, {w: 7, h: 5}}, steady(1, beat)))
		if err := r.run(time.Minute); err != nil {
			t.Fatal(err)
		}
		wantKinds(t, r, Opening, Opened, Resized, Resized, Ended)
		if i := r.states[2].Info; i.Width != 7 || i.Height != 5 {
			t.Errorf("resized to %dx%d", i.Width, i.Height)
		}
	})
}

// Still pictures of several sizes are no faults of a camera: who listens would hear of two events for each.
func TestMixedSizesAreNotReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pictures := script{info: Info{FPS: 10, Mixed: true}, reads: []read{{}, {w: 7, h: 5}, {}, {w: 9, h: 5}}}
		r := newRig(t, Options{}, pictures)
		if err := r.run(time.Minute); err != nil {
			t.Fatal(err)
		}
		wantKinds(t, r, Opening, Opened, Ended)
		if i := r.states[2].Info; i.Width != 9 || i.Height != 5 {
			t.Errorf("the last picture is of %dx%d", i.Width, i.Height)
		}
	})
}

func TestPictureTooSmallIsAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Options{}, live([]read{{w: 1, h: 9}}), live(steady(1, beat)))
		if err := r.run(time.Minute); err != nil {
			t.Fatal(err)
		}
		wantKinds(t, r, Opening, Stalled, Opened, Ended)
	})
}

// With every frame held downstream the source is still drained, and the gap in the numbers shows it.
func TestSourceIsDrainedWhenThePoolIsEmpty(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Options{}, live(steady(20, beat)))
		held := []*frame.Frame{r.pool.Get(), r.pool.Get(), r.pool.Get()}
		var wg sync.WaitGroup
		wg.Go(func() {
			time.Sleep(10 * beat)
			if f, err := r.out.Take(t.Context()); err == nil { // none is left to write over from here on
				held = append(held, f)
			}
		})
		if err := r.cap.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		wg.Wait()
		s := r.cap.Stats()
		if s.Captured != 20 || s.Discarded < 13 || s.Dropped <= s.Discarded || len(held) != 4 {
			t.Errorf("stats %+v", s)
		}
		for _, f := range held {
			f.Release()
		}
		r.out.Close()
		if err := r.pool.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestOptionsAreChecked(t *testing.T) {
	for _, o := range []Options{{}, {Open: func(contextT) (Source, error) { return nil, nil }}} {
		if _, err := New(o); err == nil {
			t.Errorf("%+v accepted", o)
		}
	}
}
