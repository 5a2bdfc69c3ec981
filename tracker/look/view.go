package look

import (
	"math"
	"slices"

	"github.com/segedge/segedge/seg"
)

// View is what the encoder saw in one keyframe: its feature maps, copied.
type View struct {
	seq   uint64
	model string // whose features they are
	crop  bool   // of a part of the frame, where things look larger
	maps  []seg.Features
	sums  []float64 // of each channel over the cells in the picture, map by map
	in    []float64 // the number of these cells, by map
}

// Seq is the keyframe.
func (v *View) Seq() uint64 { return v.seq }

// Crop says that only a part of the frame was seen.
func (v *View) Crop() bool { return v.crop }

// What is learnt from crops and from whole frames is kept apart.
const whole, cropped = 0, 1

func (v *View) scale() int {
	if v.crop {
		return cropped
	}
	return whole
}

// fill copies feature maps; one whose extent is below that of a whole picture is a crop's.
func (v *View) fill(seq uint64, model string, fs []seg.Features, wholeExtent float64) {
	v.seq, v.model, v.crop = seq, model, fs[0].Origin != (seg.Point{}) || fs[0].Extent.X < wholeExtent
	for len(v.maps) < len(fs) {
		v.maps = append(v.maps, seg.Features{})
	}
	v.maps = v.maps[:len(fs)]
	for i, f := range fs {
		data := slices.Grow(v.maps[i].Data[:0], len(f.Data))[:len(f.Data)]
		copy(data, f.Data)
		v.maps[i] = f
		v.maps[i].Data = data
	}
	v.addUp()
}

// addUp adds up what all objects need alike.
func (v *View) addUp() {
	v.sums, v.in = v.sums[:0], v.in[:0]
	for i := range v.maps {
		m := &v.maps[i]
		w, h := inPicture(m)
		v.in = append(v.in, float64(w*h))
		for ch := range m.C {
			sum := 0.0
			for y := range h {
				for _, x := range m.Data[(ch*m.H+y)*m.W:][:w] {
					sum += float64(x)
				}
			}
			v.sums = append(v.sums, sum)
		}
	}
}

// inPicture is the number of columns and rows of a map whose centres lie in the picture.
func inPicture(f *seg.Features) (w, h int) {
	w = int(math.Ceil(float64(f.W)/f.Extent.X*(1-f.Origin.X) - 0.5))
	h = int(math.Ceil(float64(f.H)/f.Extent.Y*(1-f.Origin.Y) - 0.5))
	return min(f.W, w), min(f.H, h)
}

// channels is the number of values that all maps have for a place.
func (v *View) channels() int {
	n := 0
	for i := range v.maps {
		n += v.maps[i].C
	}
	return n
}

// coarsest is the map of the fewest columns.
func (v *View) coarsest() *seg.Features {
	coarse := &v.maps[0]
	for i := range v.maps {
		if v.maps[i].W < coarse.W {
			coarse = &v.maps[i]
		}
	}
	return coarse
}

// at writes the features at a normalised place: of each map the nearest cell's.
func (v *View) at(x, y float64, dst []float64) {
	k := 0
	for i := range v.maps {
		m := &v.maps[i]
		u, w := int((x-m.Origin.X)/m.Extent.X*float64(m.W)), int((y-m.Origin.Y)/m.Extent.Y*float64(m.H))
		u, w = min(max(u, 0), m.W-1), min(max(w, 0), m.H-1)
		for c := range m.C {
			dst[k] = float64(m.Data[(c*m.H+w)*m.W+u])
			k++
		}
	}
}

// covered is the share of each map's cells that a mask covers; -1 in the padding.
func (v *View) covered(m *seg.Mask) [][]float32 {
	out := make([][]float32, len(v.maps))
	for i := range v.maps {
		f := &v.maps[i]
		l := seg.LogitsOn(m, f.W, f.H, f.Origin, f.Extent, 1)
		w, h := inPicture(f)
		for j := range l.Data {
			if j%f.W >= w || j/f.W >= h {
				l.Data[j] = -1
				continue
			}
			l.Data[j] = (l.Data[j] + 1) / 2
		}
		out[i] = l.Data
	}
	return out
}
