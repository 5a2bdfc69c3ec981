package mqtt

import (
	"sync"
	"testing"
	"time"

	"github.com/segedge/segedge/seg"
)

func updated(id seg.ID, at time.Duration, age int) seg.Event {
	before, after := cup(id), cup(id)
	before.Age, after.Age = age-1, age
	return seg.Event{Camera: "cam", Type: seg.ObjectUpdated, Time: testTime.Add(at), Before: &before, After: &after}
}

// take offers an event at its own time.
func (t *throttle) take(e seg.Event) (seg.Event, bool) { return t.offer(e, e.Time) }

func TestThrottleLetsOneUpdateASecondPass(t *testing.T) {
	th := newThrottle(time.Second)
	passed := 0
	for i := range 91 { // 3 s at 30 fps
		if e, ok := th.take(updated(1, time.Duration(i)*time.Second/30, i+1)); ok {
			passed++
			if i > 0 && e.Before.Age != i-29 {
				t.Errorf("frame %d: the update reaches back to age %d, want %d", i, e.Before.Age, i-29)
			}
		}
	}
	if passed != 4 {
		t.Errorf("%d updates passed in 3 s, want 4", passed)
	}
	if _, ok := th.take(updated(2, 3*time.Second, 1)); !ok {
		t.Error("another object waits for the first")
	}
}

func TestThrottleSendsTheLastUpdateLater(t *testing.T) {
	th := newThrottle(time.Second)
	th.take(updated(1, 0, 1))
	th.take(updated(2, 0, 1))
	th.take(updated(1, 200*time.Millisecond, 2))
	th.take(updated(2, 100*time.Millisecond, 2))
	th.take(updated(1, 300*time.Millisecond, 3))
	if due := th.due(testTime.Add(900*time.Millisecond), false); len(due) != 0 {
		t.Errorf("too early: %+v", due)
	}
	due := th.due(testTime.Add(time.Second), false)
	if len(due) != 2 || due[1].After.ID != 2 || due[0].After.Age != 3 || due[0].Before.Age != 1 {
		t.Errorf("got %+v", due)
	}
	if due := th.due(testTime.Add(time.Hour), true); len(due) != 0 {
		t.Errorf("twice: %+v", due)
	}
}

// TestUpdatesKeepTheirDistance: by the times that they carry, whenever the held-back ones are let go.
func TestUpdatesKeepTheirDistance(t *testing.T) {
	th := newThrottle(time.Second)
	var passed []seg.Event
	for i := range 300 { // 10 s at 30 fps, looked after every 200 ms
		at := time.Duration(i) * time.Second / 30
		if e, ok := th.take(updated(1, at, i+1)); ok {
			passed = append(passed, e)
		}
		if i%6 == 5 {
			passed = append(passed, th.due(testTime.Add(at), false)...)
		}
	}
	for i, e := range passed[1:] {
		if d := e.Time.Sub(passed[i].Time); d < time.Second {
			t.Errorf("update %d came %s after the one before", i+1, d)
		}
	}
	if len(passed) < 9 {
		t.Errorf("%d updates in 10 s", len(passed))
	}
}

func TestThrottleHoldsBackNothingElse(t *testing.T) {
	th := newThrottle(time.Second)
	th.take(updated(1, 0, 1))
	th.take(updated(1, time.Millisecond, 2))
	lost := updated(1, 2*time.Millisecond, 3)
	lost.Type = seg.ObjectLost
	if _, ok := th.take(lost); !ok {
		t.Error("object.lost was held back")
	}
	if due := th.due(testTime.Add(time.Hour), true); len(due) != 0 {
		t.Error("an update that is outdated was sent after object.lost")
	}
	ended := updated(1, 3*time.Millisecond, 4)
	ended.Type, ended.After = seg.ObjectEnded, nil
	if _, ok := th.take(ended); !ok || len(th.objects) != 0 {
		t.Error("an ended object is remembered")
	}
	if _, ok := th.take(seg.Event{Camera: "cam", Type: seg.CameraStalled}); !ok {
		t.Error("camera.stalled was held back")
	}
	th.interval = 0
	for range 3 {
		if _, ok := th.take(updated(1, 0, 1)); !ok {
			t.Error("held back without an interval")
		}
	}
}

func TestThrottleSurvivesAClockThatIsSetBack(t *testing.T) {
	th := newThrottle(time.Second)
	th.take(updated(1, time.Hour, 1))
	if _, ok := th.take(updated(1, 0, 2)); !ok {
		t.Error("an update waits for an hour")
	}
}

func TestThrottleIsBounded(t *testing.T) {
	th := newThrottle(time.Second)
	for i := range 3 * maxThrottled {
		th.take(updated(seg.ID(i+1), 0, 1))
	}
	if len(th.objects) > maxThrottled {
		t.Errorf("%d objects", len(th.objects))
	}
}

func TestIntakeCountsLossesInTheirPlace(t *testing.T) {
	q := newIntake(2)
	for n := range 4 {
		q.put(seg.Event{Camera: "a", Time: testTime.Add(time.Duration(n))})
	}
	q.put(seg.Event{Camera: "b"})
	q.put(seg.Event{Camera: "a"})
	got := q.take(nil)
	if len(got) != 4 || got[2].camera != "a" || got[2].lost != 3 || got[3].camera != "b" || got[3].lost != 1 || q.dropped() != 4 {
		t.Errorf("got %+v", got)
	}
	q.put(seg.Event{Camera: "a"})
	q.close()
	q.put(seg.Event{Camera: "a"})
	if got = q.take(got); len(got) != 1 || q.dropped() != 5 {
		t.Errorf("got %+v, %d dropped", got, q.dropped())
	}
}

func TestPublishNeverBlocks(t *testing.T) {
	q := newIntake(8) // and nobody takes
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for range 1000 {
				q.put(seg.Event{Camera: "a"})
			}
		})
	}
	group.Wait()
	if q.dropped() != 4000-8 {
		t.Errorf("%d dropped", q.dropped())
	}
}

func TestBackoff(t *testing.T) {
	for n, want := range map[int]time.Duration{0: 250 * time.Millisecond, 1: 500 * time.Millisecond, 3: lastPause, 6: lastPause, 1000: lastPause} {
		if got := backoff(n, 0); got != want {
			t.Errorf("pause %d is %s, want %s", n, got, want)
		}
		if got := backoff(n, 1); got != want*3/4 {
			t.Errorf("shortest pause %d is %s", n, got)
		}
	}
}

func TestCommandTopics(t *testing.T) {
	topics := Topics{Prefix: "segedge/box"}
	if camera, verb, ok := topics.ParseCommand(topics.Command("front", "prompt")); camera != "front" || verb != "prompt" || !ok {
		t.Errorf("got %q %q %t", camera, verb, ok)
	}
	for _, bad := range []string{"", "segedge/box", "segedge/box/front/prompt", "segedge/box//cmd/prompt", "segedge/box/front/cmd/", "segedge/box/front/cmd/a/b", "other/front/cmd/a", "segedge/box/front/reply/a"} {
		if _, _, ok := topics.ParseCommand(bad); ok {
			t.Errorf("%q is a command", bad)
		}
	}
}
