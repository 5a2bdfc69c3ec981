package tracker

import "testing"

func TestThePastIsSomeFramesOld(t *testing.T) {
	var p since
	a, b := square(5, 5, 10), square(6, 5, 10)
	p.note(a, 3, 8, false)
	if p[0] != (remembered{a, 3}) || p[1] != p[0] {
		t.Fatalf("the first one: %v", p)
	}
	for seq := uint64(4); seq < 30; seq++ {
		p.note(b, seq, 8, false)
		if age := seq - p[0].seq; seq >= 11 && (age < 8 || age > 16) {
			t.Errorf("in frame %d it is %d frames old", seq, age)
		}
	}
	if p.note(a, 30, 8, true); p[0] != (remembered{a, 30}) {
		t.Errorf("a person's word begins it anew: %v", p)
	}
}
