package overlay

import (
	"bytes"
	"image"
	"image/color"
	"math"
	"testing"
	"unicode/utf8"

	"github.com/segedge/segedge/seg"
)

func TestFieldIsSmoothAndKeepsTheEdge(t *testing.T) {
	m := seg.NewMask(40, 40, image.Rect(5, 5, 35, 35))
	for i := range m.Bits {
		m.Bits[i] = 1
	}
	for _, n := range []int{1, 2, 4} {
		var f field
		f.set(m, n, n)
		row := f.line(f.h / 2)
		at := func(x int) float64 { return float64(row[x-f.x0]) / 255 }
		if got := at(5) + at(4); math.Abs(got-1) > 0.05 {
			t.Errorf("%d passes: %.2f and %.2f on the two sides of the edge", n, at(4), at(5))
		}
		if got := at(5) - at(4); math.Abs(got-slope(n)) > 0.03 {
			t.Errorf("%d passes: the edge rises by %.3f a cell, slope says %.3f", n, got, slope(n))
		}
		if row[0] != 0 || row[len(row)-1] != 0 || bytes.IndexFunc(f.line(0), func(r rune) bool { return r != 0 }) >= 0 {
			t.Errorf("%d passes: the margin is not empty: %v", n, row)
		}
		for i := range row[:len(row)/2] {
			if row[i] > row[i+1] {
				t.Errorf("%d passes: not rising towards the middle: %v", n, row)
			}
		}
	}
}

func TestFieldGoesOnBeyondThePicture(t *testing.T) {
	m := seg.NewMask(8, 6, image.Rect(0, 0, 8, 6))
	for i := range m.Bits {
		m.Bits[i] = 1
	}
	var f field
	f.set(m, 2, 1)
	for i, v := range f.data {
		if v != 255 {
			t.Fatalf("cell %d of a full mask is %d", i, v)
		}
	}
}

func TestBlendNeverOverflows(t *testing.T) {
	var table table
	for _, s := range []style{solidStyle, unsureStyle, fadedStyle, candidateStyle} {
		for _, steep := range []float64{0.05, 0.2, 0.375, 1} {
			for _, line := range []bool{true, false} {
				table.build(s, color.RGBA{255, 255, 255, 255}, steep, 1, line)
				for i, b := range table {
					if v := (255*b.mul + max(b.r, b.g, b.b)) >> 8; v > 255 {
						t.Fatalf("coverage %d makes white %d", i, v)
					}
				}
				if table[0] != (blend{mul: 256}) {
					t.Errorf("no coverage changes a pixel: %+v", table[0])
				}
			}
		}
	}
}

func TestEachStateHasItsLook(t *testing.T) {
	const w, h = 160, 90
	seen := map[[3]byte]seg.State{}
	for _, s := range []seg.State{seg.Tracking, seg.Uncertain, seg.Occluded} {
		pix := make([]byte, 3*w*h)
		o := seg.Object{ID: 2, State: s, Mask: ellipse(w, h, 0.5, 0.5, 0.3, 0.3)}
		if err := Paint(pix, w, h, []seg.Object{o}, Options{NoLabels: true}); err != nil {
			t.Fatal(err)
		}
		middle := [3]byte(pix[3*(w*h/2+w/2):])
		if other, ok := seen[middle]; ok {
			t.Errorf("%v looks like %v inside", s, other)
		}
		seen[middle] = s
	}
}

func TestDashesBreakEveryEdge(t *testing.T) {
	const w, h = 160, 90
	pix := make([]byte, 3*w*h)
	m := seg.NewMask(w, h, image.Rect(30, 20, 130, 70))
	for i := range m.Bits {
		m.Bits[i] = 1
	}
	if err := Paint(pix, w, h, []seg.Object{{ID: 2, State: seg.Uncertain, Mask: m}}, Options{NoLabels: true}); err != nil {
		t.Fatal(err)
	}
	light := func(x, y int) int { p := pix[3*(y*w+x):]; return int(p[0]) + int(p[1]) + int(p[2]) }
	for name, edge := range map[string]func(i int) int{
		"upper": func(i int) int { return light(40+i, 20) }, "left": func(i int) int { return light(30, 22+i) },
		"lower": func(i int) int { return light(40+i, 69) }, "right": func(i int) int { return light(129, 22+i) },
	} {
		lo, hi := 1000, 0
		for i := range 44 {
			lo, hi = min(lo, edge(i)), max(hi, edge(i))
		}
		if hi < 2*lo {
			t.Errorf("%s edge: from %d to %d, no gaps", name, lo, hi)
		}
	}
}

func TestCandidatesCanBeLeftOut(t *testing.T) {
	const w, h = 160, 90
	o := seg.Object{ID: 1, State: seg.Tracking, Mask: ellipse(w, h, 0.3, 0.5, 0.1, 0.1), Candidates: []seg.ObjectCandidate{{Mask: ellipse(w, h, 0.7, 0.5, 0.1, 0.1)}}}
	for off, want := range map[bool]bool{false: true, true: false} {
		pix := make([]byte, 3*w*h)
		if err := Paint(pix, w, h, []seg.Object{o}, Options{NoLabels: true, NoCandidates: off}); err != nil {
			t.Fatal(err)
		}
		if got := pix[3*(w*h/2+112)] != 0; got != want {
			t.Errorf("NoCandidates %v: painted %v", off, got)
		}
	}
}

// marked are the pixels that labels change.
func marked(t *testing.T, w, h int, objects []seg.Object) image.Rectangle {
	t.Helper()
	with, without := backdrop(w, h), backdrop(w, h)
	for i, pix := range [][]byte{with, without} {
		if err := Paint(pix, w, h, objects, Options{NoLabels: i == 1}); err != nil {
			t.Fatal(err)
		}
	}
	var r image.Rectangle
	for i := range w * h {
		if !bytes.Equal(with[3*i:3*i+3], without[3*i:3*i+3]) {
			r = r.Union(image.Rect(i%w, i/w, i%w+1, i/w+1))
		}
	}
	return r
}

func TestLabelsStandAboveTheirObject(t *testing.T) {
	const w, h = 640, 360
	at := func(cx, cy float64) image.Rectangle {
		return marked(t, w, h, []seg.Object{{ID: 1, Name: "thing", State: seg.Tracking, Mask: ellipse(320, 180, cx, cy, 0.1, 0.1)}})
	}
	if r := at(0.5, 0.5); r.Max.Y > int(0.4*h) || r.Max.Y < int(0.4*h)-8 || math.Abs(float64(r.Min.X+r.Max.X)/2-w/2) > 4 {
		t.Errorf("chip at %v, the object reaches up to %d", r, int(0.4*h))
	}
	for _, corner := range [][2]float64{{0, 0}, {1, 0}, {0, 1}, {1, 1}} {
		if r := at(corner[0], corner[1]); r.Dx() < 30 || !r.In(image.Rect(0, 0, w, h)) {
			t.Errorf("chip at %v of an object at %v", r, corner)
		}
	}
	// A stray cell far off moves the box, not the chip.
	m := ellipse(320, 180, 0.7, 0.5, 0.1, 0.1)
	wide := seg.NewMask(320, 180, image.Rect(0, 0, 320, 180))
	for y := m.Rect.Min.Y; y < m.Rect.Max.Y; y++ {
		copy(wide.Row(y)[m.Rect.Min.X:], m.Row(y))
	}
	wide.Bits[0] = 1
	if r := marked(t, w, h, []seg.Object{{ID: 1, Name: "thing", State: seg.Tracking, Mask: wide}}); r.Min.X < w/2 || r.Max.Y < h/4 {
		t.Errorf("chip at %v", r)
	}
}

func TestObjectsWithoutAPlaceAreListed(t *testing.T) {
	const w, h = 320, 180
	r := marked(t, w, h, []seg.Object{{ID: 1, State: seg.Lost}, {ID: 2, State: seg.Tentative}, {ID: 3, State: seg.Ended}})
	if r.Empty() || r.Max.X > w/2 || r.Min.Y < h/2 {
		t.Errorf("chips at %v, want the lower left corner", r)
	}
	if r := marked(t, w, h, []seg.Object{{ID: 3, State: seg.Ended}}); !r.Empty() {
		t.Errorf("an ended object has a chip at %v", r)
	}
}

func TestGlyphsAreBounded(t *testing.T) {
	var f typeface
	if err := f.load(); err != nil {
		t.Fatal(err)
	}
	if err := f.resize(12); err != nil {
		t.Fatal(err)
	}
	for r := rune(0x20); r < 0x20+3*maxGlyphs; r++ {
		f.glyph(r)
	}
	if len(f.glyphs) > maxGlyphs+1 {
		t.Errorf("%d glyphs kept", len(f.glyphs))
	}
	w, fit := f.width([]byte("label"), 1000)
	if w < 20 || w > 60 || fit != 5 {
		t.Errorf("5 letters are %d wide, %d fit", w, fit)
	}
	if w2, fit := f.width([]byte("label"), w-1); fit != 4 || w2 >= w {
		t.Errorf("%d of 5 letters fit into %d", fit, w-1)
	}
	if err := f.resize(24); err != nil || len(f.glyphs) != 0 {
		t.Errorf("glyphs of another size are kept: %d, %v", len(f.glyphs), err)
	}
}

func TestLongNamesAreCut(t *testing.T) {
	var f typeface
	if err := f.load(); err != nil {
		t.Fatal(err)
	}
	if err := f.resize(12); err != nil {
		t.Fatal(err)
	}
	long := []byte("a name that goes on and on, größer")
	for limit := range 200 {
		out, w := f.cut(append([]byte(nil), long...), limit)
		if w > max(limit, f.glyph('…').advance) || !utf8.Valid(out) || (len(out) < len(long) && !bytes.HasSuffix(out, []byte("…"))) {
			t.Fatalf("limit %d: %q is %d wide", limit, out, w)
		}
	}
	if out, _ := f.cut(long, 1000); !bytes.Equal(out, long) {
		t.Errorf("%q", out)
	}
}

func TestWashIsTheSameAsOnePixelAtATime(t *testing.T) {
	for _, s := range []style{solidStyle, fadedStyle} {
		for id := seg.ID(1); id < 8; id++ {
			var table table
			table.build(s, Color(id), 0.2, 1, true)
			var k wash
			k.build(&table[255])
			for n := range 40 {
				got := make([]byte, 3*n)
				for i := range got {
					got[i] = byte(i*37 + n)
				}
				want := bytes.Clone(got)
				k.fill(got)
				for i := range want {
					add := []uint32{table[255].b, table[255].g, table[255].r}[i%3]
					want[i] = uint8((uint32(want[i])*table[255].mul + add) >> 8)
				}
				if !bytes.Equal(got, want) {
					t.Fatalf("%d pixels: %v, want %v", n, got, want)
				}
			}
		}
	}
}

func TestInteriorBlendDoesNotDependOnTheDash(t *testing.T) {
	for _, s := range []style{solidStyle, unsureStyle, fadedStyle, candidateStyle} {
		for _, steep := range []float64{0.02, 0.2, 0.375, 0.6} {
			var line, gap table
			line.build(s, Color(1), steep, 1.5, true)
			gap.build(s, Color(1), steep, 1.5, false)
			if line[255] != gap[255] {
				t.Errorf("slope %v: %+v on a dash, %+v in a gap", steep, line[255], gap[255])
			}
		}
	}
}

func TestObjectsAreCalledAsOnEveryDoor(t *testing.T) {
	for _, c := range []struct{ camera, name, want string }{{"hall", "", "hall-7"}, {"", "", "#7"}, {"hall", "Ada", "Ada"}} {
		p := &Painter{opts: Options{Camera: c.camera}}
		if got := string(p.nameOf(&seg.Object{ID: 7, Name: c.name}, nil)); got != c.want {
			t.Errorf("%+v: %q", c, got)
		}
		if c.name == "" && c.camera != "" && c.want != seg.ObjectID(c.camera, 7) {
			t.Errorf("the doors say %q", seg.ObjectID(c.camera, 7))
		}
	}
}
