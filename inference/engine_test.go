package inference

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/segedge/segedge/seg"
)

// stub is a graph with the ports of a fixture; answer computes its outputs.
type stub struct {
	contract *Contract
	answer   func(in map[string]Tensor) ([]Tensor, error)

	mu     sync.Mutex
	runs   []map[string]Tensor
	lent   int
	closed int
}

func (s *stub) Inputs() []Port  { return s.contract.Inputs }
func (s *stub) Outputs() []Port { return s.contract.Outputs }
func (s *stub) Close() error    { s.mu.Lock(); defer s.mu.Unlock(); s.closed++; return nil }

func (s *stub) Run(ctx context.Context, in []Tensor) ([]Tensor, func(), error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	by := map[string]Tensor{}
	for _, t := range in {
		t.Shape, t.Float32 = slices.Clone(t.Shape), slices.Clone(t.Float32)
		by[t.Name] = t
	}
	out, err := s.answer(by)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.runs = append(s.runs, by)
	if err != nil {
		return nil, nil, err
	}
	s.lent++
	return out, func() { s.mu.Lock(); s.lent--; s.mu.Unlock() }, nil
}

// masksOf builds an answer of SAM's decoder: K masks a prompt, drawn by f at cell (x, y) of 256².
func masksOf(scores []float32, f func(k, x, y int) float32) []Tensor {
	l := Tensor{Name: "low_res_masks", Shape: []int64{1, int64(len(scores)), 256, 256}}
	for k := range scores {
		for i := range 256 * 256 {
			l.Float32 = append(l.Float32, f(k, i%256, i/256))
		}
	}
	return []Tensor{{Name: "iou_predictions", Shape: []int64{1, int64(len(scores))}, Float32: scores}, l}
}

func square(k, x, y int) float32 {
	if x < 100-20*k && y < 60 {
		return 3
	}
	return -3
}

// samModel is a SAM out of stubs.
func samModel(t *testing.T, answer func(in map[string]Tensor) ([]Tensor, error)) (Segmenter, *stub, *stub) {
	t.Helper()
	encoder := &stub{contract: contractOf(t, "sam/encoder"), answer: func(map[string]Tensor) ([]Tensor, error) {
		return []Tensor{{Name: "image_embeddings", Shape: []int64{1, 256, 64, 64}, Float32: make([]float32, 1<<20)}}, nil
	}}
	decoder := &stub{contract: contractOf(t, "sam/decoder"), answer: answer}
	decoder.contract.Outputs = []Port{{Name: "iou_predictions"}, {Name: "low_res_masks"}}
	s, err := NewSegmenter(sam(), encoder, decoder, Options{Name: "test-sam", Provider: CPU})
	if err != nil {
		t.Fatal(err)
	}
	return s, encoder, decoder
}

func contractOf(t *testing.T, name string) *Contract {
	t.Helper()
	c, err := File{Path: "testdata/fixtures/" + name + ".onnx"}.Contract()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func good(map[string]Tensor) ([]Tensor, error) {
	return masksOf([]float32{0.5, 0.6, 0.9, 0.7}, square), nil
}

func clickAt(x, y float64, l seg.Label) seg.Click {
	return seg.Click{Point: seg.Point{X: x, Y: y}, Label: l}
}

var oneClick = seg.Prompt{Clicks: []seg.Click{clickAt(0.1, 0.1, seg.Positive)}}

func decodeOne(t *testing.T, s Segmenter, p seg.Prompt) (seg.Prediction, error) {
	t.Helper()
	e, err := s.Embed(t.Context(), chequered(1024, 512))
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	a, err := e.Decode(t.Context(), []seg.Prompt{p})
	if err != nil {
		return seg.Prediction{}, err
	}
	return a[0], nil
}

func TestWhichMasksAnswer(t *testing.T) {
	s, _, _ := samModel(t, good)
	box := seg.Box{X0: .1, Y0: .1, X1: .5, Y1: .5}
	previous := &seg.Logits{W: 4, H: 4, Extent: seg.Point{X: 1, Y: 1}, Data: make([]float32, 16)}
	one := oneClick
	one.Single = true
	for name, c := range map[string]struct {
		p    seg.Prompt
		want []float64
	}{
		"one click: tokens 1 to 3, best first": {oneClick, []float64{0.9, 0.7, 0.6}},
		"one click, single":                    {one, []float64{0.9}},
		"two clicks: token 0":                  {seg.Prompt{Clicks: []seg.Click{clickAt(.1, .1, 1), clickAt(.2, .1, 0)}}, []float64{0.5}},
		"box: token 0":                         {seg.Prompt{Box: &box}, []float64{0.5}},
		"click and mask: token 0":              {seg.Prompt{Clicks: oneClick.Clicks, Mask: previous}, []float64{0.5}},
	} {
		a, err := decodeOne(t, s, c.p)
		if err != nil {
			t.Fatal(err)
		}
		var got []float64
		for _, k := range a.Candidates {
			got = append(got, math.Round(k.PredictedIoU*100)/100)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: scores %v, want %v", name, got, c.want)
		}
	}
}

func TestAmbiguityAndDoubles(t *testing.T) {
	for name, c := range map[string]struct {
		scores    []float32
		draw      func(k, x, y int) float32
		n         int
		ambiguous bool
	}{
		"whole and part, both believed": {[]float32{0, 0.9, 0.85, 0.8}, func(k, x, y int) float32 { return float32(40*k - x) }, 3, true},
		"the part is not believed":      {[]float32{0, 0.9, 0.5, 0.4}, func(k, x, y int) float32 { return float32(40*k - x) }, 3, false},
		"all the same":                  {[]float32{0, 0.9, 0.85, 0.8}, func(k, x, y int) float32 { return float32(40 + k - x) }, 1, false},
		"a part, believed little":       {[]float32{0, 0.9, 0.3, 0.85}, func(k, x, y int) float32 { return float32([]int{0, 120, 40, 110}[k] - x) }, 2, true},
		"a part, not believed":          {[]float32{0, 0.9, 0.1, 0.85}, func(k, x, y int) float32 { return float32([]int{0, 120, 40, 110}[k] - x) }, 2, false},
		"sizes of one outline":          {[]float32{0, 0.9, 0.85, 0.8}, func(k, x, y int) float32 { return float32([]int{0, 120, 100, 88}[k] - x) }, 3, false},
		"nothing":                       {[]float32{0, 0.9, 0.85, 0.8}, func(k, x, y int) float32 { return -1 }, 0, false},
		"everything is no object":       {[]float32{0, 0.9, 0.85, 0.8}, func(k, x, y int) float32 { return 1 }, 0, false},
		"only in the padding":           {[]float32{0, 0.9, 0.85, 0.8}, func(k, x, y int) float32 { return float32(y - 130) }, 0, false},
	} {
		s, _, _ := samModel(t, func(map[string]Tensor) ([]Tensor, error) { return masksOf(c.scores, c.draw), nil })
		a, err := decodeOne(t, s, oneClick)
		if err != nil || len(a.Candidates) != c.n || a.Ambiguous != c.ambiguous {
			t.Errorf("%s: %d candidates, ambiguous %v, %v; want %d, %v", name, len(a.Candidates), a.Ambiguous, err, c.n, c.ambiguous)
		}
	}
}

func TestBrokenAnswersAreErrors(t *testing.T) {
	nan := float32(math.NaN())
	for name, c := range map[string]struct {
		answer func() []Tensor
		want   string
	}{
		"NaN logits":   {func() []Tensor { return masksOf([]float32{1, 1, 1, 1}, func(int, int, int) float32 { return nan }) }, "not numbers"},
		"NaN score":    {func() []Tensor { return masksOf([]float32{1, nan, 1, 1}, square) }, "not numbers"},
		"wrong shape":  {func() []Tensor { a := masksOf([]float32{1, 1}, square); a[0].Float32 = a[0].Float32[:1]; return a }, "do not fit 1 prompts"},
		"rank":         {func() []Tensor { a := masksOf([]float32{1}, square); a[1].Shape = []int64{1, 65536}; return a }, "need float32 with masks"},
		"another type": {func() []Tensor { a := masksOf([]float32{1}, square); a[1].Float32 = nil; return a }, "need float32"},
	} {
		s, _, d := samModel(t, func(map[string]Tensor) ([]Tensor, error) {
			a := c.answer()
			return []Tensor{a[0], a[1]}, nil
		})
		_, err := decodeOne(t, s, oneClick)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "test-sam") {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
		if d.lent != 0 {
			t.Errorf("%s: %d outputs not released", name, d.lent)
		}
	}
}

func TestUnsupportedPromptsAreRefusedByName(t *testing.T) {
	box := seg.Box{X1: .5, Y1: .5}
	mask := &seg.Logits{W: 1, H: 1, Extent: seg.Point{X: 1, Y: 1}, Data: []float32{1}}
	many := seg.Prompt{Box: &box}
	for range 5 {
		many.Clicks = append(many.Clicks, clickAt(.1, .1, 1))
	}
	for _, c := range []struct {
		f    Family
		p    seg.Prompt
		want string
	}{
		{sam(), seg.Prompt{Text: "dog"}, "a model of the sam family takes no text prompts"},
		{edgeSAM(), seg.Prompt{Mask: mask}, "a model of the edgesam family takes no mask prompts"},
		{efficientSAM(), seg.Prompt{Clicks: []seg.Click{clickAt(.1, .1, 1), clickAt(.2, .2, 0)}}, "a model of the efficientsam family takes no negative points"},
		{efficientSAM(), many, "takes no prompts of more than 6 points (a box counts two), this one has 7"},
		{sam(), seg.Prompt{}, "the prompt has no point, box, mask or text"},
	} {
		if err := c.f.supports(&c.p); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.f.Name, err, c.want)
		}
	}
	s, _, _ := samModel(t, good)
	_, err := decodeOne(t, s, seg.Prompt{Text: "dog"})
	if u := new(UnsupportedError); !errors.As(err, &u) || u.Kind != "text prompts" {
		t.Errorf("Decode: %v", err)
	}
}

func TestPromptsShareCallsOnlyWhereTheyMay(t *testing.T) {
	box := seg.Box{X1: .5, Y1: .5}
	mask := &seg.Logits{W: 1, H: 1, Extent: seg.Point{X: 1, Y: 1}, Data: []float32{1}}
	prompts := []seg.Prompt{oneClick, {Box: &box}, oneClick, {Clicks: oneClick.Clicks, Mask: mask}, {Box: &box, Clicks: oneClick.Clicks}}
	for _, c := range []struct {
		f     Family
		batch int
		want  [][]int
	}{
		{segedgeTiny(), 16, [][]int{{0, 1, 2, 3, 4}}},
		{segedgeTiny(), 2, [][]int{{0, 1}, {2, 3}, {4}}},
		{sam2(), 16, [][]int{{0, 2}, {1}, {3}, {4}}},
		{sam(), 16, [][]int{{0}, {1}, {2}, {3}, {4}}},
	} {
		m := &model{family: c.f, opts: Options{MaxBatch: c.batch}}
		var got [][]int
		a, g := &ask{}, c.f.Image.place(640, 480)
		a.group(m, &g, prompts)
		for _, k := range a.calls {
			got = append(got, k.at)
		}
		if len(got) != len(c.want) || !slices.EqualFunc(got, c.want, slices.Equal[[]int]) {
			t.Errorf("%s, %d a call: %v, want %v", c.f.Name, c.batch, got, c.want)
		}
	}
}

func TestLifeOfAnEmbedding(t *testing.T) {
	hold, held := make(chan struct{}), make(chan struct{})
	s, encoder, decoder := samModel(t, func(in map[string]Tensor) ([]Tensor, error) {
		close(held)
		<-hold
		return good(in)
	})
	e, err := s.Embed(t.Context(), chequered(64, 64))
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() { _, err := e.Decode(t.Context(), []seg.Prompt{oneClick}); done <- err }()
	<-held
	if err := errors.Join(e.Close(), s.Close(), s.Close()); err != nil {
		t.Error(err)
	}
	if encoder.lent != 1 || encoder.closed+decoder.closed != 0 {
		t.Error("a Decode under way must keep its embedding and its model")
	}
	close(hold)
	if err := <-done; err != nil {
		t.Errorf("Decode under way: %v", err)
	}
	if encoder.lent != 0 || encoder.closed != 1 || decoder.closed != 1 {
		t.Errorf("left behind: %d outputs; closed %d and %d times", encoder.lent, encoder.closed, decoder.closed)
	}
	if _, err := e.Decode(t.Context(), nil); !errors.Is(err, ErrClosed) {
		t.Errorf("Decode after Close: %v", err)
	}
	if err := e.Close(); !errors.Is(err, ErrClosed) {
		t.Errorf("second Close: %v", err)
	}
	if _, err := s.Embed(t.Context(), chequered(64, 64)); !errors.Is(err, ErrClosed) {
		t.Errorf("Embed after Close: %v", err)
	}
}

func TestEmbedFailsCleanly(t *testing.T) {
	s, encoder, decoder := samModel(t, good)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Embed(ctx, chequered(64, 64)); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	encoder.answer = func(map[string]Tensor) ([]Tensor, error) { return []Tensor{{Name: "other"}}, nil }
	if _, err := s.Embed(t.Context(), chequered(64, 64)); err == nil || !strings.Contains(err.Error(), "image_embeddings") {
		t.Errorf("an output is missing: %v", err)
	}
	if err := s.Close(); err != nil || encoder.lent != 0 || encoder.closed != 1 || decoder.closed != 1 {
		t.Errorf("%v; %d lent, closed %d, %d", err, encoder.lent, encoder.closed, decoder.closed)
	}
}

func TestMaskPromptsAreRegridded(t *testing.T) {
	s, _, decoder := samModel(t, good)
	// On a 10×10 grid over twice the picture's height: positive in its left half.
	l := &seg.Logits{W: 10, H: 10, Extent: seg.Point{X: 1, Y: 2}, Data: make([]float32, 100)}
	for i := range l.Data {
		l.Data[i] = float32(5 - i%10)
	}
	if _, err := decodeOne(t, s, seg.Prompt{Mask: l}); err != nil {
		t.Fatal(err)
	}
	in := decoder.runs[0]
	if in["has_mask_input"].Float32[0] != 1 || !slices.Equal(in["mask_input"].Shape, []int64{1, 1, 256, 256}) {
		t.Fatalf("has %v, shape %v", in["has_mask_input"], in["mask_input"].Shape)
	}
	for _, x := range []int{20, 100, 200} { // column x is at 10·(x+0.5)/256 cells of 10
		want := 5 - ((float64(x)+0.5)/25.6 - 0.5)
		if got := in["mask_input"].Float32[128*256+x]; math.Abs(float64(got)-want) > 1e-4 {
			t.Errorf("column %d: %v, want %v", x, got, want)
		}
	}
	if got := in["orig_im_size"].Float32; !slices.Equal(got, []float32{128, 256}) {
		t.Errorf("asked to enlarge to %v", got)
	}
	if got := in["point_labels"].Float32; !slices.Equal(got, []float32{-1}) {
		t.Errorf("labels %v, want the padding point alone", got)
	}
}
