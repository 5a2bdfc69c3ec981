package tracker

import "testing"

func TestThePastIsSomeFramesOld(t *testing.T) {
	a, b := square(5, 5, 10), square(6, 5, 10)
	p := pastOf(a, 3)
	for seq := uint64(4); seq < 30; seq++ {
		p.note(b, seq, 8)
		if age := seq - p[0].seq; seq >= 11 && (age < 8 || age > 16) {
			t.Errorf("in frame %d it is %d frames old", seq, age)
		}
	}
}
