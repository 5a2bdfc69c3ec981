package tracker

import (
	"testing"

	"github.com/segedge/segedge/seg"
)

func TestAKeyframeIsPaidForInParts(t *testing.T) {
	b := budget{purse: 10}
	for _, c := range []struct{ now, seq, left uint64 }{{12, 10, 8}, {15, 10, 5}, {16, 9, 5}, {17, 16, 4}, {17, 16, 4}} {
		b.pay(c.seq, c.now)
		if b.purse != float64(c.left) {
			t.Errorf("after an answer about %d at %d the purse holds %v, want %d", c.seq, c.now, b.purse, c.left)
		}
	}
}

func TestThePurseFillsWithTheFramesUpToItsMost(t *testing.T) {
	b := budget{}
	b.earn(5, 0.5, 10)
	if b.purse != 0 {
		t.Errorf("the first look earns %v", b.purse)
	}
	b.earn(9, 0.5, 10)
	if b.earn(9, 0.5, 10); b.purse != 2 {
		t.Errorf("four frames at a half earn %v", b.purse)
	}
	if b.earn(1000, 0.5, 10); b.purse != 10 {
		t.Errorf("it holds %v, of 10 at most", b.purse)
	}
}

// A prompt wants a keyframe at once, what is in doubt or hidden soon, what rests and was looked at lately hardly.
func TestNeedByState(t *testing.T) {
	tr := New(Options{FPS: 30, MaxKeyframeGap: 0.5}, nil) // 15 frames
	for _, c := range []struct {
		what string
		o    object
		want float64
	}{
		{"a prompt that waits", object{asked: true}, 1},
		{"one that has no mask", object{state: seg.Tentative}, 0},
		{"tracked, looked at now", object{state: seg.Tracking, belief: belief{key: 30}}, 0},
		{"tracked, looked at a third of the gap ago", object{state: seg.Tracking, belief: belief{key: 25}}, 1. / 3},
		{"tracked, never looked at again", object{state: seg.Tracking, belief: belief{key: 1}}, tuned.TrackedMost},
		{"in doubt", object{state: seg.Uncertain, belief: belief{key: 30}}, tuned.DoubtWant},
		{"long in doubt", object{state: seg.Uncertain, belief: belief{key: 1}}, tuned.DoubtMost},
		{"hidden", object{state: seg.Occluded}, tuned.HiddenWant},
		{"just lost", object{state: seg.Lost, belief: belief{key: 30}}, tuned.LostWant},
		{"lost for the gap", object{state: seg.Lost, belief: belief{key: 15}}, tuned.LostWant + tuned.LostRise},
	} {
		if got := tr.need(&c.o, 30); got < c.want-1e-9 || got > c.want+1e-9 {
			t.Errorf("%s: %.3f, want %.3f", c.what, got, c.want)
		}
	}
	far := object{appearance: appearance{area: 400}}
	far.track = newTrack(square(10, 10, 20), 1)
	if far.moved() != 0 {
		t.Errorf("one that rests has moved %.2f of its sizes", far.moved())
	}
	far.track.Back.C, far.track.Back.F = -20, 0
	if d := far.moved(); d < 0.99 || d > 1.01 {
		t.Errorf("20 cells are %.2f of 400", d)
	}
}
