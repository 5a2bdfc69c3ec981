package inference

import (
	"cmp"
	"slices"

	"github.com/segedge/segedge/seg"
)

// Featured is an Embedding that shows what the encoder saw, as maps over the picture. They tell objects apart better than colours do, so
// the tracker uses them to follow and to find again. They may be read until the embedding is closed.
type Featured interface {
	Features() []seg.Features
}

// Identified is an Embedding of a Segmenter that may be one model or another: it says which one saw the picture, as Info.Identity does.
type Identified interface {
	Model() string
}

// Features are the encoder's outputs that are maps: [1,C,H,W], float32, covering the model's input; the finest first.
func (e *embedding) Features() []seg.Features {
	if e.m.encoder == nil {
		return nil // the picture itself is no feature
	}
	var out []seg.Features
	for i := range e.inputs {
		t := &e.inputs[i]
		if len(t.Shape) != 4 || t.Shape[0] != 1 || t.Float32 == nil {
			continue
		}
		f := seg.Features{C: int(t.Shape[1]), H: int(t.Shape[2]), W: int(t.Shape[3]), Extent: e.geometry.extent(), Data: t.Float32}
		if f.Valid() {
			out = append(out, f)
		}
	}
	slices.SortFunc(out, func(a, b seg.Features) int { return cmp.Or(b.W-a.W, b.C-a.C) }) // one order in all frames
	return out
}
