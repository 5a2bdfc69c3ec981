package propose

import (
	"errors"
	"image"
	"math"
	"slices"
	"testing"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/seg"
)

// shown is an embedding of which only the maps are read.
type shown struct {
	inference.Embedding
	maps []seg.Features
}

func (s shown) Features() []seg.Features { return s.maps }

func TestLookLeavesThePaddingOut(t *testing.T) {
	m := seg.Features{W: 4, H: 2, C: 2, Extent: seg.Point{X: 2, Y: 1}, Data: []float32{3, 3, 99, 99, 3, 3, 99, 99, 4, 4, -99, 7, 4, 4, 1, 2}}
	fine := seg.Features{W: 8, H: 4, C: 1, Extent: seg.Point{X: 1, Y: 1}, Data: make([]float32, 32)}
	got := LookAt(shown{maps: []seg.Features{fine, m}})
	if len(got) != 2 || math.Abs(float64(got[0])-0.6) > 1e-6 || math.Abs(float64(got[1])-0.8) > 1e-6 {
		t.Errorf("%v, want the means 3 and 4 at length 1", got)
	}
	for what, e := range map[string]inference.Embedding{"no maps": shown{}, "nothing": shown{maps: []seg.Features{fine}}, "no features": struct{ inference.Embedding }{}} {
		if got := LookAt(e); got != nil {
			t.Errorf("%s: %v", what, got)
		}
	}
}

func TestNoveltyIsTheNearest(t *testing.T) {
	a, b, c := Look{1, 0}, Look{0, 1}, Look{0.6, 0.8}
	m := &Memory{Limit: 2}
	if n := m.Novelty(a); n != 1 {
		t.Errorf("%g where nothing is known", n)
	}
	m.Add(a)
	m.Add(b)
	for _, x := range []struct {
		l    Look
		want float64
	}{{a, 0}, {c, 0.2}, {Look{-1, 0}, 1}, {nil, 1}, {Look{1, 0, 0}, 1}} {
		if n := m.Novelty(x.l); math.Abs(n-x.want) > 1e-6 {
			t.Errorf("%v: %g, want %g", x.l, n, x.want)
		}
	}
	m.Add(b)
	if n := m.Novelty(a); n != 1 {
		t.Errorf("the oldest is not forgotten: %g", n)
	}
}

func TestUncertainty(t *testing.T) {
	for _, c := range []struct {
		scores []Score
		want   float64
	}{
		{nil, 0},
		{[]Score{{1, 1}}, 0},
		{[]Score{{1, 1}, {0.5, 0.8}}, 0.6},
		{[]Score{{1.3, 1}, {0.9, 1}}, 0.1},
		{[]Score{{-1, 1}}, 1},
	} {
		if got := Uncertainty(c.scores); math.Abs(got-c.want) > 1e-9 {
			t.Errorf("%v: %g, want %g", c.scores, got, c.want)
		}
	}
}

func TestChoose(t *testing.T) {
	at := func(degrees, doubt float64) Candidate {
		r := degrees * math.Pi / 180
		return Candidate{Look{float32(math.Cos(r)), float32(math.Sin(r))}, doubt}
	}
	known := &Memory{}
	known.Add(at(0, 0).Look)
	for _, c := range []struct {
		name  string
		all   []Candidate
		most  int
		least float64
		want  []int
	}{
		{"none", nil, 3, 0, nil},
		{"the farthest first, then the farthest from both", []Candidate{at(80, 0), at(90, 0), at(45, 0)}, 2, 0.01, []int{1, 2}},
		{"doubt outweighs a little distance", []Candidate{at(85, 0.5), at(90, 0)}, 1, 0.01, []int{0}},
		{"not what is known", []Candidate{at(1, 1), at(60, 0)}, 5, 0.05, []int{1}},
		{"nothing twice", []Candidate{at(60, 0), at(60, 0), at(60, 0)}, 3, 0.05, []int{0}},
		{"within the budget", []Candidate{at(30, 0), at(60, 0), at(90, 0)}, 0, 0, nil},
	} {
		if got := Choose(c.all, known, c.most, c.least); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

// drift is a follower whose object moves by so many cells a frame.
type drift struct {
	by    int
	lost  int // the frame in which it is lost; 0 for never
	seen  []uint64
	mask  *seg.Mask
	fails error
}

func (d *drift) Start(f *frame.Frame, p seg.Prompt) error {
	d.mask = p.Mask.Cut(40, 10, 0)
	d.seen = append(d.seen, f.Seq)
	return d.fails
}

func (d *drift) Next(f *frame.Frame) (*seg.Mask, error) {
	d.seen = append(d.seen, f.Seq)
	if len(d.seen) == d.lost {
		return nil, nil
	}
	moved := *d.mask
	moved.Rect = moved.Rect.Add(image.Pt(d.by, 0))
	d.mask = &moved
	return d.mask, nil
}

func (d *drift) Close() error { return nil }

func TestCycleLeadsHome(t *testing.T) {
	m := seg.NewMask(40, 10, image.Rect(10, 2, 20, 8))
	for i := range m.Bits {
		m.Bits[i] = 1
	}
	var frames []*frame.Frame
	for range 5 {
		frames = append(frames, frame.New(40, 10))
	}
	broken := errors.New("model gone")
	for _, c := range []struct {
		name        string
		there, back *drift
		want        float64
		err         error
	}{
		{"home", &drift{by: 1}, &drift{by: -1}, 1, nil},
		{"half a width off", &drift{by: 2}, &drift{by: -1}, 6.0 / 14, nil},
		{"elsewhere", &drift{by: 2}, &drift{by: 1}, 0, nil},
		{"lost there", &drift{lost: 5}, nil, 0, nil},
		{"lost on the way back", &drift{}, &drift{lost: 5}, 0, nil},
		{"failed", &drift{fails: broken}, nil, 0, broken},
	} {
		ways := []*drift{c.there, c.back}
		got, err := Cycle(frames, m, func() (Follower, error) {
			d := ways[0]
			ways = ways[1:]
			return d, nil
		})
		if math.Abs(got-c.want) > 1e-9 || !errors.Is(err, c.err) {
			t.Errorf("%s: %g, %v, want %g", c.name, got, err, c.want)
		}
		if c.back != nil && !slices.IsSorted(c.back.seen) {
			t.Errorf("%s: numbers %v on the way back: time goes on", c.name, c.back.seen)
		}
	}
}
