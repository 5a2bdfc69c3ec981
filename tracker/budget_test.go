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
	b.earn(5, 0.5)
	if b.purse != 0 {
		t.Errorf("the first look earns %v", b.purse)
	}
	b.earn(9, 0.5)
	if b.earn(9, 0.5); b.purse != 2 {
		t.Errorf("four frames at a half earn %v", b.purse)
	}
	if b.earn(1000, 0.5); b.purse != mostPurse {
		t.Errorf("it holds %v, of %v at most", b.purse, mostPurse)
	}
}

// What is in doubt, hidden or looked for always gains by a keyframe; what is tracked, unless the newest frame was answered.
func TestWhatWantsAKeyframe(t *testing.T) {
	for _, c := range []struct {
		what string
		o    object
		want bool
	}{
		{"one that has no mask", object{state: seg.Tentative}, false},
		{"tracked, looked at now", object{state: seg.Tracking, belief: belief{key: 30}}, false},
		{"tracked, looked at a frame ago", object{state: seg.Tracking, belief: belief{key: 29}}, true},
		{"in doubt", object{state: seg.Uncertain, belief: belief{key: 30}}, true},
		{"hidden", object{state: seg.Occluded, belief: belief{key: 30}}, true},
		{"lost", object{state: seg.Lost, belief: belief{key: 30}}, true},
	} {
		if got := c.o.wants(30); got != c.want {
			t.Errorf("%s: %v", c.what, got)
		}
	}
}

// A prompt that waits is not held back by a purse that is empty.
func TestAPromptNeedsNoBudget(t *testing.T) {
	tr := New(Options{}, nil)
	tr.budget.purse = -5
	tr.objects = roster{{id: 1, state: seg.Tracking}, {id: 2, state: seg.Lost}}
	if tr.WantKeyframe() {
		t.Error("a routine keyframe beyond the budget")
	}
	tr.objects[1].asked = true
	if !tr.WantKeyframe() {
		t.Error("a prompt was held back")
	}
}
