package eval

import (
	"testing"

	"github.com/segedge/segedge/seg"
)

func TestListsAreTables(t *testing.T) {
	rows, err := ReadList("text\n<!-- a -->\n| x | y |\n| --- | --- |\n| 1 | two words |\n<!-- end -->\nmore", "a")
	if err != nil || len(rows) != 1 || rows[0][1] != "two words" {
		t.Errorf("%q, %v", rows, err)
	}
	for _, text := range []string{"", "<!-- a -->\n| x |", "<!-- a -->\n| x |\n| --- |\n<!-- end -->"} {
		if _, err := ReadList(text, "a"); err == nil {
			t.Errorf("%q is a table", text)
		}
	}
}

func TestPhrasesAreJudged(t *testing.T) {
	a, b := seg.Box{X0: 0.1, Y0: 0.1, X1: 0.3, Y1: 0.3}, seg.Box{X0: 0.6, Y0: 0.6, X1: 0.8, Y1: 0.8}
	const boxA, boxB = ".1,.1,.3,.3", ".6,.6,.8,.8"
	for _, c := range []struct {
		right   string
		found   []seg.Box
		note    string
		refused bool
		want    Verdict
	}{
		{"none", nil, "", false, Right},
		{"none", []seg.Box{a}, "", false, Wrong},
		{"none", nil, "", true, Missed},
		{"refused", nil, "", true, Right},
		{"refused", nil, "", false, Missed},
		{"refused", []seg.Box{a}, "", false, Wrong},
		{boxA, []seg.Box{a}, "", false, Right},
		{boxA, []seg.Box{b}, "", false, Wrong},
		{boxA, []seg.Box{a, b}, "", false, Wrong},
		{boxA, nil, "", false, Missed},
		{boxA, nil, "", true, Missed},
		{boxA + " and " + boxB, []seg.Box{b, a}, "", false, Right},
		{boxA + " and " + boxB, []seg.Box{b}, "", false, Missed},
		{boxA + " or " + boxB + " (it cannot tell)", []seg.Box{b}, "", false, Right},
		{boxA + " and " + boxB + " (of the three at least two)", []seg.Box{a, b, {X0: 0.9, X1: 1, Y1: 1}}, "", false, Right},
		{boxA + " and " + boxB + " (of the three at least two)", []seg.Box{a}, "", false, Missed},
		{"two, and it is said", []seg.Box{a, b}, "2 of 3", false, Right},
		{"two, and it is said", []seg.Box{a, b}, "", false, Wrong},
	} {
		if got := JudgePhrase(c.right, c.found, c.note, c.refused); got != c.want {
			t.Errorf("%q of %v: %s, want %s", c.right, c.found, got, c.want)
		}
	}
}

func TestAnEllipseFillsItsBox(t *testing.T) {
	m := ellipse(seg.Box{X0: 0.25, Y0: 0.25, X1: 0.75, Y1: 0.5}, 200, 200)
	if got := m.Box().IoU(seg.Box{X0: 0.25, Y0: 0.25, X1: 0.75, Y1: 0.5}); got < 0.95 {
		t.Errorf("box %v", m.Box())
	}
	if share := float64(m.Count()) / (100 * 50); share < 0.77 || share > 0.8 {
		t.Errorf("it fills %.3f of it, not a quarter of pi", share)
	}
}
