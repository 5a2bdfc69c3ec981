package memory

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/seg"
)

const single = "image encoder, memory and decoder"

// TestOneGraphIsAskedInItsOrder: known objects first, then those by points, then those by boxes, and a dummy at the end of each.
func TestOneGraphIsAskedInItsOrder(t *testing.T) {
	f := newFake(true)
	b := f.open(t, "sam2-video-single").NewBank()
	wide := frame.New(128, 64) // 64×32 in the graph, which is told that it is 16×8
	box := seg.Prompt{Box: &seg.Box{X0: 0, Y0: .25, X1: .5, Y1: 1}}
	if _, err := b.Step(t.Context(), wide, map[int64]seg.Prompt{1: box, 2: click(.5, .5)}); err != nil {
		t.Fatal(err)
	}
	in := f.asked[single][0]
	if got := of(in, "original_size").Int32; !slices.Equal(got, []int32{8, 16}) {
		t.Errorf("original_size %v, want height and width of a quarter", got)
	}
	if got, want := of(in, "bbox_coords").Float32, []float32{-.125, 1.875, 7.875, 7.875, 0, 0, 0, 0}; !slices.Equal(got, want) {
		t.Errorf("boxes %v, want %v", got, want)
	}
	if got := of(in, "point_coords").Float32[:4]; !slices.Equal(got, []float32{7.875, 3.875, 0, 0}) {
		t.Errorf("points %v", got)
	}
	if got := of(in, "point_labels"); !slices.Equal(got.Int32, []int32{1, -1, -1, -1, -1, -1, -1, -1, -1, -1}) || !slices.Equal(got.Shape, []int64{2, 5}) {
		t.Errorf("labels %v %v", got.Shape, got.Int32)
	}
	out, err := b.Step(t.Context(), wide, ask(3, click(.75, .5)))
	if err != nil || len(out) != 3 || out[0].ID != 1 || out[1].ID != 2 || out[2].ID != 3 {
		t.Fatalf("%v %+v", err, out)
	}
	if e := out[0].Logits.Extent; e.X != 1 || e.Y != 1 {
		t.Errorf("the answer covers %v of the picture", e)
	}
}

// TestOneGraphIsShownTwoFrames: the newest that a person prompted, and the last; what is new, or corrected, is shown none.
func TestOneGraphIsShownTwoFrames(t *testing.T) {
	f := newFake(true)
	b := f.open(t, "sam2-video-single").NewBank()
	size := 64 * fakeCells * fakeCells
	shown := func() []float32 {
		in := f.asked[single][len(f.asked[single])-1]
		m, p := of(in, "mask_memory"), of(in, "obj_ptr_memory")
		var out []float32
		for i := range 4 {
			out = append(out, m.Float32[i*size])
		}
		return append(out, p.Float32[0], p.Float32[256])
	}
	for i, want := range [][]float32{
		{0, 0, 0, 0, 0, 0}, {1, .5, 1, .5, 1, 1}, {1, .5, 2, .5, 1, 2}, {1, .5, 3, .5, 1, 3},
		{0, 0, 0, 0, 0, 0}, {5, .5, 5, .5, 5, 5}, {5, .5, 6, .5, 5, 6},
	} {
		asked := map[int64]seg.Prompt{}
		if i == 0 || i == 4 {
			asked = ask(1, click(.5, .5))
		}
		step(t, b, asked)
		if got := shown(); !slices.Equal(got, want) {
			t.Errorf("frame %d is shown %v, want %v", i, got, want)
		}
	}
}

func TestOneGraphsLimits(t *testing.T) {
	f := newFake(true)
	six := seg.Prompt{Clicks: slices.Repeat(click(.5, .5).Clicks, 6)}
	both := click(.5, .5)
	both.Box = &seg.Box{X1: 1, Y1: 1}
	for want, p := range map[string]seg.Prompt{"more than 5 points": six, "box together with points": both} {
		_, err := f.open(t, "sam2-video-single").NewBank().Step(t.Context(), someFrame, ask(1, p))
		if u := (*inference.UnsupportedError)(nil); !errors.As(err, &u) || !strings.Contains(u.Kind, want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

func TestLayoutsAreRecognised(t *testing.T) {
	timed, untimed := newFake(true), newFake(false)
	for _, c := range []struct {
		name  string
		files []inference.File
		timed bool
	}{
		{"sam2-video", timed.files("sam2-video"), true}, {"sam2-video", untimed.files("sam2-video"), false},
		{"sam2-video-single", timed.files("sam2-video-single"), false},
	} {
		slices.Reverse(c.files)
		r, err := Recognise(c.files...)
		if err != nil || r.Name != c.name || r.Timed != c.timed || r.Side != fakeSide {
			t.Errorf("%s: %+v, %v", c.name, r, err)
		}
	}
	whole := timed.files("sam2-video")
	odd := timed.files("sam2-video")
	odd[0].Says.Inputs[0].Shape = []int64{1, 3, 100, 100}
	for want, files := range map[string][]inference.File{
		"has 4 files, not 3": whole[:3], "a graph for the memory encoder": append(slices.Clone(whole[:3]), whole[0]),
		"fixed multiple of 16": odd, "has 1 files, not 0": nil,
	} {
		if _, err := Recognise(files...); !errors.Is(err, ErrUnknown) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}
