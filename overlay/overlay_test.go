package overlay

import (
	"bytes"
	"flag"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/seg"
)

var update = flag.Bool("update", false, "write the golden pictures anew; look at them before committing")

// ellipse is a mask on a grid of w×h, its centre and radii normalised.
func ellipse(w, h int, cx, cy, rx, ry float64) *seg.Mask {
	m := seg.NewMask(w, h, image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			dx, dy := ((float64(x)+0.5)/float64(w)-cx)/rx, ((float64(y)+0.5)/float64(h)-cy)/ry
			if dx*dx+dy*dy < 1 {
				m.Bits[y*w+x] = 1
			}
		}
	}
	return m.Trim()
}

// backdrop is a picture with dark, light, plain and busy parts.
func backdrop(w, h int) []byte {
	pix := make([]byte, 3*w*h)
	for y := range h {
		for x := range w {
			v := 40 + 190*x/w
			if y > h/2 && (x/8+y/8)%2 == 0 {
				v = 255 - v
			}
			p := pix[3*(y*w+x):]
			p[0], p[1], p[2] = byte(v), byte(v*7/8), byte(v*3/4)
		}
	}
	return pix
}

func scene() map[string][]seg.Object {
	at := func(id seg.ID, name string, s seg.State, w, h int, cx, cy, rx, ry float64) seg.Object {
		return seg.Object{ID: id, Name: name, State: s, Mask: ellipse(w, h, cx, cy, rx, ry)}
	}
	ambiguous := at(7, "cup", seg.Tracking, 160, 90, 0.5, 0.55, 0.1, 0.2)
	ambiguous.Candidates = []seg.ObjectCandidate{{Mask: ellipse(160, 90, 0.5, 0.55, 0.25, 0.4)}, {Mask: ellipse(160, 90, 0.5, 0.5, 0.04, 0.06)}}
	return map[string][]seg.Object{
		"states": {
			at(1, "", seg.Tracking, 320, 180, 0.14, 0.5, 0.11, 0.3),
			at(2, "Tür", seg.Uncertain, 320, 180, 0.38, 0.5, 0.11, 0.3),
			at(3, "чашка", seg.Occluded, 320, 180, 0.62, 0.5, 0.11, 0.3),
			{ID: 4, Name: "gone", State: seg.Lost}, {ID: 5, State: seg.Tentative},
			at(6, "ended", seg.Lost, 320, 180, 0.86, 0.5, 0.11, 0.3),
		},
		"grids": {
			at(1, "a", seg.Tracking, 640, 360, 0.14, 0.5, 0.11, 0.3),
			at(2, "b", seg.Tracking, 256, 256, 0.38, 0.5, 0.11, 0.3),
			at(3, "c", seg.Tracking, 80, 45, 0.62, 0.5, 0.11, 0.3),
			at(4, "d", seg.Tracking, 32, 18, 0.9, 0.5, 0.2, 0.3),
		},
		"ambiguous": {ambiguous},
		"crowded": {
			at(1, "first of several that overlap", seg.Tracking, 160, 90, 0.3, 0.4, 0.2, 0.3),
			at(2, "second", seg.Tracking, 160, 90, 0.32, 0.4, 0.2, 0.3),
			at(3, "third", seg.Tracking, 160, 90, 0.34, 0.42, 0.2, 0.3),
			at(4, "edge", seg.Tracking, 160, 90, 1.0, 0.1, 0.1, 0.3),
		},
	}
}

func toImage(pix []byte, w, h int) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for i := range w * h {
		img.Pix[4*i], img.Pix[4*i+1], img.Pix[4*i+2], img.Pix[4*i+3] = pix[3*i+2], pix[3*i+1], pix[3*i], 255
	}
	return img
}

func TestGoldenPictures(t *testing.T) {
	const w, h = 320, 180
	for name, objects := range scene() {
		t.Run(name, func(t *testing.T) {
			pix := backdrop(w, h)
			if err := Paint(pix, w, h, objects, Options{}); err != nil {
				t.Fatal(err)
			}
			got, path := toImage(pix, w, h), filepath.Join("testdata", name+".png")
			if *update {
				writePNG(t, path, got)
			}
			want := readPNG(t, path)
			if want.Bounds() != got.Bounds() {
				t.Fatalf("%v, golden %v", got.Bounds(), want.Bounds())
			}
			if n := differing(got, want); n > 0 {
				t.Errorf("%d pixels differ from %s; if that is meant: go test ./overlay -update", n, path)
			}
		})
	}
}

// differing counts pixels that differ visibly: floating point may round another way on another machine.
func differing(a *image.RGBA, b image.Image) (n int) {
	for y := range a.Rect.Dy() {
		for x := range a.Rect.Dx() {
			p, q := a.RGBAAt(x, y), color.RGBAModel.Convert(b.At(x, y)).(color.RGBA)
			if far(p.R, q.R) || far(p.G, q.G) || far(p.B, q.B) {
				n++
			}
		}
	}
	return n
}

func far(a, b uint8) bool { return math.Abs(float64(a)-float64(b)) > 4 }

func writePNG(t *testing.T, path string, img image.Image) {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

func readPNG(t *testing.T, path string) image.Image {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func TestPaintStaysNearTheObject(t *testing.T) {
	const w, h = 320, 180
	for _, grid := range []image.Point{{320, 180}, {640, 360}, {160, 90}, {64, 64}, {40, 20}} {
		o := seg.Object{ID: 1, State: seg.Tracking, Mask: ellipse(grid.X, grid.Y, 0.5, 0.5, 0.2, 0.3)}
		before, pix := backdrop(w, h), backdrop(w, h)
		if err := Paint(pix, w, h, []seg.Object{o}, Options{NoLabels: true}); err != nil {
			t.Fatal(err)
		}
		cell := max(w/grid.X, h/grid.Y, 1)
		b := o.Mask.Box()
		box := image.Rect(int(b.X0*w), int(b.Y0*h), int(b.X1*w), int(b.Y1*h)).Inset(-3 - 2*cell)
		inside := 0
		for i := range w * h {
			if bytes.Equal(before[3*i:3*i+3], pix[3*i:3*i+3]) {
				continue
			}
			at := image.Pt(i%w, i/w)
			if !at.In(box) {
				t.Fatalf("grid %v: pixel %v changed outside %v", grid, at, box)
			}
			inside++
		}
		if want := o.Mask.Area() * w * h; float64(inside) < want || float64(inside) > want*1.35+200 {
			t.Errorf("grid %v: %d pixels changed for a mask of %.0f", grid, inside, want)
		}
	}
}

func TestContourFollowsTheEdge(t *testing.T) {
	const w, h = 320, 180
	for _, grid := range []image.Point{{320, 180}, {160, 90}, {80, 45}} {
		m := ellipse(grid.X, grid.Y, 0.5, 0.5, 0.2, 0.3)
		pix := make([]byte, 3*w*h)
		if err := Paint(pix, w, h, []seg.Object{{ID: 3, State: seg.Tracking, Mask: m}}, Options{NoLabels: true}); err != nil {
			t.Fatal(err)
		}
		// Along the middle row the brightest pixels are the contour, and they lie on the mask's two edges.
		row, best := pix[3*w*(h/2):][:3*w], 0
		peak := func(from, to int) (at int) {
			best = 0
			for x := from; x < to; x++ {
				if v := int(row[3*x]) + int(row[3*x+1]) + int(row[3*x+2]); v > best {
					best, at = v, x
				}
			}
			return at
		}
		left, right := peak(0, w/2), peak(w/2, w)
		b := m.Box()
		if math.Abs(float64(left)-b.X0*w) > 2.5 || math.Abs(float64(right)-b.X1*w) > 2.5 {
			t.Errorf("grid %v: contour at %d and %d, the mask reaches from %.1f to %.1f", grid, left, right, b.X0*w, b.X1*w)
		}
	}
}

func TestNoContourAlongThePictureBorder(t *testing.T) {
	const w, h = 160, 90
	full := seg.NewMask(w, h, image.Rect(0, 0, w, h))
	for i := range full.Bits {
		full.Bits[i] = 1
	}
	pix := make([]byte, 3*w*h)
	if err := Paint(pix, w, h, []seg.Object{{ID: 1, State: seg.Tracking, Mask: full}}, Options{NoLabels: true}); err != nil {
		t.Fatal(err)
	}
	for i := range w * h {
		if !bytes.Equal(pix[:3], pix[3*i:3*i+3]) {
			t.Fatalf("pixel %d of a mask over everything differs from the first", i)
		}
	}
}

func TestPaintRefusesAShortBuffer(t *testing.T) {
	for _, size := range [][3]int{{10, 4, 2}, {24, 0, 2}, {24, 4, -2}} {
		if err := Paint(make([]byte, size[0]), size[1], size[2], nil, Options{}); err == nil {
			t.Errorf("%v accepted", size)
		}
	}
}

func TestPaintTakesOddMasks(t *testing.T) {
	const w, h = 64, 48
	one := seg.NewMask(64, 48, image.Rect(63, 47, 64, 48))
	one.Bits[0] = 1
	for name, m := range map[string]*seg.Mask{
		"nil": nil, "no cell": {W: 8, H: 8}, "no grid": {}, "one corner cell": one,
		"one big cell": {W: 1, H: 1, Rect: image.Rect(0, 0, 1, 1), Bits: []uint8{1}},
		"untrimmed":    seg.NewMask(64, 48, image.Rect(10, 10, 20, 20)),
		"much finer":   ellipse(1024, 768, 0.5, 0.5, 0.2, 0.2),
	} {
		for s := seg.Tentative; s <= seg.Ended; s++ {
			if err := Paint(backdrop(w, h), w, h, []seg.Object{{ID: 1, Name: "\xff日本\x00", State: s, Mask: m}}, Options{}); err != nil {
				t.Errorf("%s, %v: %v", name, s, err)
			}
		}
	}
}

func TestOverLeavesTheFrameAlone(t *testing.T) {
	f := frame.New(64, 36)
	copy(f.Pix, backdrop(64, 36))
	before := bytes.Clone(f.Pix)
	p, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	out, err := p.Over(nil, f, []seg.Object{{ID: 1, State: seg.Tracking, Mask: ellipse(32, 18, 0.5, 0.5, 0.3, 0.3)}})
	if err != nil || bytes.Equal(out, before) || !bytes.Equal(f.Pix, before) {
		t.Errorf("painted a copy: %v, frame untouched: %v, %v", !bytes.Equal(out, before), bytes.Equal(f.Pix, before), err)
	}
}

func TestColorsAreStableAndApart(t *testing.T) {
	if a, b := Color(5), Color(5); a != b {
		t.Error("an id must keep its colour")
	}
	const n = 24
	for i := seg.ID(1); i <= n; i++ {
		c := Color(i)
		if sum := int(c.R) + int(c.G) + int(c.B); sum < 200 || sum > 690 {
			t.Errorf("color %d %v is too dark or too light", i, c)
		}
		for j := i + 1; j <= min(i+6, n); j++ {
			if d := Color(j); distance(c, d) < 70 {
				t.Errorf("colours %d %v and %d %v are %.0f apart", i, c, j, d, distance(c, d))
			}
		}
	}
}

func distance(a, b color.RGBA) float64 {
	return math.Sqrt(math.Pow(float64(a.R)-float64(b.R), 2) + math.Pow(float64(a.G)-float64(b.G), 2) + math.Pow(float64(a.B)-float64(b.B), 2))
}

func TestInteriorIsOnlyTinted(t *testing.T) {
	const w, h = 320, 180
	for _, grid := range []image.Point{{640, 360}, {320, 180}, {160, 90}, {40, 20}} {
		pix := make([]byte, 3*w*h)
		o := seg.Object{ID: 1, State: seg.Tracking, Mask: ellipse(grid.X, grid.Y, 0.5, 0.5, 0.3, 0.4)}
		if err := Paint(pix, w, h, []seg.Object{o}, Options{NoLabels: true}); err != nil {
			t.Fatal(err)
		}
		k, mid := Color(1), pix[3*(w*h/2+w/2):]
		if got, want := float64(mid[1]), solidStyle.fill*float64(k.G); math.Abs(got-want) > 3 {
			t.Errorf("grid %v: green %v in the middle, want %.0f", grid, got, want)
		}
	}
}
