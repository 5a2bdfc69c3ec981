package onnx

import (
	"fmt"
	"math"
	"path/filepath"
	"testing"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/testkit"
)

// fixture is one family with what its graphs are known to do (inference/testdata/gen/fixtures.py), written down a second
// time, from the papers' and exporters' side: where a pixel of the picture lies in the model's frame.
type fixture struct {
	family string
	files  []string
	frame  func(w, h int) (sx, sy float64) // model pixels per picture pixel
	one    float64                         // radius of the mask that answers one click
	more   float64                         // and several prompts
	mask   bool                            // takes mask prompts
	neg    bool                            // takes negative points
}

// hole is the radius of what a negative point takes away: 20 of the 1024, half of it of segedge's 448.
func (fx fixture) hole() float64 {
	if fx.family == "segedge" {
		return 10
	}
	return 20
}

func longest(side float64, round float64) func(w, h int) (float64, float64) {
	return func(w, h int) (float64, float64) {
		s := side / math.Max(float64(w), float64(h))
		return math.Floor(float64(w)*s+round) / float64(w), math.Floor(float64(h)*s+round) / float64(h)
	}
}

func squash(w, h int) (float64, float64) { return 1024 / float64(w), 1024 / float64(h) }

func doubled(f func(w, h int) (float64, float64)) func(w, h int) (float64, float64) {
	return func(w, h int) (float64, float64) { x, y := f(w, h); return 2 * x, 2 * y }
}

func tiny(w, h int) (float64, float64) {
	if max(w, h) <= 448 {
		return 1, 1
	}
	return longest(448, 0.5)(w, h)
}

func fixtures() []fixture {
	sam := longest(1024, 0.5)
	return []fixture{
		{"segedge", []string{"segedge/encoder", "segedge/decoder"}, tiny, 24, 30, true, true},
		{"segedge", []string{"segedge/encoder", "segedge/decoder-stacks"}, tiny, 24, 30, true, true},
		{"sam", []string{"sam/encoder", "sam/decoder"}, sam, 48, 60, true, true},
		{"sam", []string{"sam/decoder-single", "sam/encoder"}, sam, 48, 48, true, true},
		{"sam-raw", []string{"sam-raw/encoder", "sam/decoder"}, sam, 48, 60, true, true},
		{"nanosam", []string{"nanosam/encoder-512", "nanosam/decoder"}, doubled(longest(512, 1e-9)), 48, 60, true, true},
		{"edgesam", []string{"sam/encoder", "edgesam/decoder"}, sam, 48, 60, false, true},
		{"efficientsam", []string{"efficientsam/encoder", "efficientsam/decoder"}, squash, 48, 48, false, false},
		{"efficientsam-single", []string{"efficientsam-single/model"}, squash, 48, 48, false, false},
		{"sam2", []string{"sam2/encoder", "sam2/decoder"}, squash, 48, 48, true, true},
		{"sam2-sized", []string{"sam2-sized/decoder", "sam2-sized/encoder"}, squash, 48, 48, true, true},
	}
}

func (fx fixture) open(t testing.TB) inference.Segmenter {
	t.Helper()
	var files []inference.File
	for _, f := range fx.files {
		files = append(files, inference.File{Path: filepath.Join("..", "testdata", "fixtures", filepath.FromSlash(f)+".onnx")})
	}
	s, err := inference.Open(testRuntime(t).Loader(SessionOptions{}), "", inference.Options{}, files...)
	if err != nil {
		t.Fatal(err)
	}
	if got := s.Info().Family; got != fx.family {
		t.Fatalf("recognised as %s", got)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// scene is a blue picture with one red rectangle, whose edges are whole pixels.
type scene struct {
	w, h           int
	x0, y0, x1, y1 int
}

func newScene(w, h int) scene { return scene{w, h, w / 8, h / 6, w - w/10, h - h/7} }

func (s scene) frame() *frame.Frame {
	f := frame.New(s.w, s.h)
	for y := range s.h {
		for x := range s.w {
			px := []byte{200, 40, 0}
			if x >= s.x0 && x < s.x1 && y >= s.y0 && y < s.y1 {
				px = []byte{0, 40, 200}
			}
			copy(f.Pix[y*f.Stride()+3*x:], px)
		}
	}
	return f
}

// ask is a prompt and the region that answers it: its signed distance, positive inside, in model pixels.
type ask struct {
	name   string
	prompt seg.Prompt
	region func(x, y float64) float64 // of a place in model pixels
	disc   bool                       // one smooth outline, which a grid of logits carries exactly
}

func at(s scene, x, y float64) seg.Point { return seg.Point{X: x / float64(s.w), Y: y / float64(s.h)} }

// asks are the prompts for a scene; places are picture pixels, whole and broken.
func (fx fixture) asks(s scene) []ask {
	sx, sy := fx.frame(s.w, s.h)
	w, h := float64(s.w), float64(s.h)
	cx, cy := math.Round(w*0.45)+0.5, math.Round(h*0.55)+0.5 // the centre of a pixel
	disc := func(px, py, r float64) func(x, y float64) float64 {
		return func(x, y float64) float64 { return r - math.Hypot(x-px*sx, y-py*sy) }
	}
	rect := func(x0, y0, x1, y1 float64) func(x, y float64) float64 {
		return func(x, y float64) float64 {
			return min(x-x0*sx, x1*sx-x, y-y0*sy, y1*sy-y)
		}
	}
	both := func(a, b func(x, y float64) float64) func(x, y float64) float64 {
		return func(x, y float64) float64 { return min(a(x, y), b(x, y)) }
	}
	click := seg.Click{Point: at(s, cx, cy), Label: seg.Positive}
	box := seg.Box{X0: 0.3, Y0: 0.25, X1: 0.62, Y1: 0.7}
	boxed := rect(0.3*w, 0.25*h, 0.62*w, 0.7*h)
	all := seg.Box{X1: 1, Y1: 1}
	object := rect(float64(s.x0), float64(s.y0), float64(s.x1), float64(s.y1))
	out := []ask{
		{"one click", seg.Prompt{Clicks: []seg.Click{click}}, disc(cx, cy, fx.one), true},
		{"a box around everything", seg.Prompt{Box: &all}, object, false},
		{"box", seg.Prompt{Box: &box}, boxed, false},
	}
	if fx.neg {
		away := seg.Click{Point: at(s, cx+fx.more/2/sx, cy-fx.more/3/sy), Label: seg.Negative}
		hole := disc(cx+fx.more/2/sx, cy-fx.more/3/sy, fx.hole())
		minus := func(x, y float64) float64 { return -hole(x, y) }
		out = append(out,
			ask{"a click and a negative one", seg.Prompt{Clicks: []seg.Click{click, away}}, both(disc(cx, cy, fx.more), minus), false},
			ask{"box and a negative click", seg.Prompt{Clicks: []seg.Click{away}, Box: &box}, both(boxed, minus), false})
	}
	if fx.mask {
		half := halfPlane(s, 0.47)
		left := both(object, func(x, _ float64) float64 { return 0.47*w*sx - x })
		out = append(out,
			ask{"a click and a mask", seg.Prompt{Clicks: []seg.Click{click}, Mask: half}, both(disc(cx, cy, fx.more), left), false},
			ask{"a mask alone", seg.Prompt{Mask: half}, left, false})
		for i, p := range []seg.Point{{X: 0.3, Y: 0.3}, {X: 0.5, Y: 0.62}, {X: 0.76, Y: 0.4}} { // segedge looks through windows
			b := seg.Box{X0: p.X - 0.1, Y0: p.Y - 0.08, X1: p.X + 0.1, Y1: p.Y + 0.12}
			small := both(object, rect(b.X0*w, b.Y0*h, b.X1*w, b.Y1*h))
			out = append(out, ask{fmt.Sprintf("small mask %d", i), seg.Prompt{Mask: ramps(b)}, small, false})
			if i == 0 {
				off := seg.Click{Point: seg.Point{X: p.X + 0.12, Y: p.Y}, Label: seg.Negative}
				out = append(out, ask{"small mask and a negative click", seg.Prompt{Mask: ramps(b), Clicks: []seg.Click{off}},
					both(small, func(x, y float64) float64 { return -disc(off.X*w, off.Y*h, fx.hole())(x, y) }), false})
			}
		}
	}
	return out
}

// halfPlane is a mask prompt on a grid that no model has: positive left of x, as a ramp.
func halfPlane(s scene, x float64) *seg.Logits {
	l := &seg.Logits{W: 100, H: 60, Extent: seg.Point{X: 1, Y: 1}, Data: make([]float32, 6000)}
	for i := range l.Data {
		l.Data[i] = float32((x - (float64(i%100)+0.5)/100) * 1000)
	}
	return l
}

// ramps is a mask prompt that is positive in the box and falls off from its edges.
func ramps(b seg.Box) *seg.Logits {
	l := &seg.Logits{W: 250, H: 250, Extent: seg.Point{X: 1, Y: 1}, Data: make([]float32, 250*250)}
	for i := range l.Data {
		x, y := (float64(i%250)+0.5)/250, (float64(i/250)+0.5)/250
		l.Data[i] = float32(1000 * min(x-b.X0, b.X1-x, y-b.Y0, b.Y1-y))
	}
	return l
}

// compare demands the mask of a region: every pixel that is not at the very outline must be right, and the area and the
// centre of the whole. A disc is held to one model pixel and a tenth of a picture pixel; where straight outlines meet, a
// grid of logits is not that sharp, and an outline on the centres of a row of pixels may take the row or leave it.
func (fx fixture) compare(s scene, a ask, got *seg.Mask) error {
	sx, sy := fx.frame(s.w, s.h)
	near, area, off := 2.5, 0.025, max(0.75, 0.35/min(sx, sy))
	if a.disc {
		near, area, off = 1, 0.01, 0.1
	}
	var n, wrong int
	var mx, my float64
	for y := range s.h {
		for x := range s.w {
			px, py := float64(x)+0.5, float64(y)+0.5
			d := a.region(px*sx, py*sy)
			if d > 0 {
				n++
				mx, my = mx+px, my+py
			}
			if math.Abs(d) > near && (d > 0) != (got.At(x, y) == 1) {
				wrong++
			}
		}
	}
	if wrong > 0 {
		return fmt.Errorf("%d pixels are wrong (mask has %d in %v, want %d)", wrong, got.Count(), got.Rect, n)
	}
	if a := float64(got.Count()) / float64(n); math.Abs(a-1) > area {
		return fmt.Errorf("its area is %.3f of what it should be", a)
	}
	c := got.Centroid()
	dx, dy := c.X*float64(s.w)-mx/float64(n), c.Y*float64(s.h)-my/float64(n)
	if math.Abs(dx) > off || math.Abs(dy) > off {
		return fmt.Errorf("its centre is off by (%.2f, %.2f) pixels", dx, dy)
	}
	return nil
}

// TestFamiliesToThePixel clicks at known pixels of pictures of several sizes and aspects, for every family.
func TestFamiliesToThePixel(t *testing.T) {
	testkit.Long(t)
	sizes := [][2]int{{640, 480}, {1280, 720}, {480, 854}, {300, 200}, {500, 332}}
	for _, fx := range fixtures() {
		t.Run(fx.files[len(fx.files)-1], func(t *testing.T) {
			s := fx.open(t)
			for _, size := range sizes {
				fx.try(t, s, newScene(size[0], size[1]))
			}
		})
	}
}

func (fx fixture) try(t *testing.T, s inference.Segmenter, sc scene) {
	t.Helper()
	e, err := s.Embed(t.Context(), sc.frame())
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	asks := fx.asks(sc)
	prompts := make([]seg.Prompt, len(asks))
	for i, a := range asks {
		prompts[i] = a.prompt
	}
	answers, err := e.Decode(t.Context(), prompts)
	if err != nil {
		t.Fatalf("%dx%d: %v", sc.w, sc.h, err)
	}
	for i, a := range asks {
		best := answers[i].Best()
		if best == nil {
			t.Errorf("%dx%d %s: no mask", sc.w, sc.h, a.name)
			continue
		}
		if err := fx.compare(sc, a, best.Logits.Cut(sc.w, sc.h, seg.Threshold)); err != nil {
			t.Errorf("%dx%d %s: %v", sc.w, sc.h, a.name, err)
		}
	}
}

// TestEmbeddingsAreValues holds that an embedding answers for its own frame, whatever was encoded since, in any order and
// after its model is closed.
func TestEmbeddingsAreValues(t *testing.T) {
	testkit.Long(t)
	for _, fx := range fixtures() {
		s := fx.open(t)
		sc := newScene(640, 480)
		blue := sc
		blue.x1 = blue.x0 // no object at all
		a := fx.asks(sc)[0]
		var es []inference.Embedding
		for _, sc := range []scene{sc, blue, sc, blue} {
			e, err := s.Embed(t.Context(), sc.frame())
			if err != nil {
				t.Fatal(err)
			}
			es = append(es, e)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		for _, i := range []int{3, 0, 2, 1} {
			out, err := es[i].Decode(t.Context(), []seg.Prompt{a.prompt})
			if err != nil {
				t.Fatal(err)
			}
			if best := out[0].Best(); i%2 == 1 && best != nil {
				t.Errorf("%s: a picture without the object has a mask", fx.family)
			} else if i%2 == 0 && (best == nil || fx.compare(sc, a, best.Logits.Cut(sc.w, sc.h, 0)) != nil) {
				t.Errorf("%s: embedding %d has another picture's mask", fx.family, i)
			}
			if err := es[i].Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

// TestSeveralObjectsInOneCall holds that objects answered together are answered as alone, in their order.
func TestSeveralObjectsInOneCall(t *testing.T) {
	testkit.Long(t)
	for _, fx := range fixtures() {
		s := fx.open(t)
		sc := newScene(640, 480)
		e, err := s.Embed(t.Context(), sc.frame())
		if err != nil {
			t.Fatal(err)
		}
		var prompts []seg.Prompt
		for i := range 21 { // more than one call takes
			prompts = append(prompts, fx.asks(sc)[i%2*2].prompt)
			prompts[i].Clicks = append([]seg.Click(nil), prompts[i].Clicks...)
			for k := range prompts[i].Clicks {
				prompts[i].Clicks[k].X += float64(i) / 100
			}
		}
		together, err := e.Decode(t.Context(), prompts)
		if err != nil {
			t.Fatal(err)
		}
		for i, p := range prompts {
			alone, err := e.Decode(t.Context(), []seg.Prompt{p})
			if err != nil {
				t.Fatal(err)
			}
			a, b := alone[0].Best(), together[i].Best()
			if (a == nil) != (b == nil) || a != nil && a.Logits.Cut(160, 120, 0).IoU(b.Logits.Cut(160, 120, 0)) != 1 {
				t.Errorf("%s: object %d is answered differently among others", fx.family, i)
			}
		}
		_ = e.Close()
	}
}
