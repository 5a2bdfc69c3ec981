package known

import (
	"math/rand/v2"
	"testing"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/seg"
)

// TestTurnsUndoThemselves, of a picture and of a place in it, and both go to the same place.
func TestTurnsUndoThemselves(t *testing.T) {
	f := frame.New(5, 3)
	for i := range f.Pix {
		f.Pix[i] = byte(rand.N(256))
	}
	for _, turn := range []turn{upright, transposed, upsideDown, mirrored} {
		there := View{shown: turn, asked: turn}
		back := there.picture(there.picture(f))
		if back.Width != f.Width || back.Height != f.Height || string(back.Pix) != string(f.Pix) {
			t.Errorf("turn %d: the picture is another after two turns", turn)
		}
		p := click(3.5/5, 0.5/3)
		turned := there.picture(f)
		at := there.prompt(p).Clicks[0].Point
		x, y := int(at.X*float64(turned.Width)), int(at.Y*float64(turned.Height))
		if got, want := turned.Pix[y*turned.Stride()+3*x], f.Pix[3*3]; got != want {
			t.Errorf("turn %d: the click went elsewhere than its pixel: %d, want %d", turn, got, want)
		}
		box := seg.Prompt{Box: &seg.Box{X0: 0.1, Y0: 0.2, X1: 0.4, Y1: 0.9}}
		b := there.prompt(box).Box
		if b.X0 >= b.X1 || b.Y0 >= b.Y1 {
			t.Errorf("turn %d: the box is inside out: %+v", turn, b)
		}
	}
}

// TestSwappedViewSwapsRedAndBlue, and nothing else.
func TestSwappedViewSwapsRedAndBlue(t *testing.T) {
	f := frame.New(1, 1)
	copy(f.Pix, []byte{1, 2, 3})
	if got := (&View{swapped: true}).picture(f).Pix; string(got[:3]) != "\x03\x02\x01" {
		t.Error(got)
	}
}

// TestNormalisationsAreUndone: what a second normalisation makes of the input is then what the family's own would have been.
func TestNormalisationsAreUndone(t *testing.T) {
	own := normalisations[2]
	for _, second := range again {
		s := second.undoing(own)
		for c := range s.std {
			const v = 200
			got := ((v-s.mean[c])/s.std[c] - second.mean[c]) / second.std[c]
			if want := (v - own.mean[c]) / own.std[c]; got-want > 1e-3 || want-got > 1e-3 {
				t.Errorf("%s: %g, want %g", second.name, got, want)
			}
		}
	}
}
