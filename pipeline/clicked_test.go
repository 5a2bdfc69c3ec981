package pipeline

import (
	"strings"
	"testing"

	"github.com/segedge/segedge/seg"
)

// grid reads logits from a picture: # is inside, everything else outside.
func grid(rows ...string) *seg.Logits {
	l := &seg.Logits{W: len(rows[0]), H: len(rows), Extent: seg.Point{X: 1, Y: 1}}
	for _, r := range rows {
		for _, c := range r {
			v := float32(-3)
			if c == '#' {
				v = 3
			}
			l.Data = append(l.Data, v)
		}
	}
	return l
}

func drawn(l *seg.Logits) string {
	var b strings.Builder
	for i, v := range l.Data {
		if i > 0 && i%l.W == 0 {
			b.WriteByte('/')
		}
		if v > 0 {
			b.WriteByte('#')
		} else {
			b.WriteByte('.')
		}
	}
	return b.String()
}

func TestAClickMeansThePieceUnderIt(t *testing.T) {
	two := grid("##........##", "##........##", ".#..........", "..........#.")
	for name, c := range map[string]struct {
		clicks []seg.Click
		want   string
	}{
		"left":      {[]seg.Click{{Point: seg.Point{X: 0.1, Y: 0.1}, Label: seg.Positive}}, "##........../##........../.#........../............"},
		"near it":   {[]seg.Click{{Point: seg.Point{X: 0.22, Y: 0.3}, Label: seg.Positive}}, "##........../##........../.#........../............"},
		"both":      {[]seg.Click{{Point: seg.Point{X: 0.1, Y: 0.1}, Label: seg.Positive}, {Point: seg.Point{X: 0.9, Y: 0.1}, Label: seg.Positive}}, "##........##/##........##/.#........../............"},
		"island":    {[]seg.Click{{Point: seg.Point{X: 0.87, Y: 0.9}, Label: seg.Positive}}, "............/............/............/..........#."},
		"negatives": {[]seg.Click{{Point: seg.Point{X: 0.1, Y: 0.1}, Label: seg.Negative}}, drawn(two)},
		"nowhere":   {[]seg.Click{{Point: seg.Point{X: 0.55, Y: 0.55}, Label: seg.Positive}}, drawn(two)},
	} {
		if got := drawn(pieces(two, c.clicks)); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
	a := seg.Prediction{Candidates: []seg.Candidate{{Logits: two}}}
	p := seg.Prompt{Clicks: []seg.Click{{Point: seg.Point{X: 0.1, Y: 0.1}, Label: seg.Positive}}, Box: &seg.Box{X1: 1, Y1: 1}}
	if got := clicked(&p, a); got.Candidates[0].Logits != two {
		t.Error("a box means everything in it")
	}
	if p.Box = nil; clicked(&p, a).Candidates[0].Logits == two || drawn(two) != drawn(a.Candidates[0].Logits) {
		t.Error("the model's answer itself must not change")
	}
}

// An answer about a crop begins elsewhere than at the frame's corner, and stays there.
func TestPiecesOfACropStayWhereTheyAre(t *testing.T) {
	l := &seg.Logits{W: 10, H: 1, Origin: seg.Point{X: 0.5, Y: 0.5}, Extent: seg.Point{X: 0.25, Y: 0.25}, Data: []float32{4, 4, -4, -4, -4, -4, -4, -4, 4, 4}}
	out := pieces(l, []seg.Click{{Point: seg.Point{X: 0.735, Y: 0.6}, Label: seg.Positive}})
	if out.Origin != l.Origin || out.Extent != l.Extent {
		t.Errorf("it lies at %v, %v large", out.Origin, out.Extent)
	}
	if out.Data[0] > 0 || out.Data[9] <= 0 {
		t.Errorf("the piece under the click is %v", out.Data)
	}
}
