package inference

import (
	"fmt"
	"image"
	"math"
	"math/rand/v2"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/testkit"
)

// This file is the plainest correct pipeline around the model, step by step as the papers have it, one buffer a step. It
// is what the engine's own pre- and post-processing is held to, and measured against.

// plainTriangle and plainCubic are the two filters: weights of samples at distance d, in units of the filter's scale (Keys 1981, a = −1/2).
func plainTriangle(d float64) float64 { return max(0, 1-math.Abs(d)) }

func plainCubic(d float64) float64 {
	const a = -0.5
	d = math.Abs(d)
	switch {
	case d <= 1:
		return (a+2)*math.Pow(d, 3) - (a+3)*d*d + 1
	case d < 2:
		return a*math.Pow(d, 3) - 5*a*d*d + 8*a*d - 4*a
	}
	return 0
}

// plainResize filters in float64, first all rows, then all columns.
func plainResize(f *frame.Frame, w, h int, filter func(d float64) float64) []float64 {
	out := make([]float64, 3*w*h)
	sx, sy := float64(f.Width)/float64(w), float64(f.Height)/float64(h)
	rx, ry := math.Max(sx, 1), math.Max(sy, 1)
	tmp := make([]float64, 3*w*f.Height)
	for y := range f.Height {
		for x := range w {
			plainTap((float64(x)+0.5)*sx, rx, f.Width, filter, func(i int, weight float64) {
				for c := range 3 {
					tmp[3*(y*w+x)+c] += weight * float64(f.Pix[y*f.Stride()+3*i+c])
				}
			})
		}
	}
	for y := range h {
		plainTap((float64(y)+0.5)*sy, ry, f.Height, filter, func(j int, weight float64) {
			for i := range 3 * w {
				out[3*w*y+i] += weight * tmp[3*w*j+i]
			}
		})
	}
	return out
}

func plainTap(center, scale float64, n int, filter func(d float64) float64, each func(i int, weight float64)) {
	sum, reach := 0.0, scale
	if filter(1.5) != 0 {
		reach *= 2
	}
	for pass := range 2 {
		for i := max(0, int(center-reach)-1); i < min(n, int(center+reach)+2); i++ {
			if w := filter((float64(i) + 0.5 - center) / scale); w != 0 {
				if pass == 0 {
					sum += w
				} else {
					each(i, w/sum)
				}
			}
		}
	}
}

// plainInput resizes, pads and normalises.
func plainInput(r *ImageRule, g geometry, f *frame.Frame) []float32 {
	filter := plainTriangle
	if r.Resample == Bicubic {
		filter = plainCubic
	}
	small := plainResize(f, g.sw, g.sh, filter)
	for i, v := range small {
		small[i] = min(max(v, 0), 255) // a cubic overshoots
	}
	out := make([]float32, 3*g.tw*g.th)
	for c := range 3 {
		std := r.Std[c]
		if std == 0 {
			std = 1
		}
		for y := range g.th {
			for x := range g.tw {
				v := r.Pad[c]
				if x < g.sw && y < g.sh {
					v = (float32(small[3*(y*g.sw+x)+2-c]) - r.Mean[c]) / std
				}
				i := c*g.tw*g.th + y*g.tw + x
				if r.Rank == 3 {
					i = 3*(y*g.tw+x) + c
				}
				out[i] = v
			}
		}
	}
	return out
}

// plainMask enlarges logits to the model's input, cuts the padding off, enlarges to the frame, and thresholds.
func plainMask(logits []float32, lw, lh int, g geometry, w, h int) *seg.Mask {
	big := plainEnlarge(logits, lw, lh, g.ew, g.eh)
	cut := make([]float32, g.sw*g.sh)
	for y := range g.sh {
		copy(cut[y*g.sw:][:g.sw], big[y*g.ew:])
	}
	full := plainEnlarge(cut, g.sw, g.sh, w, h)
	m := seg.NewMask(w, h, image.Rect(0, 0, w, h))
	for i, v := range full {
		if v > 0 {
			m.Bits[i] = 1
		}
	}
	return m
}

func plainEnlarge(in []float32, w, h, tw, th int) []float32 {
	out := make([]float32, tw*th)
	for y := range th {
		row := seg.TapAt((float64(y)+0.5)*float64(h)/float64(th)-0.5, h)
		for x := range tw {
			col := seg.TapAt((float64(x)+0.5)*float64(w)/float64(tw)-0.5, w)
			top, bottom := col.Of(in[row.I*w:]), col.Of(in[row.J*w:])
			out[y*tw+x] = top + (bottom-top)*row.F
		}
	}
	return out
}

func noisy(w, h int) *frame.Frame {
	f, r := frame.New(w, h), rand.New(rand.NewPCG(1, 2))
	for i := range f.Pix {
		f.Pix[i] = byte(60+i/7%120) + byte(r.IntN(60))
	}
	return f
}

func TestPreparationMatchesThePlainOne(t *testing.T) {
	testkit.Long(t)
	for _, f := range Families() {
		if f.Image.Side == 1024 {
			f.Image.Side = 256 // the same arithmetic in a sixteenth of the time
		}
		for _, size := range [][2]int{{640, 360}, {334, 500}, {200, 120}, {322, 240}} {
			fr := noisy(size[0], size[1])
			g := f.Image.place(fr.Width, fr.Height)
			s := &scratch{}
			s.fill(&f.Image, f.Image.table(), f.Image.place(64, 64), noisy(64, 64)) // memory of another size
			got := s.fill(&f.Image, f.Image.table(), g, fr)
			want := plainInput(&f.Image, g, fr)
			if got.Len() != len(want) {
				t.Fatalf("%s %v: %d values, want %d", f.Name, size, got.Len(), len(want))
			}
			worst := 0.0
			for i, v := range got.Float32 {
				worst = max(worst, math.Abs(float64(v-want[i])))
			}
			grey := 1.0 // Pillow and ours round to bytes, twice
			switch f.Image.Resample {
			case Torch:
				grey = 1e-3
			case Bicubic:
				grey = 1.2 // its weights are larger than 1 together
			case Pillow, Fast:
			}
			if std := f.Image.Std[0]; std > 0 {
				grey /= float64(min(f.Image.Std[0], f.Image.Std[1], f.Image.Std[2]))
			}
			if f.Image.Resample == Fast {
				grey = 2
			}
			if worst > grey+1e-6 {
				t.Errorf("%s %v: off by %.4f, at most %.4f", f.Name, size, worst, grey)
			}
		}
	}
}

func TestGeometryOfTheFamilies(t *testing.T) {
	testkit.Long(t)
	for _, c := range []struct {
		f      Family
		w, h   int
		sw, sh int
		tw, th int
		ex, ey float64
	}{
		{segedgeTiny(), 1280, 720, 448, 252, 448, 256, 1, 256. / 252},
		{segedgeTiny(), 720, 1280, 252, 448, 256, 448, 256. / 252, 1},
		{segedgeTiny(), 200, 100, 200, 100, 224, 128, 224. / 200, 128. / 100},
		{sam(), 854, 480, 1024, 576, 1024, 1024, 1, 1024. / 576},
		{sam(), 1000, 667, 1024, 683, 1024, 1024, 1, 1024. / 683},
		{nanoSAM(), 1000, 667, 1024, 683, 1024, 1024, 1, 1024. / 683},
		{nanoSAM(), 1000, 667 + 1, 1024, 684, 1024, 1024, 1, 1024. / 684},
		{sam(), 1000, 668 + 1, 1024, 685, 1024, 1024, 1, 1024. / 685},
		{samRaw(), 1000, 500, 1024, 512, 1024, 512, 1, 2},
		{sam2(), 1000, 500, 1024, 1024, 1024, 1024, 1, 1},
		{efficientSAM(), 1000, 500, 1000, 500, 1000, 500, 1, 1},
	} {
		g := c.f.Image.place(c.w, c.h)
		if g.sw != c.sw || g.sh != c.sh || g.tw != c.tw || g.th != c.th || g.extent() != (seg.Point{X: c.ex, Y: c.ey}) {
			t.Errorf("%s %d×%d: %+v, extent %v; want %+v", c.f.Name, c.w, c.h, g, g.extent(), c)
		}
	}
	n := nanoSAM()
	if g := n.Image.place(1000, 665); g.sh != 680 { // 680.96
		t.Errorf("NanoSAM rounds: %d", g.sh)
	}
}

func TestResizerMatchesThePlainOne(t *testing.T) {
	testkit.Long(t)
	var r Resizer
	for _, c := range [][4]int{{1280, 720, 320, 180}, {322, 246, 320, 244}, {64, 48, 100, 75}, {1920, 1080, 427, 240}, {7, 5, 3, 2}, {30, 20, 30, 20}} {
		src, dst := noisy(c[0], c[1]), frame.New(c[2], c[3])
		r.Resize(dst, src)
		want := plainResize(src, c[2], c[3], plainTriangle)
		sum := 0.0
		for i, v := range dst.Pix {
			d := float64(v) - want[i]
			sum += d
			if math.Abs(d) > 2 {
				t.Fatalf("%v: value %d is %d, want %.2f", c, i, v, want[i])
			}
		}
		if bias := sum / float64(len(want)); math.Abs(bias) > 0.1 {
			t.Errorf("%v: brighter by %.3f", c, bias)
		}
	}
	src, dst := noisy(1280, 720), frame.New(320, 180)
	if n := testing.AllocsPerRun(5, func() { r.Resize(dst, src) }); n > 0 {
		t.Errorf("%v allocations a frame", n)
	}
}

// blob are the logits of four nested discs.
func blob(g geometry, k int) ([]float32, int, int) {
	w, h := g.ew/stride, g.eh/stride
	l := make([]float32, w*h)
	for i := range l {
		l[i] = float32(float64(w)/(6+float64(k)) - math.Hypot(float64(i%w-w/2), float64(i/w-h/3)))
	}
	return l, w, h
}

func TestCutMatchesThePlainMask(t *testing.T) {
	testkit.Long(t)
	f := segedgeTiny()
	for _, size := range [][2]int{{1280, 720}, {480, 854}, {320, 192}} {
		g := f.Image.place(size[0], size[1])
		data, w, h := blob(g, 0)
		l := seg.Logits{W: w, H: h, Extent: g.extent(), Data: data}
		if iou := l.Cut(size[0], size[1], 0).IoU(plainMask(data, w, h, g, size[0], size[1])); iou < 0.99 {
			t.Errorf("%v: IoU %.4f", size, iou)
		}
	}
}

// keyframe is what surrounds the model in one keyframe of ten objects at 720p.
type keyframe struct {
	f       Family
	g       geometry
	fr      *frame.Frame
	reply   reply
	prompts []seg.Prompt
}

func newKeyframe(objects int) keyframe {
	k := keyframe{f: segedgeTiny(), fr: noisy(1280, 720)}
	k.g = k.f.Image.place(1280, 720)
	k.reply = reply{masks: 4}
	for range objects {
		for t := range 4 {
			l, w, h := blob(k.g, t)
			k.reply.logits, k.reply.w, k.reply.h = append(k.reply.logits, l...), w, h
			k.reply.scores = append(k.reply.scores, 0.9)
		}
		k.prompts = append(k.prompts, seg.Prompt{Clicks: oneClick.Clicks, Mask: &seg.Logits{W: 1, H: 1, Extent: seg.Point{X: 1, Y: 1}, Data: []float32{1}}})
	}
	return k
}

func (k *keyframe) ours(s *scratch, table *lut) error {
	s.fill(&k.f.Image, table, k.g, k.fr)
	for i := range k.prompts {
		p, err := k.reply.prediction(&k.f, &k.g, k.g, i, &k.prompts[i])
		if err != nil {
			return err
		}
		if p.Best().Logits.Cut(1280, 720, seg.Threshold).Count() == 0 {
			return fmt.Errorf("no mask")
		}
	}
	return nil
}

func (k *keyframe) plain() error {
	plainInput(&k.f.Image, k.g, k.fr)
	n := k.reply.w * k.reply.h
	for i := range k.prompts {
		if plainMask(k.reply.logits[4*i*n:][:n], k.reply.w, k.reply.h, k.g, 1280, 720).Count() == 0 {
			return fmt.Errorf("no mask")
		}
	}
	return nil
}

// cpu reports the processor time of this thread for each round: on a busy machine the clock says little.
func cpu(b *testing.B) func() {
	runtime.LockOSThread()
	var from, to syscall.Rusage
	const thread = 1 // RUSAGE_THREAD
	_ = syscall.Getrusage(thread, &from)
	return func() {
		_ = syscall.Getrusage(thread, &to)
		runtime.UnlockOSThread()
		used := time.Duration(to.Utime.Nano() + to.Stime.Nano() - from.Utime.Nano() - from.Stime.Nano())
		b.ReportMetric(float64(used.Microseconds())/1000/float64(b.N), "cpu-ms/op")
	}
}

// BenchmarkKeyframe measures all of a keyframe at 720p that is not the model, ours and the plainest correct one.
func BenchmarkKeyframe(b *testing.B) {
	for _, objects := range []int{1, 5, 10} {
		k := newKeyframe(objects)
		b.Run(fmt.Sprintf("ours/objects=%d", objects), func(b *testing.B) {
			s, table := &scratch{}, k.f.Image.table()
			b.ReportAllocs()
			defer cpu(b)()
			for b.Loop() {
				if err := k.ours(s, table); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("plain/objects=%d", objects), func(b *testing.B) {
			b.ReportAllocs()
			defer cpu(b)()
			for b.Loop() {
				if err := k.plain(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkPrepare measures the picture's way into the input tensor.
func BenchmarkPrepare(b *testing.B) {
	for _, size := range [][2]int{{320, 180}, {854, 480}, {1280, 720}} {
		for _, f := range []Family{segedgeTiny(), sam(), sam2()} {
			b.Run(fmt.Sprintf("%s/%dx%d", f.Name, size[0], size[1]), func(b *testing.B) {
				fr, s, table := noisy(size[0], size[1]), &scratch{}, f.Image.table()
				g := f.Image.place(size[0], size[1])
				b.ReportAllocs()
				defer cpu(b)()
				for b.Loop() {
					s.fill(&f.Image, table, g, fr)
				}
			})
		}
	}
}

func TestOddSizesDoNotBreak(t *testing.T) {
	testkit.Long(t)
	for _, size := range [][2]int{{2, 2}, {2, 600}, {600, 2}, {4000, 2}, {1, 1}, {33, 31}} {
		fr := noisy(size[0], size[1])
		for _, f := range Families() {
			if f.Image.Side == 1024 {
				f.Image.Side = 128
			}
			g := f.Image.place(fr.Width, fr.Height)
			s := &scratch{}
			in := s.fill(&f.Image, f.Image.table(), g, fr)
			if n := 3 * g.tw * g.th; in.Len() != n || g.sw < 1 || g.sh < 1 || g.tw < g.sw || g.th < g.sh {
				t.Errorf("%s %v: %d values for %+v", f.Name, size, in.Len(), g)
			}
			for _, v := range in.Float32 {
				if v-v != 0 {
					t.Fatalf("%s %v: %v", f.Name, size, v)
				}
			}
		}
	}
}
