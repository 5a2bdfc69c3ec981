package inference

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/seg"
)

// asked is what a decoder is given for prompts on a picture of w×h, as "name [shape] values", without the embedding.
func asked(t *testing.T, f Family, contract string, w, h int, prompts ...seg.Prompt) map[string]string {
	t.Helper()
	m := &model{family: f}
	c := contractOf(t, contract)
	if err := m.ports.find(&stub{contract: c}, &m.family); err != nil {
		t.Fatal(err)
	}
	ps, n := make([]*seg.Prompt, len(prompts)), 0
	for i := range prompts {
		ps[i], n = &prompts[i], max(n, f.Ask.tokens(&prompts[i]))
	}
	g := f.Image.place(w, h)
	out := map[string]string{}
	for _, in := range (&ask{}).fill(m, []geometry{g}, nil, ps, n) {
		i := index(c.Inputs, in.Name)
		if i < 0 || c.Inputs[i].Type != in.Type() || len(c.Inputs[i].Shape) != len(in.Shape) || !agree(c.Inputs[i].Shape, in.Shape) {
			t.Errorf("%s: %s %v is no %s", f.Name, in.Name, in.Shape, describe(c.Inputs))
		}
		values := fmt.Sprint(in.Float32, in.Int64, in.Int32)
		if in.Len() > 20 {
			values = fmt.Sprint(in.Len())
		}
		out[in.Name] = fmt.Sprint(in.Shape, " ", strings.ReplaceAll(values, "[]", ""))
	}
	return out
}

// TestWhatDecodersAreAsked is each family's contract in numbers: coordinates, labels, padding, shapes, types.
func TestWhatDecodersAreAsked(t *testing.T) {
	box := seg.Box{X0: 0.25, Y0: 0.25, X1: 0.75, Y1: 0.5}
	click := seg.Prompt{Clicks: []seg.Click{clickAt(0.5, 0.25, seg.Positive)}}
	boxed := seg.Prompt{Box: &box}
	both := seg.Prompt{Clicks: []seg.Click{clickAt(0.5, 0.25, seg.Negative)}, Box: &box}
	previous := seg.Prompt{Clicks: click.Clicks, Mask: &seg.Logits{W: 1, H: 1, Extent: seg.Point{X: 1, Y: 1}, Data: []float32{3}}}
	for _, c := range []struct {
		name     string
		f        Family
		contract string
		prompts  []seg.Prompt
		want     map[string]string
	}{
		{"sam, a click", sam(), "sam/decoder", []seg.Prompt{click}, map[string]string{
			"point_coords": "[1 2 2] [511.5 127.5 0 0]  ", "point_labels": "[1 2] [1 -1]  ",
			"mask_input": "[1 1 256 256] 65536", "has_mask_input": "[1] [0]  ", "orig_im_size": "[2] [128 256]  "}},
		{"sam, a box has no padding point", sam(), "sam/decoder", []seg.Prompt{boxed}, map[string]string{
			"point_coords": "[1 2 2] [255.5 127.5 767.5 255.5]  ", "point_labels": "[1 2] [2 3]  "}},
		{"sam, clicks come before the box", sam(), "sam/decoder", []seg.Prompt{both}, map[string]string{
			"point_labels": "[1 3] [0 2 3]  "}},
		{"sam, previous logits", sam(), "sam/decoder", []seg.Prompt{previous}, map[string]string{"has_mask_input": "[1] [1]  "}},
		{"nanosam has no size", nanoSAM(), "nanosam/decoder", []seg.Prompt{click}, map[string]string{
			"point_coords": "[1 2 2] [511.5 127.5 0 0]  ", "orig_im_size": ""}},
		{"edgesam has no mask", edgeSAM(), "edgesam/decoder", []seg.Prompt{click}, map[string]string{
			"point_labels": "[1 2] [1 -1]  ", "mask_input": "", "has_mask_input": ""}},
		{"efficientsam, on the grid of its answer", efficientSAM(), "efficientsam/decoder", []seg.Prompt{boxed}, map[string]string{
			"batched_point_coords": "[1 1 2 2] [63.875 63.875 191.875 127.875]  ", "batched_point_labels": "[1 1 2] [2 3]  ", "orig_im_size": "[2]  [256 256] "}},
		{"efficientsam, no coordinate below zero", efficientSAM(), "efficientsam/decoder", []seg.Prompt{{Clicks: []seg.Click{clickAt(0, 0, 1)}}}, map[string]string{
			"batched_point_coords": "[1 1 1 2] [0 0]  "}},
		{"sam2, two objects", sam2(), "sam2/decoder", []seg.Prompt{click, click}, map[string]string{
			"point_coords": "[2 1 2] [511.5 255.5 511.5 255.5]  ", "point_labels": "[2 1] [1 1]  ",
			"mask_input": "[2 1 256 256] 131072", "has_mask_input": "[1] [0]  "}},
		{"sam2-sized, 32-bit size", sam2Sized(), "sam2-sized/decoder", []seg.Prompt{click}, map[string]string{"orig_im_size": "[2]   [256 256]"}},
		{"segedge, padded to the longest", segedgeTiny(), "segedge/decoder", []seg.Prompt{click, boxed, previous}, map[string]string{
			"point_coords": "[3 2 2] [224 56 0 0 112 56 336 112 224 56 0 0]  ", "point_labels": "[3 2] [1 -1 2 3 1 -1]  ",
			"mask_input": "[3 1 56 112] 18816", "has_mask_input": "[3 1] [0 0 1]  "}},
	} {
		got := asked(t, c.f, c.contract, 1000, 500, c.prompts...)
		for name, want := range c.want {
			if got[name] != want {
				t.Errorf("%s: %s is %q, want %q", c.name, name, got[name], want)
			}
		}
	}
}

func TestSingleFileEncodesWithEveryPrompt(t *testing.T) {
	s := &stub{contract: contractOf(t, "efficientsam-single/model")}
	s.contract.Outputs = []Port{{Name: "output_masks"}, {Name: "iou_predictions"}}
	s.answer = func(in map[string]Tensor) ([]Tensor, error) {
		w, h := in["batched_images"].Shape[3], in["batched_images"].Shape[2]
		l := make([]float32, 3*w*h)
		for i := range l {
			l[i] = float32(w)/2 - float32(int64(i)%w) - 0.25
		}
		return []Tensor{{Name: "output_masks", Shape: []int64{1, 1, 3, h, w}, Float32: l},
			{Name: "iou_predictions", Shape: []int64{1, 1, 3}, Float32: []float32{.5, .9, .7}}}, nil
	}
	m, err := NewSegmenter(efficientSAMSingle(), nil, s, Options{})
	if err != nil {
		t.Fatal(err)
	}
	f := frame.New(60, 40)
	for i := range f.Pix {
		f.Pix[i] = byte(51 * (i % 3)) // blue 0, green 51, red 102
	}
	clear(f.Pix[len(f.Pix)/2:]) // something to be seen
	e, err := m.Embed(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	other, err := m.Embed(t.Context(), chequered(20, 20)) // must not touch the first one's memory
	if err != nil {
		t.Fatal(err)
	}
	a, err := e.Decode(t.Context(), []seg.Prompt{oneClick, {Box: &seg.Box{X1: .5, Y1: .5}}})
	if err != nil {
		t.Fatal(err)
	}
	if len(s.runs) != 2 || len(a) != 2 || len(a[0].Candidates) != 1 || a[0].Best().PredictedIoU < .899 {
		t.Fatalf("%d runs, %+v", len(s.runs), a)
	}
	in := s.runs[0]["batched_images"]
	if !slices.Equal(in.Shape, []int64{1, 3, 40, 60}) || math.Abs(float64(in.Float32[0])-0.4) > 1e-6 || in.Float32[2*2400] != 0 {
		t.Errorf("picture %v: red %v, blue %v", in.Shape, in.Float32[0], in.Float32[2*2400])
	}
	if got, want := s.runs[0]["batched_point_coords"].Float32[0], float32(6-0.5*60/1024.); got != want {
		t.Errorf("x = %v, want %v", got, want)
	}
	if m := a[0].Best().Logits.Cut(60, 40, 0); m.Rect.Max.X != 30 || m.Count() != 30*40 {
		t.Errorf("mask %v", m.Rect)
	}
	for _, e := range []Embedding{e, other} {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	}
	if err := m.Close(); err != nil || s.closed != 1 {
		t.Errorf("%v, closed %d", err, s.closed)
	}
}

func TestOpenClosesWhatItOpened(t *testing.T) {
	files := []File{{Path: "testdata/fixtures/sam/decoder.onnx"}, {Path: "testdata/fixtures/sam/encoder.onnx"}}
	var opened []*stub
	load := func(failAt int) Loader {
		opened = nil
		return func(f File, outputs []string) (Graph, error) {
			if len(opened) == failAt {
				return nil, fmt.Errorf("no memory for %s", f)
			}
			c, err := f.Contract()
			if err != nil {
				return nil, err
			}
			c.Outputs = slices.DeleteFunc(c.Outputs, func(p Port) bool { return !slices.Contains(outputs, p.Name) })
			s := &stub{contract: c}
			opened = append(opened, s)
			return s, nil
		}
	}
	for failAt := range 2 {
		if _, err := Open(load(failAt), "", Options{}, files...); err == nil || !strings.Contains(err.Error(), "no memory for ") {
			t.Errorf("%v", err)
		}
		for _, s := range opened {
			if s.closed != 1 {
				t.Errorf("failing at %d: a graph closed %d times", failAt, s.closed)
			}
		}
	}
	m, err := Open(load(9), "sam", Options{Side: 640}, files...)
	if err != nil || m.Info().Name != "sam" || len(opened) != 2 || len(opened[1].contract.Outputs) != 2 {
		t.Fatalf("%v, %d opened", err, len(opened))
	}
	enc, dec := &stub{contract: contractOf(t, "sam/encoder")}, &stub{contract: contractOf(t, "sam2/decoder")}
	if _, err := NewSegmenter(sam(), enc, dec, Options{}); err == nil || !strings.Contains(err.Error(), `no input "orig_im_size": it has image_embed float32`) {
		t.Errorf("graphs of another family: %v", err)
	}
	if enc.closed+dec.closed != 2 {
		t.Error("NewSegmenter must close the graphs that it cannot use")
	}
}

func TestInfoSaysWhatTheModelSees(t *testing.T) {
	for _, c := range []struct {
		f      Family
		side   int
		w, h   int
		iw, ih int
		lw, lh int
	}{
		{segedgeTiny(), 0, 1280, 720, 448, 252, 112, 64},
		{segedgeTiny(), 448, 1280, 720, 448, 252, 112, 64},
		{segedgeTiny(), 0, 100, 60, 100, 60, 32, 16},
		{sam(), 0, 1920, 1080, 1024, 576, 256, 256},
		{sam(), 0, 640, 480, 640, 480, 256, 256},
		{efficientSAM(), 0, 1920, 1080, 1024, 576, 256, 256},
	} {
		m, err := NewSegmenter(c.f, &stub{contract: contractOf(t, c.f.Name+"/encoder")}, &stub{contract: contractOf(t, c.f.Name+"/decoder")}, Options{Side: c.side})
		if err != nil {
			t.Fatal(err)
		}
		i := m.Info()
		iw, ih := i.Input(c.w, c.h)
		lw, lh, _ := i.Logits(c.w, c.h)
		if iw != c.iw || ih != c.ih || lw != c.lw || lh != c.lh {
			t.Errorf("%s %d×%d: sees %d×%d, logits %d×%d; want %+v", c.f.Name, c.w, c.h, iw, ih, lw, lh, c)
		}
		g := c.f.Image.place(iw, ih)
		if c.f.Image.Fit == FitGrid && c.side == 0 && (g.sw != iw || g.sh != ih) {
			t.Errorf("%s: a frame of the reported size is resized again", c.f.Name)
		}
	}
}
