package stream

import (
	"sync"
	"testing"
	"time"
)

// seqs empties a queue.
func seqs(q *queue) (out []uint64) {
	for len(q.units) > 0 {
		out = append(out, (<-q.units).Seq)
	}
	return out
}

func equal(a, b []uint64) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func TestQueueDropsToTheNextKeyframe(t *testing.T) {
	q := newQueue(3)
	put := func(seq uint64, key bool) bool { return q.put(Unit{Seq: seq, Keyframe: key}) }
	if ask := put(1, false); !ask || q.dropped.Load() != 1 {
		t.Errorf("a new viewer must ask for a keyframe: %v", ask)
	}
	for seq := uint64(2); seq <= 4; seq++ {
		if put(seq, seq == 2) {
			t.Errorf("unit %d asks for a keyframe", seq)
		}
	}
	// The viewer does not read: 5 finds the queue full, 6 and 7 could not be decoded without it.
	for seq := uint64(5); seq <= 7; seq++ {
		if put(seq, false) {
			t.Errorf("unit %d asks for a keyframe though nothing was read", seq)
		}
	}
	if got := seqs(q); !equal(got, []uint64{2, 3, 4}) {
		t.Fatalf("queued %v", got)
	}
	if !put(8, false) {
		t.Error("a viewer that reads again must ask for a keyframe")
	}
	put(9, true)
	put(10, false)
	if got := seqs(q); !equal(got, []uint64{9, 10}) || q.dropped.Load() != 5 {
		t.Errorf("queued %v, dropped %d", got, q.dropped.Load())
	}
}

func TestQueueForgetsWhatAKeyframeReplaces(t *testing.T) {
	q := newQueue(3)
	for seq := range uint64(5) {
		q.put(Unit{Seq: seq, Keyframe: seq == 0})
	}
	q.put(Unit{Seq: 5, Keyframe: true})
	if got := seqs(q); !equal(got, []uint64{5}) || q.dropped.Load() != 5 {
		t.Errorf("queued %v, dropped %d", got, q.dropped.Load())
	}
	q.restart()
	q.put(Unit{Seq: 6})
	if got := seqs(q); len(got) != 0 {
		t.Errorf("queued %v after a restart, before a keyframe", got)
	}
}

func TestSlowViewerDoesNotHoldTheOthers(t *testing.T) {
	st := start(t)
	slow, fast := newPeer(t, st, false).connect(), newPeer(t, st, false).connect()
	now := time.Now()
	begin(slow, now)
	fast.picture()
	// The slow one's sender stands still: its queue fills, the other gets everything.
	v := st.viewer(slow.id())
	v.history.mu.Lock()
	unlock := sync.OnceFunc(v.history.mu.Unlock)
	defer unlock() // also when the test fails here: the server, which is waited for, needs it to stop
	for seq := uint64(2); seq < 100; seq++ {
		st.Write("cam", unit(seq, false, now.Add(time.Duration(seq)*time.Millisecond)), nil)
		fast.picture()
	}
	if d := v.queue.dropped.Load(); d < 98-queueLength-1 {
		t.Errorf("%d dropped of 98", d)
	}
	for len(st.keys) > 0 {
		<-st.keys
	}
	unlock()
	within(t, "the backlog is sent", func() bool { return len(v.queue.units) == 0 })
	st.Write("cam", unit(100, false, now.Add(time.Second)), nil)
	take(t, "the slow viewer's request for a keyframe", st.keys)
	st.Write("cam", unit(101, true, now.Add(2*time.Second)), nil)
	within(t, "the keyframe reaches the slow viewer", func() bool { return v.history.has(101) })
	if v.history.has(100) {
		t.Error("a picture that could not be decoded was sent")
	}
}

// has reports whether a frame was sent.
func (h *history) has(seq uint64) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	for i := range min(h.n, historyLength) {
		if h.ring[i].seq == seq {
			return true
		}
	}
	return false
}
