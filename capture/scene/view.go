package scene

import (
	"math"

	"github.com/segedge/segedge/frame"
)

// The cells into which a picture is divided, whatever its shape, and the samples in a cell, in each direction.
const (
	cols, rows = 48, 27
	cells      = cols * rows
	samples    = 4
	reach      = 3 // cells to each side within which a shift is looked for
)

// view is a picture, reduced to what it looks like from afar.
type view struct {
	sum    [cells]uint32  // of the samples' brightness
	red    [cells]uint32  // of the samples' red against their green
	relief float64        // how far the cells stand out from their surroundings, in brightness
	detail [cells]float32 // brightness against the surroundings, of mean 0 and length 1
	spread float64        // standard deviation of the cells' brightness
	tints  float64        // the same of brightness and colour together
	bright float64        // that the brightest fiftieth of the cells reaches
	edge   float64        // difference across two pixels of a 640-pixel picture at the sharpest places
}

// look fills the view from a frame. Its cost does not depend on the frame's size.
func (v *view) look(f *frame.Frame) {
	var edges [256]uint32
	step := 3 * max(1, f.Width/320) // bytes to the pixel that is compared
	stride := f.Stride()
	for r := range rows {
		for c := range cols {
			var sum, red uint32
			for sy := range samples {
				y := (r*samples + sy) * f.Height / (rows * samples)
				row := f.Pix[y*stride : y*stride+stride]
				for sx := range samples {
					x := 3 * ((c*samples + sx) * f.Width / (cols * samples))
					a := light(row[x:])
					sum += a
					red += (255 + uint32(row[x+2]) - uint32(row[x+1])) / 2
					if other := x + step; other+3 <= stride {
						edges[abs(int(a)-int(light(row[other:])))]++
					}
				}
			}
			v.sum[r*cols+c], v.red[r*cols+c] = sum, red
		}
	}
	v.measure(&edges)
	v.contrast()
}

// light is the brightness of a BGR pixel.
func light(p []byte) uint32 { return (uint32(p[0]) + 2*uint32(p[1]) + uint32(p[2])) >> 2 }

func abs(v int) int { return max(v, -v) }

// measure works out what is told of the whole.
func (v *view) measure(edges *[256]uint32) {
	var levels [256]uint32
	for _, s := range v.sum {
		levels[s/(samples*samples)]++
	}
	v.spread = deviation(&v.sum)
	v.tints = math.Hypot(v.spread, deviation(&v.red))
	v.bright = top(&levels, cells/50)
	v.edge = strength(edges)
}

// deviation is the standard deviation of the cells' means.
func deviation(sums *[cells]uint32) float64 {
	var total, squares float64
	for _, s := range sums {
		b := float64(s) / (samples * samples)
		total += b
		squares += b * b
	}
	return math.Sqrt(max(0, squares/cells-total*total/cells/cells))
}

// strength is the difference that the sharpest hundredth of the places reach, less what noise alone would reach: half of
// all places differ by its median, a hundredth by 3.82 times that (normal distribution).
func strength(edges *[256]uint32) float64 {
	var all uint32
	for _, n := range edges {
		all += n
	}
	noise := 3.82 * (top(edges, all/2) - 0.5)
	edge := top(edges, all/100)
	return math.Sqrt(max(0, edge*edge-max(0, noise)*noise))
}

// top is the value that n of those counted reach or exceed.
func top(counts *[256]uint32, n uint32) float64 {
	for i := 255; i > 0; i-- {
		if counts[i] >= n {
			return float64(i)
		}
		n -= counts[i]
	}
	return 0
}

// contrast makes the detail: each cell against the mean of those around it, so that the light of the whole does not count.
func (v *view) contrast() {
	const around = 3
	var sums [(rows + 1) * (cols + 1)]uint32 // of all cells above and to the left
	for r := range rows {
		for c := range cols {
			at := (r+1)*(cols+1) + c + 1
			sums[at] = v.sum[r*cols+c] + sums[at-1] + sums[at-cols-1] - sums[at-cols-2]
		}
	}
	var total float64
	for r := range rows {
		y0, y1 := max(0, r-around), min(rows, r+around+1)
		for c := range cols {
			x0, x1 := max(0, c-around), min(cols, c+around+1)
			near := sums[y1*(cols+1)+x1] - sums[y0*(cols+1)+x1] - sums[y1*(cols+1)+x0] + sums[y0*(cols+1)+x0]
			d := float32(v.sum[r*cols+c]) - float32(near)/float32((y1-y0)*(x1-x0))
			v.detail[r*cols+c] = d
			total += float64(d * d)
		}
	}
	v.relief = math.Sqrt(total/cells) / (samples * samples)
	scale := float32(1 / math.Sqrt(total+1))
	for i := range v.detail {
		v.detail[i] *= scale
	}
}

// like is how alike two views are, place by place: 1 for the same, about 0 for any two.
func (v *view) like(o *view) float64 {
	var sum float32
	for i, d := range v.detail {
		sum += d * o.detail[i]
	}
	return float64(sum)
}

// likeShifted is the same for the best shift by up to reach cells: of what both show.
func (v *view) likeShifted(o *view) float64 {
	best := -1.0
	for dy := -reach; dy <= reach; dy++ {
		for dx := -reach; dx <= reach; dx++ {
			best = max(best, v.shifted(o, dx, dy))
		}
	}
	return best
}

func (v *view) shifted(o *view, dx, dy int) float64 {
	var ab, aa, bb float32
	for r := max(0, dy); r < min(rows, rows+dy); r++ {
		x0, n := max(0, dx), cols-max(dx, -dx)
		a := v.detail[r*cols+x0:][:n]
		b := o.detail[(r-dy)*cols+x0-dx:][:n]
		for i, p := range a {
			q := b[i]
			ab, aa, bb = ab+p*q, aa+p*p, bb+q*q
		}
	}
	return float64(ab) / math.Sqrt(float64(aa)*float64(bb)+1e-9)
}

// stirred is by how much the cells' brightness differs, on average, and whether it differs at all.
func (v *view) stirred(o *view) (by float64, any bool) {
	var sum uint64
	for i, s := range v.sum {
		sum += uint64(abs(int(s) - int(o.sum[i])))
	}
	return float64(sum) / (cells * samples * samples), sum > 0
}
