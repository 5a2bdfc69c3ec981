package tracker

import (
	"image"
	"math"
	"slices"

	"github.com/segedge/segedge/tracker/motion"
	"github.com/segedge/segedge/tracker/shape"
)

// remembered is what was believed of an object in a keyframe.
type remembered struct {
	patch *shape.Patch
	seq   uint64
}

// past is two keyframes of an object's past: the older one is compared with, the newer one takes its place when it is old enough itself.
type past [2]remembered

// pastOf begins a past with what is believed in frame seq.
func pastOf(patch *shape.Patch, seq uint64) past {
	now := remembered{patch, seq}
	return past{now, now}
}

// empty says that nothing was noted yet.
func (p *past) empty() bool { return p[0].patch == nil }

// note takes what is believed in frame seq into account: the newer one is kept for some frames.
func (p *past) note(patch *shape.Patch, seq uint64, frames int) {
	if seq >= p[1].seq+uint64(frames) {
		p[0], p[1] = p[1], remembered{patch, seq}
	}
}

// addTo adds to a sum about entry at of a scene that a place whose picture has not changed, where the scene leads it, is of the
// object now if it was, and is not if it was not: what moves onto a place changes it. Without it a mask that is said back creeps over
// a scene in which nothing moves. It returns whether the object's own places have hardly changed.
func (p *past) addTo(s *shape.Sum, k *Tuning, scene *motion.Scene, at int) bool {
	was, e := p[0], scene.At(at)
	i, exact := scene.Find(was.seq)
	if p.empty() || !exact || i >= at || was.patch.W != e.Gray.W || was.patch.H != e.Gray.H {
		return false
	}
	way := motion.Identity
	for n := i + 1; n <= at; n++ {
		way = scene.At(n).Scene.After(way)
	}
	back, then := way.Inverse(), scene.At(i)
	weight, r := float32(k.StillWeight), s.Rect()
	own, same := 0, 0
	for y := r.Min.Y; y < r.Max.Y; y++ {
		row := s.Row(y)
		for c := range row {
			x := r.Min.X + c
			fu, fv := back.At(float64(x), float64(y))
			u, v := int(math.Round(fu)), int(math.Round(fv))
			in, changed := was.patch.Cell(u, v) > 0, k.changed(e, then, x, y, u, v)
			if in {
				own++
			}
			switch {
			case changed:
			case in:
				row[c] += weight
				same++
			default:
				row[c] -= weight
			}
		}
	}
	return float64(same) >= k.Most*float64(max(own, 1))
}

// changed says whether pixel (x, y) of an entry shows another thing than (u, v) of an earlier one, or that lies outside.
func (k *Tuning) changed(e, then *motion.Entry, x, y, u, v int) bool {
	w, h := e.Gray.W, e.Gray.H
	if u < 0 || v < 0 || u >= w || v >= h {
		return true
	}
	a, b := e.BGR[3*(y*w+x):][:3], then.BGR[3*(v*w+u):][:3]
	sum := 0
	for i := range a {
		d := int(a[i]) - int(b[i])
		sum += max(d, -d)
	}
	return sum > k.StillChange
}

// reference is the picture about an object that a camera which does not move saw when the object's mask was last not its own word: a
// person's, or the first one of a scene at rest. Two keyframes half a second apart let a mask creep by less than is told; this one, which
// stays as long as the object's places look as they did, does not. It is compared in blocks, whose means a sensor's noise hardly moves.
type reference struct {
	patch  *shape.Patch
	blocks image.Rectangle // of the grid of blocks
	mean   []pixel         // row by row
}

// pixel is a colour's blue, green and red, each to a sixteenth.
type pixel [3]uint16

// blocksOf are the blocks that hold a rectangle of cells, inside a grid of w×h cells.
func blocksOf(r image.Rectangle, w, h int) image.Rectangle {
	r = r.Intersect(image.Rect(0, 0, w, h))
	return image.Rect(r.Min.X/stillBlock, r.Min.Y/stillBlock, (r.Max.X+stillBlock-1)/stillBlock, (r.Max.Y+stillBlock-1)/stillBlock)
}

// cellsOf are the cells of a block, inside a grid of w×h cells.
func cellsOf(bx, by, w, h int) image.Rectangle {
	return image.Rect(bx*stillBlock, by*stillBlock, min((bx+1)*stillBlock, w), min((by+1)*stillBlock, h))
}

// meanOf is the mean colour of some cells of an entry.
func meanOf(e *motion.Entry, r image.Rectangle) (p pixel) {
	var sum [3]int
	for y := r.Min.Y; y < r.Max.Y; y++ {
		row := e.BGR[3*(y*e.Gray.W+r.Min.X):][:3*r.Dx()]
		for i := 0; i < len(row); i += 3 {
			sum[0] += int(row[i])
			sum[1] += int(row[i+1])
			sum[2] += int(row[i+2])
		}
	}
	n := r.Dx() * r.Dy()
	for i := range p {
		p[i] = uint16(16 * sum[i] / n)
	}
	return p
}

func (k *Tuning) referenceOf(p *shape.Patch, e *motion.Entry) *reference {
	w, h := e.Gray.W, e.Gray.H
	f := &reference{patch: p, blocks: blocksOf(p.Rect.Inset(-k.Growth), w, h)}
	f.mean = make([]pixel, 0, f.blocks.Dx()*f.blocks.Dy())
	for y := f.blocks.Min.Y; y < f.blocks.Max.Y; y++ {
		for x := f.blocks.Min.X; x < f.blocks.Max.X; x++ {
			f.mean = append(f.mean, meanOf(e, cellsOf(x, y, w, h)))
		}
	}
	return f
}

// addTo is as that of past, against the reference. Where most of the object's own places have changed it adds nothing, and returns false.
func (f *reference) addTo(s *shape.Sum, k *Tuning, e *motion.Entry, same *[]bool) bool {
	if !f.holds(k, e, same) {
		return false
	}
	weight, r := float32(k.StillWeight), s.Rect()
	for y := r.Min.Y; y < r.Max.Y; y++ {
		row := s.Row(y)
		for c := range row {
			x := r.Min.X + c
			b := image.Pt(x/stillBlock, y/stillBlock)
			switch {
			case !b.In(f.blocks) || !(*same)[(b.Y-f.blocks.Min.Y)*f.blocks.Dx()+b.X-f.blocks.Min.X]:
			case f.patch.Cell(x, y) > 0:
				row[c] += weight
			default:
				row[c] -= weight
			}
		}
	}
	return true
}

// holds says whether most of the object's places show what they did, and notes which blocks do.
func (f *reference) holds(k *Tuning, e *motion.Entry, same *[]bool) bool {
	if f == nil || f.patch.W != e.Gray.W || f.patch.H != e.Gray.H {
		return false
	}
	*same = slices.Grow((*same)[:0], len(f.mean))[:len(f.mean)]
	own, rest := 0, 0
	for i := range f.mean {
		r := cellsOf(f.blocks.Min.X+i%f.blocks.Dx(), f.blocks.Min.Y+i/f.blocks.Dx(), e.Gray.W, e.Gray.H)
		(*same)[i] = f.mean[i].far(meanOf(e, r)) <= 16*k.StillChange
		for y := r.Min.Y; y < r.Max.Y; y++ {
			for x := r.Min.X; x < r.Max.X; x++ {
				if f.patch.Cell(x, y) > 0 {
					own++
					if (*same)[i] {
						rest++
					}
				}
			}
		}
	}
	return float64(rest) >= k.Most*float64(max(own, 1))
}

// far is how far two pixels are from one another, over the three colours.
func (p pixel) far(q pixel) (d int) {
	for i := range p {
		d += max(int(p[i])-int(q[i]), int(q[i])-int(p[i]))
	}
	return d
}
