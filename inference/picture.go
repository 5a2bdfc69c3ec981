package inference

import (
	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/seg"
)

// Picture puts frames into a model's input as an ImageRule says, for graphs that are no encoder and decoder (inference/memory). One
// goroutine uses it; a frame of the size of the last allocates nothing.
type Picture struct {
	rule  ImageRule
	table *lut
	scratch
}

// Placed is where a picture lies in a model's input.
type Placed struct {
	Width, Height int       // of the picture there, in pixels of the input; the rest is padding
	Extent        seg.Point // the part of the picture that the whole input covers, above 1 where there is padding
}

// NewPicture makes the memory for pictures by this rule.
func NewPicture(r ImageRule) *Picture { return &Picture{rule: r, table: r.table()} }

// Put writes the frame. The tensor is the Picture's own, until the next frame.
func (p *Picture) Put(f *frame.Frame) (*Tensor, Placed) {
	g := p.rule.place(f.Width, f.Height)
	return p.fill(&p.rule, p.table, g, f), Placed{Width: g.sw, Height: g.sh, Extent: g.extent()}
}
