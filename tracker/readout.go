package tracker

import (
	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/tracker/motion"
	"github.com/segedge/segedge/tracker/shape"
)

// readout makes masks of tracks. Its memory is kept between frames.
type readout struct {
	rough bool // edges are not refined
	cut   shape.Readout
	sum   shape.Sum
	left  int // pixels whose edges may still be refined in this frame
}

// refined is the mask of an object's track, its edge drawn to the colours where there is time for it: the patch, which comes from maps a
// few pixels a cell, says where to look.
func (d *readout) refined(o *object, k *Tuning, e *motion.Entry) *seg.Mask {
	r := o.track.Bounds()
	n := r.Dx() * r.Dy()
	if !o.Colours.Ready() || d.rough || d.left < n {
		return d.cut.Mask(&o.track.Track)
	}
	d.left -= n
	d.sum.Reset(e.Gray.W, e.Gray.H, r)
	d.sum.AddPrior(&o.track.Track, k.SnapRadius, 1, float32(k.MaskClip))
	o.Colours.AddTo(&d.sum, e, 1, float32(k.Look.ColourClip))
	return d.sum.Mask()
}

// uncovered is the mask of a patch on frame seq, less what the object's cover hides.
func (d *readout) uncovered(o *object, p *shape.Patch, seq uint64) *seg.Mask {
	alone := shape.NewTrack(p, seq)
	m := d.cut.Mask(&alone)
	if o.cover != nil && o.cover.track != nil {
		if there, ok := o.cover.track.In(seq); ok {
			return there.CutFrom(m)
		}
	}
	return m
}
