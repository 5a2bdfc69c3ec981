package onnx

import (
	"image"
	"path/filepath"
	"testing"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/inference/memory"
	"github.com/segedge/segedge/seg"
)

// videoFixture is the fixture of SAM 2's four graphs, whose arithmetic is known (inference/testdata/gen/fixtures.py): what is tracked is
// the red within three cells of 16 pixels of where it was in any frame that is remembered.
func videoFixture(t testing.TB) *memory.Model {
	t.Helper()
	var files []inference.File
	for _, f := range []string{"mask_decoder", "image_encoder", "memory_encoder", "memory_attention"} {
		files = append(files, inference.File{Path: filepath.Join("..", "testdata", "fixtures", "sam2-video", f+".onnx")})
	}
	m, err := memory.Open(testRuntime(t).Loader(SessionOptions{}), files...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.Close() })
	return m
}

// squares is a blue picture of 512×256 with red squares of 48×48, of these top left corners.
func squares(at ...image.Point) *frame.Frame {
	f := frame.New(512, 256)
	for y := range f.Height {
		for x := range f.Width {
			px := []byte{200, 40, 0}
			for _, p := range at {
				if image.Pt(x, y).In(image.Rect(p.X, p.Y, p.X+48, p.Y+48)) {
					px = []byte{0, 40, 200}
				}
			}
			copy(f.Pix[y*f.Stride()+3*x:], px)
		}
	}
	return f
}

// whereIs is the middle of what is positive, in pixels of the picture of 512×256.
func whereIs(l *seg.Logits) (x, y float64) {
	n := 0.0
	for i, v := range l.Data {
		if v > 0 {
			x, y, n = x+float64(i%l.W)+0.5, y+float64(i/l.W)+0.5, n+1
		}
	}
	return x / n * 512 / float64(l.W), y / n * 256 / float64(l.H)
}

// TestMemoryFollowsItsObject: of two red squares that move apart each of two objects keeps its own, through an occlusion and a correction.
func TestMemoryFollowsItsObject(t *testing.T) {
	b := videoFixture(t).NewBank()
	click := func(x, y int) seg.Prompt {
		return seg.Prompt{Clicks: []seg.Click{{Point: seg.Point{X: float64(x) / 512, Y: float64(y) / 256}, Label: seg.Positive}}}
	}
	at := func(i int) (image.Point, image.Point) { return image.Pt(40+4*i, 20), image.Pt(40+4*i, 180-2*i) }
	for i := range 20 {
		first, second := at(i)
		asked, shown := map[int64]seg.Prompt{}, []image.Point{first, second}
		gone := i >= 9 && i < 12
		switch {
		case i == 0:
			asked = map[int64]seg.Prompt{1: click(first.X+24, first.Y+24), 2: click(second.X+24, second.Y+24)}
		case gone:
			shown = shown[1:]
		case i == 15:
			asked[1] = click(first.X+24, first.Y+24)
		}
		seen, err := b.Step(t.Context(), squares(shown...), asked)
		if err != nil {
			t.Fatal(err)
		}
		for k, s := range seen {
			want := []image.Point{first, second}[k]
			if s.Present() != (k == 1 || !gone) {
				t.Errorf("frame %d, object %d: occlusion score %.2f", i, s.ID, s.Occlusion)
			}
			if !s.Present() {
				continue
			}
			if x, y := whereIs(s.Logits); max(x-float64(want.X)-24, float64(want.X)+24-x, y-float64(want.Y)-24, float64(want.Y)+24-y) > 8 {
				t.Errorf("frame %d, object %d is at %.0f, %.0f, and should be at %v", i, s.ID, x, y, want.Add(image.Pt(24, 24)))
			}
		}
	}
}

// TestFollowingByMemoryIsFlat follows like a camera that runs for long, with objects that come, are corrected and go.
func TestFollowingByMemoryIsFlat(t *testing.T) {
	m := videoFixture(t)
	b := m.NewBank()
	seq := uint64(0)
	rounds := func(n int) {
		for range n {
			seq++
			var asks []memory.Ask
			for id := range int64(1 + seq/7%4) {
				a := memory.Ask{ID: id}
				if !b.Knows(id) || seq%11 == 0 {
					at := seg.Point{X: (64 + 100*float64(id)) / 512, Y: 44. / 256}
					a.Prompt, a.Person = &seg.Prompt{Clicks: []seg.Click{{Point: at, Label: seg.Positive}}}, true
				}
				asks = append(asks, a)
			}
			v, err := m.Embed(t.Context(), squares(image.Pt(40, 20), image.Pt(140, 20), image.Pt(240, 20), image.Pt(340, 20)))
			if err != nil {
				t.Fatal(err)
			}
			c := b.Ask(seq, asks)
			for i := range asks {
				if got, err := c.Run(t.Context(), v, i); err != nil || got[0].Best() == nil {
					t.Fatalf("round %d: object %d: %v", seq, i, err)
				}
				b.Keep(c, i)
			}
			b.Only(func(id int64) bool { return id < int64(len(asks)) && (id == 0 || seq%13 != 0) })
			if err := v.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
	rounds(150)
	before := resident(t)
	rounds(200)
	if grown := resident(t) - before; grown > 16<<10 {
		t.Errorf("grown by %d KiB in 200 keyframes", grown)
	} else {
		t.Logf("%d KiB more after 200 keyframes; %d objects, %d bytes", grown, b.Len(), b.Bytes())
	}
}
