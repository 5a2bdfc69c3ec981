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
func (s Saved) Patch() (p *Patch, ok bool) {
	if s.W <= 0 || s.H <= 0 || s.Rect.Empty() || !s.Rect.In(image.Rect(0, 0, s.W, s.H)) || len(s.Steps) != s.Rect.Dx()*s.Rect.Dy() {
		return nil, false
	}
	return &Patch{W: s.W, H: s.H, Rect: s.Rect, data: s.Steps}, true
}
