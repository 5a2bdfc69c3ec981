package tracker

import "testing"

// A find that is no more than not unlike the object is believed after eight in a row, which one that is something else ends.
func TestFoundAgainAndAgain(t *testing.T) {
	for _, c := range []struct {
		what                       string
		mean, usual, colours, size float64
		want                       bool
	}{
		{"its other side", -0.1, 1, 0.9, 0.6, true},
		{"unlike it", -0.3, 1, 0.9, 0.6, false},
		{"in other colours", 0.1, 1, 0.6, 0.6, false},
		{"a part of something", 0.1, 1, 0.9, 0.4, false},
		{"a ball that the encoder takes for its twin", -0.5, -0.06, 1.05, 0.45, true},
		{"something else, where the encoder knows little", -0.8, -0.06, 1.05, 0.45, false},
		{"a small part, where the encoder knows little", -0.5, -0.06, 1.05, 0.25, false},
	} {
		o := &object{}
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
