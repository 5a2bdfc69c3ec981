package tracker

import "testing"

// A find that is no more than not unlike the object is believed after eight in a row, which one that is something else ends.
func TestFoundAgainAndAgain(t *testing.T) {
	for _, c := range []struct {
		what                       string
		mean, usual, colours, size float64
		away, want                 bool
	}{
		{"its other side", -0.1, 1, 0.9, 0.6, false, true},
		{"unlike it", -0.3, 1, 0.9, 0.6, false, false},
		{"in other colours", 0.1, 1, 0.6, 0.6, false, false},
		{"a part of something", 0.1, 1, 0.9, 0.4, false, false},
		{"a ball that the encoder takes for its twin", -0.5, -0.06, 1.05, 0.45, false, true},
		{"something else, where the encoder knows little", -0.8, -0.06, 1.05, 0.45, false, false},
		{"a small part, where the encoder knows little", -0.5, -0.06, 1.05, 0.25, false, false},
		{"trousers of a mug's colour, after a cut", 0.38, 1, 1, 0.9, true, false},
		{"the mug after a cut", 0.8, 1, 1, 0.9, true, true},
		{"its twin after a cut", -0.5, -0.06, 1.05, 0.45, true, true},
	} {
		o := &object{away: c.away}
		got := 0
		for range tuned.FoundAgain {
			if o.again(tuned, c.mean, c.usual, c.colours, c.size) {
				got++
			}
		}
		if got > 1 || got == 1 != c.want {
			t.Errorf("%s: believed %d times of %d, want %v at the last", c.what, got, tuned.FoundAgain, c.want)
		}
	}
	o := &object{found: tuned.FoundAgain - 1}
	if o.again(tuned, 0.1, 1, 0.5, 1) || o.again(tuned, 0.1, 1, 1, 1) {
		t.Error("one that is something else does not end the row")
	}
}
