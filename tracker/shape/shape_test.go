package shape

import (
	"image"
	"math"
	"testing"

	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/tracker/motion"
)

// tuned and moving are what the product is shipped with.
var (
	tuned  = func() *Tuning { k := Defaults(); return &k }()
	moving = func() *motion.Tuning { k := motion.Defaults(); return &k }()
)

// square is a patch of a square on a grid of 60×40 cells, all sure, without a margin.
func square(x, y, side int) *Patch {
	p := &Patch{W: 60, H: 40, Rect: image.Rect(x, y, x+side, y+side), data: make([]int8, side*side)}
	for i := range p.data {
		p.data[i] = 48
	}
	return p
}

func track(p *Patch) *Track {
	t := NewTrack(p, 1)
	return &t
}

// rect is a mask of a rectangle on a grid of w×h cells.
func rect(w, h int, r image.Rectangle) *seg.Mask {
	m := seg.NewMask(w, h, r)
	for i := range m.Bits {
		m.Bits[i] = 1
	}
	return m
}

func near(a, b, by int) bool { return max(a-b, b-a) <= by }

func close4(a, b image.Rectangle, by int) bool {
	return near(a.Min.X, b.Min.X, by) && near(a.Min.Y, b.Min.Y, by) && near(a.Max.X, b.Max.X, by) && near(a.Max.Y, b.Max.Y, by)
}

func TestAPatchHoldsALogitsMap(t *testing.T) {
	whole := seg.Point{X: 1, Y: 1}
	for _, c := range []struct {
		what           string
		w, h           int // of the logits
		origin, extent seg.Point
		in             image.Rectangle // on a grid of 60×40
	}{
		{"of its own size", 60, 40, seg.Point{}, whole, image.Rect(20, 10, 40, 30)},
		{"of half its size", 30, 20, seg.Point{}, whole, image.Rect(20, 10, 40, 30)},
		{"padded to a square", 32, 32, seg.Point{}, seg.Point{X: 1, Y: 1.5}, image.Rect(20, 10, 40, 30)},
		{"of a crop", 40, 40, seg.Point{X: 0.25, Y: 0.125}, seg.Point{X: 0.5, Y: 0.75}, image.Rect(20, 10, 40, 30)},
		{"at the picture's corner", 30, 20, seg.Point{}, whole, image.Rect(0, 0, 20, 16)},
	} {
		l := seg.LogitsOn(rect(60, 40, c.in), c.w, c.h, c.origin, c.extent, 5)
		p := tuned.PatchOf(l, 60, 40)
		var out Readout
		if m := out.Mask(track(p)); !close4(m.Rect, c.in, 1) {
			t.Errorf("%s: it covers %v, want %v", c.what, m.Rect, c.in)
		}
		if n := p.Area(); math.Abs(float64(n)-float64(c.in.Dx()*c.in.Dy())) > 0.15*float64(c.in.Dx()*c.in.Dy()) {
			t.Errorf("%s: %d cells of %d", c.what, n, c.in.Dx()*c.in.Dy())
		}
		x, y := c.in.Min.X+c.in.Dx()/2, c.in.Min.Y+c.in.Dy()/2
		if cell, between := p.Cell(x, y), p.At(float64(x), float64(y)); cell != 5*Scale || between != 5*Scale {
			t.Errorf("%s: in the middle %d steps, and %.1f between cells, want %.0f", c.what, cell, between, 5*Scale)
		}
		if !p.Rect.In(image.Rect(0, 0, 60, 40)) || p.Cell(59, 39) >= 0 || p.At(-3, 5) != Outside {
			t.Errorf("%s: it is kept in %v", c.what, p.Rect)
		}
	}
	empty := tuned.PatchOf(seg.LogitsOf(&seg.Mask{W: 60, H: 40}, 30, 20, whole, 5), 60, 40)
	if empty.Area() != 0 || !empty.Rect.Empty() || empty.W != 60 {
		t.Errorf("nothing is %+v", empty)
	}
}

// A patch is saturated where a model is surer than int8 can say, and never turns over.
func TestSureLogitsSaturate(t *testing.T) {
	l := seg.LogitsOf(rect(60, 40, image.Rect(20, 10, 40, 30)), 60, 40, seg.Point{X: 1, Y: 1}, 80)
	p := tuned.PatchOf(l, 60, 40)
	if p.Cell(30, 20) != 127 || p.Cell(15, 20) != -127 {
		t.Errorf("inside %d, outside %d", p.Cell(30, 20), p.Cell(15, 20))
	}
}

func TestALineIsWhatItsPlacesAre(t *testing.T) {
	p := tuned.PatchOf(seg.LogitsOf(rect(60, 40, image.Rect(20, 10, 40, 30)), 20, 13, seg.Point{X: 1, Y: 1}, 5), 60, 40)
	row := make([]float32, 50)
	p.line(5.3, 8.7, 0.9, 0.2, row)
	for i, v := range row {
		x, y := 5.3+0.9*float64(i), 8.7+0.2*float64(i)
		if w := p.At(x, y); v != Outside && w != Outside && math.Abs(float64(v-w)) > 0.5 {
			t.Errorf("at %.1f, %.1f: %.2f in a line, %.2f by itself", x, y, v, w)
		}
	}
}

func TestATrackMovesTurnsAndGrows(t *testing.T) {
	turn := motion.Affine{A: 0, B: -1, C: 50, D: 1, E: 0, F: -10} // by a right angle about (30, 20)
	for _, c := range []struct {
		what string
		step motion.Affine
		want image.Rectangle
	}{
		{"rests", motion.Identity, image.Rect(20, 10, 40, 30)},
		{"moves", motion.Shift(7, -3), image.Rect(27, 7, 47, 27)},
		{"turns", turn, image.Rect(20, 10, 40, 30)},
		{"shrinks", motion.Affine{A: 0.5, C: 15, E: 0.5, F: 10}, image.Rect(25, 15, 35, 25)},
		{"leaves in part", motion.Shift(30, 0), image.Rect(50, 10, 60, 30)},
	} {
		tr := track(square(20, 10, 20))
		tr.Advance(moving, c.step, nil, 2, 8)
		var out Readout
		if m := out.Mask(tr); !close4(m.Rect, c.want, 1) {
			t.Errorf("%s: it covers %v, want %v", c.what, m.Rect, c.want)
		}
		if !c.want.Inset(1).In(tr.Bounds()) {
			t.Errorf("%s: its bounds are %v, want around %v", c.what, tr.Bounds(), c.want)
		}
		x, y := tr.Center()
		if u, v := c.step.At(30, 20); math.Hypot(x-u, y-v) > 1e-6 {
			t.Errorf("%s: its middle is at %.1f, %.1f, want %.1f, %.1f", c.what, x, y, u, v)
		}
	}
}

func TestAWarpThatLeadsNowhereHasNoBounds(t *testing.T) {
	for _, step := range []motion.Affine{motion.Shift(1e7, 0), motion.Shift(math.NaN(), 0)} {
		tr := track(square(20, 10, 20))
		tr.Advance(moving, step, nil, 2, 8)
		if r := tr.Bounds(); !r.Empty() {
			t.Errorf("after %+v it may be in %v", step, r)
		}
	}
	if r := track(&Patch{W: 60, H: 40}).Bounds(); !r.Empty() {
		t.Errorf("nothing may be in %v", r)
	}
}

// halves is a grid of pairs over a square of 60 pixels, of which the right half moves by right and the left one not at all.
func halves(right float64) (ps []motion.Pair) {
	for y := 2.0; y < 60; y += 5 {
		for x := 2.0; x < 60; x += 5 {
			d := 0.0
			if x > 30 {
				d = right
			}
			ps = append(ps, motion.Pair{X: x, Y: y, U: x + d, V: y, W: 4})
		}
	}
	return ps
}

// A mask whose halves move apart is carried as they move, step after step, and a motion without a mesh takes the bent mask along.
func TestPartsMoveTheirOwnWay(t *testing.T) {
	p := &Patch{W: 120, H: 80, Rect: image.Rect(0, 0, 60, 60), data: make([]int8, 3600)}
	for y := 10; y < 50; y++ {
		for x := 10; x < 50; x++ {
			p.data[60*y+x] = 48
		}
	}
	tr := track(p)
	var l motion.Local
	ps := halves(3)
	for seq := uint64(2); seq <= 3; seq++ {
		m := l.Fit(moving, ps, motion.Shift(1.5, 0), image.Rect(-16, -16, 90, 76), 8)
		tr.Advance(moving, motion.Shift(1.5, 0), m, seq, 8)
		for i := range ps {
			ps[i].X, ps[i].U = ps[i].U, 2*ps[i].U-ps[i].X
		}
	}
	var out Readout
	if r := out.Mask(tr).Rect; !close4(r, image.Rect(10, 10, 56, 50), 1) {
		t.Errorf("it covers %v, want about (10,10)-(56,50)", r)
	}
	tr.Advance(moving, motion.Shift(20, 5), nil, 4, 8)
	if r := out.Mask(tr).Rect; !close4(r, image.Rect(30, 15, 76, 55), 1) {
		t.Errorf("moved on, it covers %v, want about (30,15)-(76,55)", r)
	}
	for y := 16; y < 54; y += 4 { // row by row and place by place are the same warp
		row := make([]float32, 60)
		tr.sample(image.Rect(25, y, 85, y+1), row)
		for i, v := range row {
			if w := tr.Value(float64(25+i), float64(y)); v != Outside && math.Abs(float64(v-w)) > 12 {
				t.Fatalf("at %d, %d: %.1f in a row, %.1f by itself", 25+i, y, v, w)
			}
		}
	}
}

// What a track keeps is bounded: the newest waypoints' meshes, over the same memory; a copy for undo keeps the present one.
func TestATrackKeepsFewMeshes(t *testing.T) {
	tr := track(square(10, 10, 20))
	var l motion.Local
	m := l.Fit(moving, halves(1), motion.Identity, image.Rect(0, 0, 60, 40), 8)
	for seq := uint64(2); seq < 50; seq++ {
		tr.Advance(moving, motion.Identity, m, seq, 40)
	}
	count := func(t *Track) (n int) {
		for _, w := range t.trail {
			if !w.back.Mesh.Empty() {
				n++
			}
		}
		return n
	}
	if n := count(tr); n != motion.MeshKept || len(tr.trail) != 40 {
		t.Errorf("%d of %d waypoints have a mesh, want %d of 40", n, len(tr.trail), motion.MeshKept)
	}
	if allocs := testing.AllocsPerRun(20, func() { tr.Advance(moving, motion.Identity, m, 50, 40) }); allocs > 0 {
		t.Errorf("a step allocates %.0f times", allocs)
	}
	c := tr.Clone()
	if n := count(&c); n != 1 {
		t.Errorf("a copy keeps %d meshes, want 1", n)
	}
	before, _ := c.Back.At(20, 20)
	for range motion.MeshKept + 1 { // the track's own memory is used again
		tr.Advance(moving, motion.Shift(1, 1), m, 51, 40)
	}
	if after, _ := c.Back.At(20, 20); after != before {
		t.Error("the copy shares its mesh")
	}
}

func TestATrackKnowsItsPast(t *testing.T) {
	tr := track(square(20, 10, 20))
	for seq := uint64(3); seq <= 9; seq += 2 { // 3 5 7 9
		tr.Advance(moving, motion.Shift(2, 0), nil, seq, 4)
	}
	for _, c := range []struct {
		seq uint64
		ok  bool
		x   float64
	}{{1, false, 0}, {3, true, 32}, {4, false, 0}, {7, true, 36}, {9, true, 38}, {11, false, 0}} {
		there, ok := tr.In(c.seq)
		if ok != c.ok {
			t.Errorf("in frame %d: %v, want %v", c.seq, ok, c.ok)
			continue
		}
		if ok {
			if x, _ := there.Center(); math.Abs(x-c.x) > 1e-9 {
				t.Errorf("in frame %d at %.1f, want %.1f", c.seq, x, c.x)
			}
		}
	}
	if tr.First() != 3 || tr.Last() != 9 {
		t.Errorf("it knows %d to %d, want 3 to 9", tr.First(), tr.Last())
	}
	start := tr.Start()
	start.Advance(moving, motion.Shift(-2, 0), nil, 1, 4)
	if x, _ := start.Center(); math.Abs(x-30) > 1e-9 || start.Last() != 1 {
		t.Errorf("led back from its start it is at %.1f in frame %d", x, start.Last())
	}
	if x, _ := tr.Center(); math.Abs(x-38) > 1e-9 {
		t.Errorf("what was led back moved it to %.1f", x)
	}
}

// Another patch that takes a track's place has come the same way, off by what leads from one patch's frame to the other's.
func TestAnotherPatchInstead(t *testing.T) {
	tr := track(square(20, 10, 8))
	tr.Advance(moving, motion.Shift(5, 2), nil, 2, 8)
	other := tr.Instead(square(20, 10, 16), motion.Shift(0, 0))
	if x, y := other.Center(); math.Hypot(x-33, y-20) > 1e-9 {
		t.Errorf("it is at %.1f, %.1f, want 33, 20", x, y)
	}
	if there, ok := other.In(1); !ok || there.Bounds().Min.X != 20 {
		t.Error("it has no past")
	}
	off := tr.Instead(square(20, 10, 16), motion.Shift(4, 0)) // the other's frame saw it 4 to the right
	if x, _ := off.Center(); math.Abs(x-29) > 1e-9 {
		t.Errorf("it is at %.1f, want 29", x)
	}
}

func TestATrackAsAPromptAndOnAnotherGrid(t *testing.T) {
	tr := track(square(20, 10, 20))
	tr.Advance(moving, motion.Shift(5, 0), nil, 2, 8)
	want := image.Rect(25, 10, 45, 30)
	l := tuned.Prompt(tr)
	if m := l.Cut(60, 40, 0); !close4(m.Rect, want, 1) {
		t.Errorf("the prompt covers %v, want %v", m.Rect, want)
	}
	if l.W > promptGrid || l.H > promptGrid || l.Extent.X > 0.75 {
		t.Errorf("the prompt has %d×%d cells over %v of the picture", l.W, l.H, l.Extent)
	}
	if m := tr.Logits(120, 80, seg.Point{}, seg.Point{X: 1, Y: 1}).Cut(60, 40, 0); !close4(m.Rect, want, 1) {
		t.Errorf("its logits cover %v, want %v", m.Rect, want)
	}
	if p := tr.Resampled(); p.Cell(35, 20) != 48 || p.Cell(22, 20) > 0 || p.Area() != 400 {
		t.Errorf("as a patch it has %d cells", p.Area())
	}
	p := tuned.Regridded(tr, 120, 40)
	if p.W != 120 || p.H != 40 || math.Abs(float64(p.Area())-800) > 80 || p.Cell(70, 20) <= 0 || p.Cell(40, 20) > 0 {
		t.Errorf("on twice as many columns it has %d cells of 800", p.Area())
	}
}

func TestAReadoutAllocatesTheMaskAlone(t *testing.T) {
	tr := track(square(10, 10, 20))
	var out Readout
	out.Mask(tr)
	if n := testing.AllocsPerRun(20, func() { out.Mask(tr) }); n > 2 {
		t.Errorf("a mask costs %.0f allocations", n)
	}
}
