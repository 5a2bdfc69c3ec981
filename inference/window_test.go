package inference

import (
	"fmt"
	"image"
	"math"
	"slices"
	"testing"

	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/testkit"
)

// patchOf is a mask prompt of 100×100 cells, positive in the given percents of the picture.
func patchOf(r image.Rectangle) *seg.Logits {
	l := &seg.Logits{W: 100, H: 100, Extent: seg.Point{X: 1, Y: 1}, Data: make([]float32, 10000)}
	for i := range l.Data {
		l.Data[i] = -8
		if (image.Point{X: i % 100, Y: i / 100}).In(r) {
			l.Data[i] = 8
		}
	}
	return l
}

// tinyAt320 is the family at a size whose windows are easy to reckon.
func tinyAt320() Family {
	f := segedgeTiny()
	f.Image.Side = 320
	return f
}

func TestWindowsSurroundWhatIsShown(t *testing.T) {
	f := tinyAt320()
	f.Ask.Window = WindowRule{Margin: 0.5, Least: 16, Most: 0.5}
	g := f.Image.place(1280, 720) // 320×180, padded to 320×192
	padded := patchOf(image.Rect(40, 40, 50, 50))
	padded.Extent = seg.Point{X: 1, Y: 2}
	for name, c := range map[string]struct {
		p    seg.Prompt
		want image.Rectangle
	}{
		// 128..160 × 72..90: half of the longer side around it
		"in the middle":                {seg.Prompt{Mask: patchOf(image.Rect(40, 40, 50, 50))}, image.Rect(96, 32, 192, 128)},
		"at the corner":                {seg.Prompt{Mask: patchOf(image.Rect(0, 0, 10, 10))}, image.Rect(0, 0, 64, 64)},
		"at the other, in the padding": {seg.Prompt{Mask: patchOf(image.Rect(92, 90, 100, 100))}, image.Rect(256, 128, 320, 192)},
		"a speck has the least margin": {seg.Prompt{Mask: patchOf(image.Rect(50, 50, 51, 51))}, image.Rect(128, 64, 192, 128)},
		"on a grid of another extent":  {seg.Prompt{Mask: padded}, image.Rect(96, 96, 192, 192)},
		"with a click beside it": {seg.Prompt{Mask: patchOf(image.Rect(40, 40, 50, 50)), Clicks: []seg.Click{clickAt(0.6, 0.5, seg.Negative)}},
			image.Rect(96, 32, 224, 128)},
		"with a click in it":          {seg.Prompt{Mask: patchOf(image.Rect(40, 40, 50, 50)), Clicks: []seg.Click{clickAt(0.405, 0.495, 1)}}, image.Rect(96, 32, 192, 128)},
		"a click that the mask lacks": {seg.Prompt{Mask: patchOf(image.Rect(40, 40, 50, 50)), Clicks: []seg.Click{clickAt(0.395, 0.45, 1)}}, image.Rectangle{}},
		"a click against what it has": {seg.Prompt{Mask: patchOf(image.Rect(40, 40, 50, 50)), Clicks: []seg.Click{clickAt(0.45, 0.45, 0)}}, image.Rectangle{}},
		"a box, which asks for what is new": {seg.Prompt{Mask: patchOf(image.Rect(40, 40, 50, 50)), Box: &seg.Box{X0: 0.4, Y0: 0.2, X1: 0.5, Y1: 0.5}},
			image.Rectangle{}},
		"too large":        {seg.Prompt{Mask: patchOf(image.Rect(20, 20, 80, 80))}, image.Rectangle{}},
		"nothing positive": {seg.Prompt{Mask: patchOf(image.Rectangle{})}, image.Rectangle{}},
		"no mask":          {oneClick, image.Rectangle{}},
	} {
		got := f.window(&g, &c.p)
		if got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
		if got.Min.X%32+got.Min.Y%32+got.Max.X%32+got.Max.Y%32 != 0 || !got.In(image.Rect(0, 0, g.tw, g.th)) {
			t.Errorf("%s: %v is not on the grid of %d×%d", name, got, g.tw, g.th)
		}
	}
	f.Ask.Window = WindowRule{}
	if w := f.window(&g, &seg.Prompt{Mask: patchOf(image.Rect(40, 40, 50, 50))}); !w.Empty() {
		t.Errorf("a family without the rule has %v", w)
	}
}

func TestWindowsShareCallsWhereThatIsCheaper(t *testing.T) {
	small := func(x, y int) seg.Prompt { return seg.Prompt{Mask: patchOf(image.Rect(x, y, x+6, y+6))} }
	prompts := []seg.Prompt{
		small(10, 10), oneClick, small(50, 50), {Mask: patchOf(image.Rect(40, 20, 55, 60))}, small(50, 50), {Mask: patchOf(image.Rect(5, 5, 95, 95))},
	}
	for name, c := range map[string]struct {
		stacks bool
		call   int
		batch  int
		want   string
	}{
		"one embedding for all: only the same window shares": {false, 0, 16, "[1 5] whole; [3] 160x160; [0] 96x64; [2 4] 96x64"},
		"each its own: one size shares":                      {true, 0, 16, "[1 5] whole; [3] 160x160; [0 2 4] 96x64"},
		"a call is dear: all share the largest":              {true, 1 << 20, 16, "[1 5] whole; [3 0 2 4] 160x160"},
		"the bound of a call":                                {true, 1 << 20, 2, "[1 5] whole; [3 0] 160x160; [2 4] 96x64"},
	} {
		m := &model{family: tinyAt320(), windowed: true, opts: Options{MaxBatch: c.batch}, ports: decoderPorts{stacks: c.stacks}}
		m.family.Ask.Window = WindowRule{Margin: 0.5, Least: 16, Most: 0.5, Call: c.call}
		a, g, got := &ask{}, m.family.Image.place(1280, 720), ""
		for range 2 { // the second time in the memory of the first
			got = ""
			a.group(m, &g, prompts)
			for i, k := range a.calls {
				what := "whole"
				if k.size != (image.Point{}) {
					what = fmt.Sprintf("%dx%d", k.size.X, k.size.Y)
				}
				if i > 0 {
					got += "; "
				}
				got += fmt.Sprint(k.at, " ", what)
			}
		}
		if got != c.want {
			t.Errorf("%s: %s\nwant %s", name, got, c.want)
		}
	}
	m := &model{family: tinyAt320(), opts: Options{MaxBatch: 16}}
	a, g := &ask{}, m.family.Image.place(1280, 720)
	if a.group(m, &g, prompts); len(a.calls) != 1 || len(a.calls[0].at) != len(prompts) {
		t.Errorf("without windows: %+v", a.calls)
	}
}

// echoes is a decoder whose mask says where each cell lies in the input that the embedding shows: the encoder writes a cell's place into
// its features. So an answer that is pasted elsewhere shows at once.
func echoes(stacks bool) (encoder, decoder func(in map[string]Tensor) ([]Tensor, error)) {
	encoder = func(in map[string]Tensor) ([]Tensor, error) {
		var out []Tensor
		for name, s := range map[string]int64{"embed_8": 8, "embed_4": 4} {
			c, h, w := 256/s*2, in["image"].Shape[2]/s, in["image"].Shape[3]/s
			t := Tensor{Name: name, Shape: []int64{1, c, h, w}, Float32: make([]float32, c*h*w)}
			for i := range t.Float32 {
				t.Float32[i] = float32(int64(i) % (w * h)) // of channel 0
			}
			out = append(out, t)
		}
		return out, nil
	}
	decoder = func(in map[string]Tensor) ([]Tensor, error) {
		e, p := in["embed_4"], in["mask_input"].Shape[0]
		h, w := e.Shape[2], e.Shape[3]
		if e.Shape[0] != 1 && (!stacks || e.Shape[0] != p) || in["embed_8"].Shape[0] != e.Shape[0] || in["embed_8"].Shape[2]*2 != h {
			return nil, fmt.Errorf("embeddings %v and %v for %d prompts", e.Shape, in["embed_8"].Shape, p)
		}
		l := Tensor{Name: "low_res_masks", Shape: []int64{p, 4, h, w}, Float32: make([]float32, p*4*h*w)}
		s := Tensor{Name: "iou_predictions", Shape: []int64{p, 4}, Float32: slices.Repeat([]float32{0.9}, int(4*p))}
		for i := range l.Float32 {
			n := int64(i) / (4 * h * w) % e.Shape[0]
			// Positive where the prompt is, with the cell's place behind the point.
			l.Float32[i] = -1 - e.Float32[n*e.Shape[1]*h*w+int64(i)%(w*h)]
			if m := in["mask_input"].Float32[int64(i)/(4*h*w)*h*w+int64(i)%(w*h)]; m > 0 {
				l.Float32[i] *= -1
			}
		}
		return []Tensor{l, s}, nil
	}
	return encoder, decoder
}

func TestWindowsAreAnsweredAsTheWhole(t *testing.T) {
	testkit.Long(t)
	var prompts []seg.Prompt
	for i := range 7 {
		prompts = append(prompts, seg.Prompt{Mask: patchOf(image.Rect(13*i, 11*i, 13*i+10, 11*i+9+i)), Single: true})
	}
	for _, stacks := range []bool{false, true} {
		answers := map[string][]seg.Prediction{}
		for _, provider := range []string{CPU, CUDA} {
			encode, decode := echoes(stacks)
			name := "segedge/decoder"
			if stacks {
				name = "segedge/decoder-stacks"
			}
			d := &stub{contract: contractOf(t, name), answer: decode}
			s, err := NewSegmenter(tinyAt320(), &stub{contract: contractOf(t, "segedge/encoder"), answer: encode}, d, Options{Provider: provider})
			if err != nil {
				t.Fatal(err)
			}
			e, err := s.Embed(t.Context(), chequered(1280, 720))
			if err != nil {
				t.Fatal(err)
			}
			if answers[provider], err = e.Decode(t.Context(), prompts); err != nil {
				t.Fatal(err)
			}
			for _, run := range d.runs {
				if size := run["embed_4"].Shape[3]; (size == 80) != (provider == CUDA) {
					t.Errorf("%s, stacks %v: the decoder saw %d columns", provider, stacks, size)
				}
			}
			if err := e.Close(); err != nil || s.Close() != nil {
				t.Error(err)
			}
		}
		for i, whole := range answers[CUDA] {
			w, got := whole.Best().Logits, answers[CPU][i].Best().Logits
			if w.W != got.W || w.H != got.H || w.Extent != got.Extent {
				t.Fatalf("%d: %d×%d over %v, want %d×%d over %v", i, got.W, got.H, got.Extent, w.W, w.H, w.Extent)
			}
			for k, v := range w.Data {
				if g := got.Data[k]; g != v && (g != -10 || v > 0) {
					t.Fatalf("stacks %v, prompt %d: cell %d is %v, want %v or the floor", stacks, i, k, g, v)
				}
			}
		}
	}
}

// TestDecodingAllocatesTheAnswerAlone holds what surrounds the decoder to no memory but that of the answers themselves.
func TestDecodingAllocatesTheAnswerAlone(t *testing.T) {
	f := tinyAt320()
	f.Ask.Window.Most = 0.5
	var ports decoderPorts
	c := contractOf(t, "segedge/decoder-stacks")
	if err := ports.find(&stub{contract: c}, &f); err != nil {
		t.Fatal(err)
	}
	m := &model{family: f, ports: ports, windowed: true, opts: Options{MaxBatch: 16}, refs: 1}
	e := &embedding{m: m, geometry: f.Image.place(1280, 720), refs: 1}
	e.inputs = []Tensor{
		{Name: "embed_8", Shape: []int64{1, 64, 24, 40}, Float32: make([]float32, 64*24*40)},
		{Name: "embed_4", Shape: []int64{1, 32, 48, 80}, Float32: make([]float32, 32*48*80)},
	}
	var prompts []seg.Prompt
	for i := range 10 {
		p := seg.Prompt{Mask: patchOf(image.Rect(9*i, 9*i, 9*i+10, 9*i+5+i)), Clicks: []seg.Click{clickAt(0.09*float64(i)+0.05, 0.09*float64(i)+0.02, 1)}}
		prompts = append(prompts, p)
	}
	prompts = append(prompts, oneClick, seg.Prompt{Box: &seg.Box{X1: 0.5, Y1: 0.5}})
	if n := testing.AllocsPerRun(20, func() {
		a := m.takeAsk()
		a.group(m, &e.geometry, prompts)
		for i := range a.calls {
			a.prompts = a.prompts[:0]
			for _, k := range a.calls[i].at {
				a.prompts = append(a.prompts, &prompts[k])
			}
			a.fill(m, a.look(e, &a.calls[i]), a.embeds(e, &a.calls[i]), a.prompts, a.calls[i].n)
		}
		m.giveBackAsk(a)
	}); n > 0 {
		t.Errorf("asking allocates %v times", n)
	}
	// The answer: one Logits with its data and one list a prompt.
	r := reply{masks: 4, h: 48, w: 80, logits: make([]float32, 4*48*80), scores: []float32{.9, .9, .9, .9}}
	for i := range r.logits {
		r.logits[i] = float32(30 - math.Hypot(float64(i%80-40), float64(i/80%48-24)))
	}
	if n := testing.AllocsPerRun(20, func() {
		if _, err := r.prediction(&f, &e.geometry, e.geometry, 0, &prompts[0]); err != nil {
			t.Fatal(err)
		}
	}); n > 3 {
		t.Errorf("an answer allocates %v times, need its logits, their data and their list", n)
	}
}

// TestPreparingAllocatesNothing holds the picture's way into the tensor, at every family's rule, to no memory.
func TestPreparingAllocatesNothing(t *testing.T) {
	src := noisy(500, 300)
	for _, f := range Families() {
		if f.Image.Side == 1024 {
			f.Image.Side = 256
		}
		s, table, g := &scratch{}, f.Image.table(), f.Image.place(src.Width, src.Height)
		if n := testing.AllocsPerRun(3, func() { s.fill(&f.Image, table, g, src) }); n > 0 {
			t.Errorf("%s: %v allocations a picture", f.Name, n)
		}
	}
}
