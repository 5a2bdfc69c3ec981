package motion

import "testing"

func TestHistoryIsARing(t *testing.T) {
	h := newHistory(4)
	if h.Last() != nil {
		t.Error("an empty history has a newest entry")
	}
	for seq := uint64(1); seq <= 9; seq += 2 { // 1 3 5 7 9
		h.push().Seq = seq
	}
	for _, c := range []struct {
		seq   uint64
		at    int
		exact bool
	}{{2, -1, false}, {3, 0, true}, {6, 1, false}, {9, 3, true}, {99, 3, false}} {
		if at, exact := h.Find(c.seq); at != c.at || exact != c.exact {
			t.Errorf("Find(%d) = %d, %v, want %d, %v", c.seq, at, exact, c.at, c.exact)
		}
	}
	h.drop()
	if h.Last().Seq != 7 {
		t.Errorf("newest after drop is %d", h.Last().Seq)
	}
	h.Clear()
	if at, _ := h.Find(7); at != -1 {
		t.Error("cleared, yet found")
	}
}

func TestAHistoryKnowsItsEnds(t *testing.T) {
	h := newHistory(3)
	if h.Newest() != 0 || h.Oldest() != 0 || h.Len() != 0 {
		t.Errorf("empty: %d to %d in %d entries", h.Oldest(), h.Newest(), h.Len())
	}
	for seq := uint64(4); seq <= 9; seq++ {
		h.push().Seq = seq
	}
	if h.Oldest() != 7 || h.Newest() != 9 || h.Len() != 3 {
		t.Errorf("%d to %d in %d entries, want 7 to 9 in 3", h.Oldest(), h.Newest(), h.Len())
	}
}

func TestAPairWeighsByItsWayBack(t *testing.T) {
	e := &Entry{
		Points: []Pixel{{10, 20}, {1, 1}}, Vectors: []Vector{{D: Pixel{3, -1}, FB: 0.75, OK: true}, {}},
		Scene: Fit{Affine: Shift(2, 0)},
	}
	if p, ok := tuned.Pair(e, 0, true); !ok || p != (Pair{10, 20, 13, 19, 1}) {
		t.Errorf("forward %+v, %v", p, ok)
	}
	if p, ok := tuned.Pair(e, 0, false); !ok || p != (Pair{13, 19, 10, 20, 1}) {
		t.Errorf("back %+v, %v", p, ok)
	}
	if _, ok := tuned.Pair(e, 1, true); ok {
		t.Error("a point that was not found is a pair")
	}
	if e.WholeMotion(true) != Shift(2, 0) || e.WholeMotion(false) != Shift(-2, 0) {
		t.Errorf("the whole moves by %v, and back by %v", e.WholeMotion(true), e.WholeMotion(false))
	}
}
