package capture

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func hums(s script) script {
	s.hums = true
	return s
}

// A camera that sends a whole picture only every 20 s is waited for as long as it sends anything at all.
func TestRareKeyframesAreNoSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Options{}, hums(live(one(read{after: 21 * time.Second}), steady(50, beat))))
		if err := r.run(2 * time.Minute); err != nil {
			t.Fatal(err)
		}
		wantKinds(t, r, Opening, Opening, Opened, Ended)
		if !strings.Contains(r.states[1].Reason, "no picture yet") || len(r.opens) != 1 || len(r.frames) != 51 {
			t.Errorf("%v, %d openings, %d frames", r.states, len(r.opens), len(r.frames))
		}
	})
}

// Bytes of which no picture can be made are no camera either.
func TestBytesWithoutPicturesAreGivenUpInTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Options{}, hums(live(one(read{after: time.Hour}))), live(steady(5, beat)))
		if err := r.run(5 * time.Minute); err != nil {
			t.Fatal(err)
		}
		if len(r.opens) != 2 || r.opens[1].Sub(r.opens[0]) < time.Minute || r.cap.Stats().Abandoned != 0 {
			t.Errorf("%d openings, states %v", len(r.opens), r.states)
		}
		if !strings.Contains(r.states[3].Reason, "no picture can be made") {
			t.Errorf("states %v", r.states)
		}
	})
}

// A stream that stays silent is told to end, and opened again; nothing is left behind.
func TestSilenceEndsASession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Options{}, live(steady(50, beat), one(read{after: time.Hour})), live(steady(5, beat)))
		if err := r.run(time.Minute); err != nil {
			t.Fatal(err)
		}
		wantKinds(t, r, Opening, Opened, Stalled, Stalled, Recovered, Ended)
		if s := r.states[3]; !strings.Contains(s.Reason, "gave up: no frame for 5s") || s.Retry == 0 || r.cap.Stats().Abandoned != 0 {
			t.Errorf("%v, %+v", s, r.cap.Stats())
		}
		if r.states[4].Reason != r.states[3].Reason {
			t.Errorf("recovered from %q", r.states[4].Reason)
		}
	})
}

// A recording that is not read for a while, on a slow disk or a busy machine, goes on where it was: opened again it would begin again.
func TestARecordingIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := script{info: Info{FPS: 10}, reads: append(append(steady(5, 0), read{after: 20 * time.Second}), steady(5, 0)...)}
		r := newRig(t, Options{}, disk)
		if err := r.run(2 * time.Minute); err != nil {
			t.Fatal(err)
		}
		wantKinds(t, r, Opening, Opened, Stalled, Recovered, Ended)
		if len(r.opens) != 1 || len(r.frames) != 11 {
			t.Errorf("%d openings, %d frames", len(r.opens), len(r.frames))
		}
	})
}

// One that stays silent is given up all the same.
func TestARecordingThatHangsIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hangs := script{info: Info{FPS: 10}, reads: append(steady(5, 0), read{after: time.Hour})}
		r := newRig(t, Options{}, hangs, script{info: Info{FPS: 10}, reads: steady(5, 0)})
		if err := r.run(2 * time.Minute); err != nil {
			t.Fatal(err)
		}
		if len(r.opens) != 2 || r.opens[1].Sub(r.opens[0]) < time.Minute {
			t.Errorf("%d openings, %v", len(r.opens), r.states)
		}
	})
}

// Cameras that send a picture only now and then are neither stalled nor opened again.
func TestLimitsFollowTheCamerasOwnRate(t *testing.T) {
	for _, every := range []time.Duration{time.Second, 1430 * time.Millisecond, 2 * time.Second, 3300 * time.Millisecond, 9 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, Options{}, live(steady(20, every)))
			if err := r.run(5 * time.Minute); err != nil {
				t.Fatal(err)
			}
			if s := r.cap.Stats(); s.Stalls != 0 || len(r.opens) != 1 || s.Captured != 20 {
				t.Errorf("a picture every %v: %+v, %v", every, s, r.states)
			}
		})
	}
}

// Nor are those that send the pictures of four seconds at once.
func TestBurstsAreNoStalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var reads []read
		for range 10 {
			reads = append(append(reads, read{after: 4 * time.Second}), steady(99, time.Millisecond)...)
		}
		r := newRig(t, Options{}, live(reads))
		if err := r.run(5 * time.Minute); err != nil {
			t.Fatal(err)
		}
		if s := r.cap.Stats(); s.Stalls > 2 || len(r.opens) != 1 { // it must be seen twice to be known
			t.Errorf("%+v, %v", s, r.states)
		}
	})
}

// One stall teaches nothing: the next is seen as soon.
func TestAStallIsNoRhythm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pause := one(read{after: 4 * time.Second})
		r := newRig(t, Options{}, live(steady(50, beat), pause, steady(50, beat), pause, steady(5, beat)))
		if err := r.run(time.Minute); err != nil {
			t.Fatal(err)
		}
		wantKinds(t, r, Opening, Opened, Stalled, Recovered, Stalled, Recovered, Ended)
		if age := r.at(4) - 100*beat - 4*time.Second; age > 2500*time.Millisecond {
			t.Errorf("the second stall was seen after %v", age)
		}
	})
}

// A camera that drops every six seconds is opened again at once each time: it has shown that it works.
func TestACameraThatWorksIsOpenedAgainAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		drops := live(steady(150, beat), one(read{err: errors.New("connection reset")}))
		r := newRig(t, Options{}, drops, drops, drops, drops, drops, drops, drops, drops)
		r.openErr = Permanent(errors.New("enough"))
		if err := r.run(5 * time.Minute); err == nil {
			t.Fatal("the script is not used up")
		}
		for i := 1; i < len(r.opens); i++ {
			if down := r.opens[i].Sub(r.opens[i-1]) - 150*beat; down > 600*time.Millisecond {
				t.Errorf("down for %v before opening %d", down, i+1)
			}
		}
	})
}

func TestOtherSizesAreTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Options{}, live(steady(3, beat), one(read{w: 6, h: 4}), one(read{w: 6, h: 4})))
		if err := r.run(time.Minute); err != nil {
			t.Fatal(err)
		}
		wantKinds(t, r, Opening, Opened, Resized, Ended)
		if s := r.states[2]; s.Reason != "the picture's size changed from 4×2 to 6×4" || s.Info.Width != 6 {
			t.Errorf("%+v", s)
		}
	})
}

// A frame that comes between the finding of a stall and its report ends it before it is told.
func TestAStallThatIsOverIsNotTold(t *testing.T) {
	c := &Capture{seq: 5}
	if c.reportStall(4, "no frame for 2s") || c.state.Kind == Stalled {
		t.Errorf("it is told: %v", c.state)
	}
}
