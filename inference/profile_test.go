package inference

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/segedge/segedge/testkit"
)

func recognised(t *testing.T, names ...string) *Recognised {
	t.Helper()
	var files []File
	for _, n := range names {
		files = append(files, File{Path: filepath.Join("testdata", "fixtures", filepath.FromSlash(n)+".onnx")})
	}
	r, err := Recognise("", files...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestProfilesOfTheFamilies is each family's smallest and largest call: fixed, so that no new number of points or prompts builds an engine.
func TestProfilesOfTheFamilies(t *testing.T) {
	testkit.Long(t)
	for name, c := range map[string]struct {
		files    []string
		batch    int
		min, max string
	}{
		"sam": {[]string{"sam/encoder", "sam/decoder"}, 8, "point_coords:1x1x2,point_labels:1x1", "point_coords:1x66x2,point_labels:1x66"},
		"sam-raw takes any size": {[]string{"sam-raw/encoder", "sam/decoder"}, 8,
			"input_image:64x64x3,point_coords:1x1x2,point_labels:1x1", "input_image:1024x1024x3,point_coords:1x66x2,point_labels:1x66"},
		"nanosam has at most ten points": {[]string{"nanosam/encoder-512", "nanosam/decoder"}, 8,
			"point_coords:1x1x2,point_labels:1x1", "point_coords:1x10x2,point_labels:1x10"},
		"efficientsam": {[]string{"efficientsam/encoder", "efficientsam/decoder"}, 8,
			"batched_images:1x3x64x64,image_embeddings:1x256x64x64,batched_point_coords:1x1x1x2,batched_point_labels:1x1x1",
			"batched_images:1x3x1024x1024,image_embeddings:1x256x64x64,batched_point_coords:1x1x6x2,batched_point_labels:1x1x6"},
		"sam2 is batched": {[]string{"sam2/encoder", "sam2/decoder"}, 8,
			"point_coords:1x1x2,point_labels:1x1,mask_input:1x1x256x256,has_mask_input:1",
			"point_coords:8x66x2,point_labels:8x66,mask_input:8x1x256x256,has_mask_input:8"},
		"segedge that stacks shares one embedding there": {[]string{"segedge/encoder", "segedge/decoder-stacks"}, 0,
			"image:1x3x32x32,embed_8:1x64x4x4,embed_4:1x32x8x8,point_coords:1x1x2,point_labels:1x1,mask_input:1x1x8x8,has_mask_input:1x1",
			"image:1x3x448x448,embed_8:1x64x56x56,embed_4:1x32x112x112,point_coords:16x66x2,point_labels:16x66,mask_input:16x1x112x112,has_mask_input:16x1"},
	} {
		p, err := recognised(t, c.files...).Profiles(c.batch)
		if err != nil {
			t.Fatal(err)
		}
		if p.Min != c.min || p.Max != c.max {
			t.Errorf("%s:\nmin %s\nwant %s\nmax %s\nwant %s", name, p.Min, c.min, p.Max, c.max)
		}
		// The usual call lies between the two, in every dimension of every input.
		low, usual, high := dims(p.Min), dims(p.Opt), dims(p.Max)
		for i := range usual {
			if usual[i].name != low[i].name || usual[i].size < low[i].size || usual[i].size > high[i].size {
				t.Errorf("%s: the usual %s %d is not within %d..%d", name, usual[i].name, usual[i].size, low[i].size, high[i].size)
			}
		}
	}
	r := recognised(t, "sam/encoder", "sam/decoder")
	r.Decoder = &File{Path: filepath.Join(t.TempDir(), "gone.onnx")}
	if _, err := r.Profiles(4); err == nil || !strings.Contains(err.Error(), "gone.onnx") {
		t.Errorf("a file that went away: %v", err)
	}
}

type dimension struct {
	name string
	size int
}

// dims are all the dimensions of a profile.
func dims(profile string) (out []dimension) {
	for input := range strings.SplitSeq(profile, ",") {
		name, shape, _ := strings.Cut(input, ":")
		for d := range strings.SplitSeq(shape, "x") {
			n := 0
			for _, c := range d {
				n = 10*n + int(c-'0')
			}
			out = append(out, dimension{name, n})
		}
	}
	return out
}

// TestFeaturesAreTheMapsOfTheEncoder shows the tracker the finest map first, over the model's input, and nothing that is no map.
func TestFeaturesAreTheMapsOfTheEncoder(t *testing.T) {
	f := segedgeTiny()
	e := &embedding{m: &model{family: f, encoder: &stub{}}, geometry: f.Image.place(448, 252)}
	e.inputs = []Tensor{
		{Name: "embed_8", Shape: []int64{1, 64, 32, 56}, Float32: make([]float32, 64*32*56)},
		{Name: "embed_4", Shape: []int64{1, 32, 64, 112}, Float32: make([]float32, 32*64*112)},
		{Name: "a list", Shape: []int64{1, 5}, Float32: make([]float32, 5)},
		{Name: "another type", Shape: []int64{1, 1, 2, 2}, Int64: make([]int64, 4)},
		{Name: "several pictures", Shape: []int64{2, 1, 2, 2}, Float32: make([]float32, 8)},
		{Name: "a wrong size", Shape: []int64{1, 1, 2, 2}, Float32: make([]float32, 3)},
	}
	got := e.Features()
	if len(got) != 2 || got[0].W != 112 || got[0].C != 32 || got[1].W != 56 || got[1].C != 64 {
		t.Fatalf("%d maps: %+v", len(got), got)
	}
	for _, m := range got {
		if m.Extent.X != 1 || m.Extent.Y != 256.0/252 || !m.Valid() {
			t.Errorf("map of %d×%d covers %v", m.W, m.H, m.Extent)
		}
	}
	e.m.encoder = nil
	if got := e.Features(); got != nil {
		t.Errorf("a single file shows %d maps: the picture itself is none", len(got))
	}
}

// TestWhatIsRefusedAtTheDoor is the reasons for which a pair of files is no model of a family.
func TestWhatIsRefusedAtTheDoor(t *testing.T) {
	change := func(name string, edit func(c *Contract)) *Contract {
		c := contractOf(t, name)
		edit(c)
		return c
	}
	input := func(c *Contract, name string) *Port { return &c.Inputs[index(c.Inputs, name)] }
	for name, c := range map[string]struct {
		f                Family
		encoder, decoder *Contract
		want             string
	}{
		"a picture of bytes": {sam(), change("sam/encoder", func(c *Contract) { c.Inputs[0].Type = "uint8" }), contractOf(t, "sam/decoder"), "as float32"},
		"a picture of rank 3": {sam(), change("sam/encoder", func(c *Contract) { c.Inputs[0].Shape = []int64{3, 1024, 1024} }), contractOf(t, "sam/decoder"),
			"in 4 dimensions"},
		"a grey picture": {sam(), change("sam/encoder", func(c *Contract) { c.Inputs[0].Shape[1] = 1 }), contractOf(t, "sam/decoder"), "3 channels"},
		"an oblong":      {sam(), change("sam/encoder", func(c *Contract) { c.Inputs[0].Shape[2] = 768 }), contractOf(t, "sam/decoder"), "square"},
		"two inputs": {sam(), change("sam/encoder", func(c *Contract) {
			c.Inputs[0].Name = "a"
			c.Inputs = append(c.Inputs, Port{Name: "b"})
		}), contractOf(t, "sam/decoder"), "one input"},
		"embeddings of another size": {sam(), change("sam/encoder", func(c *Contract) { c.Outputs[0].Shape[1] = 128 }), contractOf(t, "sam/decoder"), "of different models"},
		"points of rank 4": {sam(), contractOf(t, "sam/encoder"), change("sam/decoder", func(c *Contract) { input(c, "point_coords").Shape = []int64{1, 1, -1, 2} }),
			"points in 3 dimensions"},
		"points in space": {sam(), contractOf(t, "sam/encoder"), change("sam/decoder", func(c *Contract) { input(c, "point_coords").Shape[2] = 3 }), "the last of size 2"},
		"masks of another grid": {sam(), contractOf(t, "sam/encoder"), change("sam/decoder", func(c *Contract) { input(c, "mask_input").Shape[3] = 512 }),
			"mask prompts of 256×256"},
		"an input too many": {sam(), contractOf(t, "sam/encoder"), change("sam/decoder", func(c *Contract) { c.Inputs = append(c.Inputs, Port{Name: "text"}) }),
			`no input "text"`},
		"no scores": {sam(), contractOf(t, "sam/encoder"), change("sam/decoder", func(c *Contract) {
			c.Outputs = slices.DeleteFunc(c.Outputs, func(p Port) bool { return p.Name == "iou_predictions" })
		}), `an output "iou_predictions"`},
	} {
		if _, err := c.f.match(c.encoder, c.decoder); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	for name, c := range map[string]struct{ encoder, decoder *Contract }{
		"shapes that nobody wrote down": {
			change("sam/encoder", func(c *Contract) { c.Inputs[0].Shape, c.Outputs[0].Shape = nil, nil }),
			change("sam/decoder", func(c *Contract) { input(c, "point_coords").Shape = nil }),
		},
		"sizes that are open": {change("sam/encoder", func(c *Contract) { c.Outputs[0].Shape = []int64{-1, 256, -1, -1} }), contractOf(t, "sam/decoder")},
	} {
		f := sam()
		if _, err := f.match(c.encoder, c.decoder); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
