package overlay

import (
	"image"
	"image/color"
	"testing"

	"github.com/segedge/segedge/seg"
)

// Whatever colour an object has, it is painted in one that stands out from it; its own number's where that does.
func TestPaletteStandsOutFromTheObject(t *testing.T) {
	moved := 0
	for id := seg.ID(1); id <= 30; id++ {
		for r := 0; r < 256; r += 51 {
			for g := 0; g < 256; g += 51 {
				for b := 0; b < 256; b += 51 {
					own := color.RGBA{uint8(r), uint8(g), uint8(b), 255}
					c := Palette(id, own, nil)
					if d := apart(c, own); d < 0.14 {
						t.Errorf("object %d of colour %v is painted in %v: %.2f apart", id, own, c, d)
					}
					if apart(Color(id), own) >= enoughFromOwn && c != Color(id) {
						t.Errorf("object %d of colour %v: its own colour would do", id, own)
					}
					if c != Color(id) {
						moved++
					}
				}
			}
		}
	}
	if moved == 0 {
		t.Error("the number's colour always does: the test tests nothing")
	}
}

// What is new is told from what is beside it, however alike they look.
func TestPaletteStandsOutFromNeighbours(t *testing.T) {
	mug := color.RGBA{30, 70, 190, 255}
	var near []color.RGBA
	for id := range seg.ID(8) {
		c := Palette(24*id+3, mug, near) // the same colour by their numbers, or nearly
		for _, n := range near {
			if d := apart(c, n); d < 0.08 {
				t.Errorf("object %d is %.2f from a neighbour", id, d)
			}
		}
		if d := apart(c, mug); d < 0.14 {
			t.Errorf("object %d is %.2f from the mug", id, d)
		}
		near = append(near, c)
	}
}

// OKLab is the inverse of what colours are made by.
func TestOKLabThereAndBack(t *testing.T) {
	for id := seg.ID(1); id < 50; id++ {
		l, _, _ := oklab(Color(id))
		if want := [...]float64{0.64, 0.82}[id%2]; l < want-0.02 || l > want+0.02 {
			t.Errorf("colour %d has a lightness of %.3f", id, l)
		}
	}
}

// The picture has the object's colour, and where it has none that of its number.
func TestPaintTakesTheObjectsColour(t *testing.T) {
	const w, h = 64, 48
	m := seg.NewMask(w, h, image.Rect(16, 12, 48, 36))
	for i := range m.Bits {
		m.Bits[i] = 1
	}
	painted := func(o seg.Object) color.RGBA {
		pix := make([]byte, 3*w*h)
		if err := Paint(pix, w, h, []seg.Object{o}, Options{NoLabels: true}); err != nil {
			t.Fatal(err)
		}
		p := pix[3*(24*w+32):]
		return color.RGBA{p[2], p[1], p[0], 255}
	}
	o := seg.Object{ID: 5, State: seg.Tracking, Mask: m}
	if got := painted(o); got.R == 0 && got.G == 0 && got.B == 0 {
		t.Fatal("nothing is painted")
	}
	plain := painted(o)
	o.Color = color.RGBA{200, 0, 0, 255}
	if got := painted(o); got == plain || got.G != 0 || got.B != 0 || got.R < 60 {
		t.Errorf("painted in %v", got)
	}
}
