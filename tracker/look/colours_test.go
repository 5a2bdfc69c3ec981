package look

import (
	"image"
	"math"
	"testing"

	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/tracker/shape"
)

var (
	red   = []byte{30, 30, 200}
	green = []byte{30, 160, 30}
	blue  = []byte{200, 40, 30}
	all   = image.Rect(0, 0, gridW, gridH)
)

func TestColoursTellAnObjectFromItsSurroundings(t *testing.T) {
	e, p := picture(disc(20, 16, 8), red, green)
	var c Colours
	if c.Ready() || c.Share(tuned, trackOf(p), e) != 1 {
		t.Error("before anything was learnt colours say something")
	}
	c.Learn(tuned, e, p, all)
	if in, out, unknown := c.Logit(red), c.Logit(green), c.Logit(blue); in < 2 || out > -2 || math.Abs(float64(unknown)) > 1 {
		t.Errorf("its own %.2f, its surroundings' %.2f, one never seen %.2f", in, out, unknown)
	}
	if near := c.Logit([]byte{30, 30, 185}); near < 1 {
		t.Errorf("a colour that is nearly its own has %.2f", near)
	}
	if s := c.Share(tuned, trackOf(p), e); s < 0.9 {
		t.Errorf("%.2f of it has its colours", s)
	}
	_, elsewhere := picture(disc(44, 16, 8), red, green)
	if s := c.Share(tuned, trackOf(elsewhere), e); s > 0.1 {
		t.Errorf("%.2f of the ground has its colours", s)
	}
	if s := c.Share(tuned, trackOf(&shape.Patch{W: gridW, H: gridH}), e); s != 1 {
		t.Errorf("%.2f of nothing has its colours", s)
	}
}

// What is sampled of a red thing is rather a red thing's than a blue one's, and the other way round; of what nobody knows, nobody's.
func TestColoursSayWhoseTheyAre(t *testing.T) {
	var one, other, unknown Colours
	e, p := picture(disc(20, 16, 8), red, green)
	one.Learn(tuned, e, p, all)
	sample := Sample(nil, e, p, func(int, int) bool { return false })
	e, p = picture(disc(44, 16, 8), blue, green)
	other.Learn(tuned, e, p, all)
	if n := len(sample); n < 50 || n > 512 {
		t.Errorf("%d samples", n)
	}
	if r := one.Rather(&other, sample, 3); r != -3 {
		t.Errorf("the red thing is rather the blue one: %.2f", r)
	}
	if r := other.Rather(&one, sample, 3); r != 3 {
		t.Errorf("a red thing is the red one rather than the blue one by %.2f", r)
	}
	if a, b, c := one.Rather(&unknown, sample, 3), unknown.Rather(&one, sample, 3), one.Rather(&other, nil, 3); a != 0 || b != 0 || c != 0 {
		t.Errorf("what nobody knows: %.2f %.2f %.2f", a, b, c)
	}
	if s := Sample(nil, e, p, func(x, _ int) bool { return x < 64 }); len(s) != 0 {
		t.Errorf("%d samples of what is to be left out", len(s))
	}
}

func trackOf(p *shape.Patch) *shape.Track {
	t := shape.NewTrack(p, 1)
	return &t
}

// The colours of the first mask are never forgotten, those of later ones are, by and by.
func TestColoursOfTheFirstMaskStay(t *testing.T) {
	var c Colours
	e, p := picture(disc(20, 16, 8), red, green)
	c.Learn(tuned, e, p, all)
	e, p = picture(disc(20, 16, 8), blue, green)
	c.Learn(tuned, e, p, all)
	was := c.Logit(blue)
	e, p = picture(disc(20, 16, 8), []byte{90, 90, 90}, green)
	for range 60 {
		c.Learn(tuned, e, p, all)
	}
	if first, later := c.Logit(red), c.Logit(blue); first < 1 || later >= was {
		t.Errorf("after sixty masks of grey the first's colour has %.2f, the second's %.2f, of %.2f", first, later, was)
	}
}

// Without one side there is nothing to tell apart.
func TestColoursOfOneSideSayNothing(t *testing.T) {
	var c Colours
	e, p := picture(disc(20, 16, 8), red, green)
	c.Learn(tuned, e, p, image.Rect(50, 0, 60, 10))
	if v := c.Logit(green); v != 0 {
		t.Errorf("it says %.2f", v)
	}
}

func TestColoursAreAddedToASum(t *testing.T) {
	e, p := picture(disc(20, 16, 8), red, green)
	var c Colours
	c.Learn(tuned, e, p, all)
	var s shape.Sum
	s.Reset(gridW, gridH, image.Rect(15, 10, 60, 20))
	c.AddTo(&s, e, 0.5, 2)
	if in, out := s.Row(16)[20-15], s.Row(16)[50-15]; in != 1 || out != -1 {
		t.Errorf("inside %.2f, outside %.2f, want ±1: half of 2", in, out)
	}
	if v := c.Near(e, 20, 16, 3); v < 2 || v > 3 {
		t.Errorf("about its middle %.2f", v)
	}
	if v := c.Near(e, -40, 900, 3); v > -2 {
		t.Errorf("beyond the corner %.2f, want that of the corner", v)
	}
}

func TestColoursAreAddedToAMap(t *testing.T) {
	e, p := picture(disc(20, 16, 8), red, green)
	l := &seg.Logits{W: 16, H: 16, Extent: seg.Point{X: 1, Y: 2}, Data: make([]float32, 256)} // the lower half is padding
	var c Colours
	if c.AddToMap(tuned, &Map{l}, e); l.Data[0] != 0 {
		t.Error("colours that know nothing say something")
	}
	c.Learn(tuned, e, p, all)
	l.Data[4*16+5] = 1
	c.AddToMap(tuned, &Map{l}, e)
	in, out, padding := l.Data[4*16+5], l.Data[4*16+12], l.Data[12*16+5]
	if most := float32(1 + tuned.MapColour*tuned.ColourClip); in > most || in < most-0.1 {
		t.Errorf("inside %.2f, want nearly %.2f", in, most)
	}
	if out > -0.4 || padding != -1 {
		t.Errorf("outside %.2f, in the padding %.2f", out, padding)
	}
}
