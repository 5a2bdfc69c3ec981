package shape

import (
	"image"
	"slices"
)

// Saved is a patch as plain data, to be kept while the process is not there.
type Saved struct {
	W, H  int
	Rect  image.Rectangle
	Steps []int8 // row by row
}

// Save copies a patch.
func (p *Patch) Save() Saved { return Saved{p.W, p.H, p.Rect, slices.Clone(p.data)} }

// Patch is the patch that was saved; not ok where what it has does not fit together.
func (x Saved) Patch() (p *Patch, ok bool) {
	if x.W <= 0 || x.H <= 0 || x.Rect.Empty() || !x.Rect.In(image.Rect(0, 0, x.W, x.H)) || len(x.Steps) != x.Rect.Dx()*x.Rect.Dy() {
		return nil, false
	}
	return &Patch{W: x.W, H: x.H, Rect: x.Rect, data: x.Steps}, true
}
