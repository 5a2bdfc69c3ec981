package remote

import (
	"bytes"
	"context"
	"image/jpeg"
	"testing"

	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/inference/remote/remotetest"
)

// eye is an encoder that takes a picture in a file.
type eye struct {
	twice
	row bool // as a row of bytes
}

func (e eye) Inputs() []inference.Port {
	if e.row {
		return []inference.Port{{Name: "image", Type: "uint8", Shape: []int64{-1}}}
	}
	return []inference.Port{{Name: "image", Type: "bytes", Shape: []int64{-1, 1}}}
}

func (eye) Outputs() []inference.Port {
	return []inference.Port{{Name: "sum", Type: "float32", Shape: []int64{1}}}
}

// TestAPictureGoesAsJPEG sends a picture that was normalised, and holds what comes out of the file against the pixels that it was made of.
func TestAPictureGoesAsJPEG(t *testing.T) {
	bothWays(t, func(t *testing.T, scheme string) {
		var file []byte
		g := eye{row: scheme == "http", twice: twice{seen: func(in []inference.Tensor) { file = bytes.Clone(in[0].Uint8) }}}
		s := serve(t, scheme, &remotetest.Server{Graphs: map[string]inference.Graph{"eye": first{g}}}, Options{})
		c, err := s.Describe(t.Context(), Model{Name: "eye"})
		if err != nil {
			t.Fatal(err)
		}
		if got := Decoded(c).Inputs[0].String(); got != "image float32 [1 3 ? ?]" {
			t.Errorf("it is %s for the family", got)
		}
		if _, err := s.Load(Model{Name: "eye"}, c, nil, nil); err == nil {
			t.Error("it was loaded without being told how pictures go")
		}
		p := &Picture{Mean: [3]float32{120, 110, 100}, Std: [3]float32{60, 50, 40}}
		graph, err := s.Load(Model{Name: "eye"}, c, nil, p)
		if err != nil {
			t.Fatal(err)
		}
		const w, h = 32, 16
		want := [3]float32{200, 90, 30}
		planes := make([]float32, 3*w*h)
		for ch := range want {
			for i := range w * h {
				planes[ch*w*h+i] = (want[ch] - p.Mean[ch]) / p.Std[ch]
			}
		}
		in := []inference.Tensor{{Name: "image", Shape: []int64{1, 3, h, w}, Float32: planes}}
		if _, _, err := graph.Run(t.Context(), in); err != nil {
			t.Fatal(err)
		}
		im, err := jpeg.Decode(bytes.NewReader(file))
		if err != nil {
			t.Fatal(err)
		}
		r, gr, b, _ := im.At(20, 10).RGBA()
		for ch, v := range []uint32{r, gr, b} {
			if d := float32(v>>8) - want[ch]; d < -3 || d > 3 {
				t.Errorf("channel %d: %d, want %g", ch, v>>8, want[ch])
			}
		}
		if im.Bounds().Dx() != w || im.Bounds().Dy() != h {
			t.Errorf("it is %v", im.Bounds())
		}
		in[0].Shape = []int64{h, w, 3}
		if _, _, err := graph.Run(t.Context(), in); err == nil {
			t.Error("rows of pixels went as planes")
		}
	})
}

// first answers with one number, whatever is asked.
type first struct{ eye }

func (f first) Run(_ context.Context, in []inference.Tensor) ([]inference.Tensor, func(), error) {
	f.seen(in)
	return []inference.Tensor{{Name: "sum", Shape: []int64{1}, Float32: []float32{1}}}, func() {}, nil
}
