package look

import (
	"image"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/tracker/motion"
	"github.com/segedge/segedge/tracker/shape"
)

// tuned is what the product is shipped with.
var tuned = func() *Tuning { k := Defaults(); return &k }()

const gridW, gridH = 64, 32

func disc(x, y, r int) *seg.Mask {
	m := seg.NewMask(gridW, gridH, image.Rect(x-r, y-r, x+r+1, y+r+1).Intersect(image.Rect(0, 0, gridW, gridH)))
	for v := m.Rect.Min.Y; v < m.Rect.Max.Y; v++ {
		row := m.Row(v)
		for u := range row {
			if dx, dy := m.Rect.Min.X+u-x, v-y; dx*dx+dy*dy <= r*r {
				row[u] = 1
			}
		}
	}
	return m
}

// features are two maps, one of half the cells of the other, of a picture in which a mask has other values than the rest, in noise.
func features(inside *seg.Mask, value float32, seed uint64) (out []seg.Features) {
	r := rand.New(rand.NewPCG(seed, 3))
	for _, size := range [2]image.Point{{32, 16}, {16, 8}} {
		f := seg.Features{W: size.X, H: size.Y, C: 4, Extent: seg.Point{X: 1, Y: 1}}
		l := seg.LogitsOf(inside, f.W, f.H, f.Extent, 1)
		for c := range f.C {
			for i := range f.W * f.H {
				v := float32(r.NormFloat64()) * 0.3
				if c < 2 {
					v += value * (l.Data[i] + 1) / 2
				}
				f.Data = append(f.Data, v)
			}
		}
		out = append(out, f)
	}
	return out
}

// cropped are the same features as of a crop.
func cropOf(fs []seg.Features) []seg.Features {
	for i := range fs {
		fs[i].Origin, fs[i].Extent = seg.Point{X: 0.25, Y: 0.25}, seg.Point{X: 0.5, Y: 0.5}
	}
	return fs
}

func learnt(t *testing.T, m *Memory, l *Look, seq uint64, at *seg.Mask, value float32) *View {
	t.Helper()
	v := m.See(seq, features(at, value, seq))
	if v == nil {
		t.Fatal("nothing was seen")
	}
	m.Learn(l.In(v), v, at)
	return v
}

func TestWhatWasLearntIsFoundWhereItWent(t *testing.T) {
	m := NewMemory(tuned)
	var l Look
	v := learnt(t, &m, &l, 1, disc(16, 16, 6), 2)
	if !l.In(v).Known() {
		t.Fatal("nothing was learnt")
	}
	if mean, ok := m.Resemblance(l.In(v), v, disc(16, 16, 6)); !ok || math.Abs(mean-1) > 0.2 {
		t.Errorf("it resembles itself by %.2f, want about 1", mean)
	}
	moved := m.See(2, features(disc(46, 12, 6), 2, 2))
	places := m.Read(l.In(moved), moved, Everywhere)
	best := places.Peak()
	x, y := places.Middle(best)
	if !disc(46, 12, 6).Contains(seg.Point{X: x, Y: y}) {
		t.Errorf("it is looked for at %.2f, %.2f", x, y)
	}
	found := places.Flood(best, 0).Cut(gridW, gridH, 0)
	if iou := found.IoU(disc(46, 12, 6)); iou < 0.6 {
		t.Errorf("what is found there has an IoU of %.2f", iou)
	}
	if mean, ok := m.Resemblance(l.In(moved), moved, disc(12, 20, 6)); !ok || mean > -0.3 {
		t.Errorf("the ground resembles it by %.2f", mean)
	}
	if _, ok := m.Resemblance(l.In(moved), moved, &seg.Mask{W: gridW, H: gridH}); ok {
		t.Error("nothing resembles it")
	}
}

// Outside of the box that is asked about nothing is computed; inside, it is the same as everywhere.
func TestAReadingOfABoxIsThatOfEverywhere(t *testing.T) {
	m := NewMemory(tuned)
	var l Look
	v := learnt(t, &m, &l, 1, disc(16, 16, 6), 2)
	all := append([]float32(nil), m.Read(l.In(v), v, Everywhere).Data...)
	part := m.Read(l.In(v), v, seg.Box{X0: 0.1, Y0: 0.2, X1: 0.4, Y1: 0.8})
	same := 0
	for i, s := range part.Data {
		if x, y := part.Middle(i); x > 0.1 && x < 0.4 && y > 0.2 && y < 0.8 {
			same++
			if math.Abs(float64(s-all[i])) > 1e-5 {
				t.Fatalf("at %.2f, %.2f: %v, everywhere %v", x, y, s, all[i])
			}
		}
	}
	if same < 50 {
		t.Errorf("only %d cells were compared", same)
	}
}

// The first mask is never forgotten: after many others it still weighs as much as all of them.
func TestTheFirstMaskIsNotForgotten(t *testing.T) {
	m := NewMemory(tuned)
	var l Look
	v := learnt(t, &m, &l, 1, disc(16, 16, 6), 2)
	for seq := uint64(2); seq < 40; seq++ {
		v = learnt(t, &m, &l, seq, disc(46, 16, 6), -2)
	}
	in := l.In(v)
	if first, late := in.first[1][0], in.late[1][0]; first < 1 || late > -1 {
		t.Errorf("inside it had %.2f at first and has %.2f", first, late)
	}
	if mean := in.mean(1, 0, tuned.Anchor); math.Abs(mean) > 0.5 {
		t.Errorf("taken together %.2f, want about 0", mean)
	}
}

func TestAMaskOfAllOrNothingTeachesNothing(t *testing.T) {
	m := NewMemory(tuned)
	var l Look
	v := m.See(1, features(disc(16, 16, 6), 2, 1))
	m.Learn(l.In(v), v, &seg.Mask{W: gridW, H: gridH})
	all := seg.NewMask(gridW, gridH, image.Rect(0, 0, gridW, gridH))
	for i := range all.Bits {
		all.Bits[i] = 1
	}
	m.Learn(l.In(v), v, all)
	if l.In(v).Known() {
		t.Error("something was learnt")
	}
}

// What an object looks like in crops, and to another model, is learnt apart; a model that only its features tell from the last starts anew.
func TestLooksAreKeptByModelAndScale(t *testing.T) {
	m := NewMemory(tuned)
	m.UseModel("a")
	var l Look
	v := learnt(t, &m, &l, 1, disc(16, 16, 6), 2)
	crop := m.See(2, cropOf(features(disc(16, 16, 6), 2, 2)))
	if v.Crop() || !crop.Crop() || l.In(crop).Known() {
		t.Error("what was learnt of the whole is known of a crop")
	}
	m.UseModel("b")
	if m.At(1) != nil {
		t.Error("another model is shown the views of the last")
	}
	other := m.See(3, features(disc(16, 16, 6), 2, 3))
	if l.In(other).Known() {
		t.Error("another model knows what it never saw")
	}
	m.UseModel("a")
	back := m.See(4, features(disc(46, 16, 6), 2, 4))
	if !l.In(back).Known() || back.Seq() != 4 || m.At(4) != back {
		t.Error("the first model has forgotten")
	}
	wide := features(disc(16, 16, 6), 2, 5)
	wide[0].C, wide[0].Data = 2, wide[0].Data[:2*32*16]
	if v := m.See(5, wide); l.In(v).Known() {
		t.Error("features of another number are compared with those that were learnt")
	}
	for i := range 2 * maxModels {
		m.UseModel(string(rune('c' + i)))
		l.In(m.See(uint64(6+i), features(disc(16, 16, 6), 2, 6)))
	}
	if len(l.models) != maxModels || len(m.spreads) != maxModels {
		t.Errorf("looks of %d models and spreads of %d are kept, of %d", len(l.models), len(m.spreads), maxModels)
	}
}

func TestViewsAreBoundedAndCopied(t *testing.T) {
	m := NewMemory(tuned)
	fs := features(disc(16, 16, 6), 2, 1)
	for seq := uint64(1); seq <= 6; seq++ {
		m.See(seq, fs)
	}
	for seq, want := range map[uint64]bool{1: false, 2: false, 3: true, 6: true, 7: false} {
		if got := m.At(seq) != nil; got != want {
			t.Errorf("frame %d: %v, want %v", seq, got, want)
		}
	}
	was := m.At(6).maps[0].Data[5]
	if fs[0].Data[5] = was + 1; m.At(6).maps[0].Data[5] != was {
		t.Error("what was shown is not copied")
	}
	for _, none := range [][]seg.Features{nil, {{W: 4, H: 4, C: 1}}} {
		if m.See(9, none) != nil {
			t.Errorf("%v is seen", none)
		}
	}
}

// A copy knows what the original knew, and goes its own way.
func TestACloneLivesByItself(t *testing.T) {
	m := NewMemory(tuned)
	var l Look
	v := learnt(t, &m, &l, 1, disc(16, 16, 6), 2)
	e, p := picture(disc(16, 16, 6), []byte{200, 30, 30}, []byte{30, 120, 30})
	l.Colours.Learn(tuned, e, p, image.Rect(0, 0, gridW, gridH))
	c := l.Clone()
	before, _ := m.Resemblance(c.In(v), v, disc(16, 16, 6))
	odds := c.Colours.Logit([]byte{200, 30, 30})
	for seq := uint64(2); seq <= maxViews; seq++ { // no more: views are bounded
		learnt(t, &m, &l, seq, disc(46, 16, 6), -2)
		other, q := picture(disc(46, 16, 6), []byte{30, 30, 200}, []byte{200, 30, 30})
		l.Colours.Learn(tuned, other, q, image.Rect(0, 0, gridW, gridH))
	}
	if after, _ := m.Resemblance(c.In(v), v, disc(16, 16, 6)); after != before {
		t.Errorf("the copy's likeness went from %.3f to %.3f", before, after)
	}
	if c.Colours.Logit([]byte{200, 30, 30}) != odds {
		t.Error("the copy's colours changed")
	}
	l.Forget()
	if l.Colours.Ready() || l.In(v).Known() || !c.Colours.Ready() || !c.In(v).Known() {
		t.Error("forgetting touches the copy, or nothing")
	}
	if blank := l.Clone(); blank.Colours.Ready() {
		t.Error("a copy of nothing knows something")
	}
}

// picture is a frame in which a mask has one colour and the rest another, with the patch of the mask.
func picture(m *seg.Mask, inside, outside []byte) (*motion.Entry, *shape.Patch) {
	e := &motion.Entry{Gray: motion.Gray{W: gridW, H: gridH}}
	for y := range gridH {
		for x := range gridW {
			c := outside
			if m.Contains(seg.Point{X: (float64(x) + 0.5) / gridW, Y: (float64(y) + 0.5) / gridH}) {
				c = inside
			}
			e.BGR = append(e.BGR, c...)
		}
	}
	k := shape.Defaults()
	return e, k.PatchOf(seg.LogitsOf(m, gridW, gridH, seg.Point{X: 1, Y: 1}, 6), gridW, gridH)
}

func TestPeaksLieInThePicture(t *testing.T) {
	l := &seg.Logits{W: 4, H: 4, Extent: seg.Point{X: 1, Y: 2}, Data: make([]float32, 16)} // the lower half is padding
	l.Data[14], l.Data[6] = 9, 3
	p := Map{l}
	if best := p.Peak(); best != 6 {
		t.Errorf("the peak is cell %d, want 6", best)
	}
	out := Map{&seg.Logits{W: 1, H: 1, Origin: seg.Point{X: 2}, Extent: seg.Point{X: 1, Y: 1}, Data: []float32{1}}}
	if best := out.Peak(); best != -1 {
		t.Errorf("outside of the picture the peak is cell %d", best)
	}
}

func TestAFloodStaysWithinWhatIsConnected(t *testing.T) {
	rows := []string{
		"##..#",
		".#..#",
		".##.#",
		"..#..",
	}
	l := &seg.Logits{W: 5, H: 4, Extent: seg.Point{X: 1, Y: 1}, Data: make([]float32, 20)}
	for y, r := range rows {
		for x, c := range r {
			l.Data[y*5+x] = -1
			if c == '#' {
				l.Data[y*5+x] = 1
			}
		}
	}
	for from, want := range map[int]int{0: 6, 17: 6, 4: 3} {
		n := 0
		for _, v := range (Map{l}).Flood(from, 0).Data {
			if v == sure {
				n++
			}
		}
		if n != want {
			t.Errorf("from cell %d it reaches %d, want %d", from, n, want)
		}
	}
}
