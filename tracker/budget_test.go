package tracker

import (
	"testing"

	"github.com/segedge/segedge/seg"
)

func TestAKeyframeIsPaidForInParts(t *testing.T) {
	b := budget{credit: 10}
	for _, c := range []struct{ now, seq, left uint64 }{{12, 10, 8}, {15, 10, 5}, {16, 9, 5}, {17, 16, 4}, {17, 16, 4}} {
		b.pay(c.seq, c.now)
		if b.credit != float64(c.left) {
			t.Errorf("after an answer about %d at %d the credit holds %v, want %d", c.seq, c.now, b.credit, c.left)
		}
	}
}

func TestCreditGrowsWithTheFramesUpToItsMost(t *testing.T) {
	b := budget{}
	b.earn(5, 0.5)
	if b.credit != 0 {
		t.Errorf("the first look earns %v", b.credit)
	}
	b.earn(9, 0.5)
	if b.earn(9, 0.5); b.credit != 2 {
		t.Errorf("four frames at a half earn %v", b.credit)
	}
	if b.earn(1000, 0.5); b.credit != mostCredit {
		t.Errorf("it holds %v, of %v at most", b.credit, mostCredit)
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

// A prompt that waits is not held back by a credit that is empty.
func TestAPromptNeedsNoBudget(t *testing.T) {
	tr := New(Options{}, nil)
	tr.budget.credit = -5
	tr.objects = roster{{id: 1, state: seg.Tracking}, {id: 2, state: seg.Lost}}
	if tr.WantKeyframe() {
		t.Error("a routine keyframe beyond the budget")
	}
	tr.objects[1].asked = true
	if !tr.WantKeyframe() {
		t.Error("a prompt was held back")
	}
}

// What a tracker may spend bounds routine keyframes alone.
func TestSpendingLess(t *testing.T) {
	wanted := func(share float64) (n int) {
		tr := stage(t, 2, calm)
		tr.Spend(share)
		o := place(tr, square(24, 14, 12), seg.Uncertain)
		for range 200 {
			next(t, tr)
			if tr.WantKeyframe() {
				n++
				tr.budget.pay(tr.Newest()-4, tr.Newest()) // a keyframe that took four frames
			}
		}
		o.asked = true
		if !tr.WantKeyframe() {
			t.Errorf("with a share of %g a prompt waits", share)
		}
		return n
	}
	all, half, none := wanted(1), wanted(0.5), wanted(0)
	if all < 20 || half < all/2-2 || half > all/2+2 || none != 0 {
		t.Errorf("keyframes: %d, %d with half, %d with none", all, half, none)
	}
}
