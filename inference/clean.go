package inference

import (
	"image"

	"github.com/segedge/segedge/seg"
)

func imagePoint(x, y int) image.Point { return image.Point{X: x, Y: y} }

// Clean removes islands of fewer than least cells from a mask, but never the largest, and fills holes of fewer
// (Segment Anything, remove_small_regions; 8 neighbours).
func Clean(m *seg.Mask, least int) *seg.Mask {
	if m.Rect.Empty() || least <= 1 {
		return m
	}
	// One cell of margin, so that the outside is one connected hole that reaches the edge.
	out := seg.NewMask(m.W, m.H, m.Rect)
	copy(out.Bits, m.Bits)
	w, h := m.Rect.Dx()+2, m.Rect.Dy()+2
	cells := make([]uint8, w*h)
	for y := 1; y < h-1; y++ {
		copy(cells[y*w+1:], m.Bits[(y-1)*(w-2):y*(w-2)])
	}
	for _, value := range []uint8{0, 1} { // holes first, as the original does
		regions := connected(cells, w, h, value)
		keep := largest(regions)
		for i, r := range regions {
			if len(r) < least && i != keep && !(value == 0 && touchesEdge(r, w, h)) {
				for _, c := range r {
					cells[c] = 1 - value
				}
			}
		}
	}
	for y := 1; y < h-1; y++ {
		copy(out.Bits[(y-1)*(w-2):y*(w-2)], cells[y*w+1:])
	}
	return out.Trim()
}

// connected are the regions of cells with the value.
func connected(cells []uint8, w, h int, value uint8) [][]int {
	seen := make([]bool, len(cells))
	var out [][]int
	for start := range cells {
		if seen[start] || cells[start] != value {
			continue
		}
		seen[start] = true
		region := []int{start}
		for i := 0; i < len(region); i++ {
			x, y := region[i]%w, region[i]/w
			for ny := max(y-1, 0); ny <= min(y+1, h-1); ny++ {
				for nx := max(x-1, 0); nx <= min(x+1, w-1); nx++ {
					if n := ny*w + nx; !seen[n] && cells[n] == value {
						seen[n] = true
						region = append(region, n)
					}
				}
			}
		}
		out = append(out, region)
	}
	return out
}

func largest(regions [][]int) int {
	best := -1
	for i, r := range regions {
		if best < 0 || len(r) > len(regions[best]) {
			best = i
		}
	}
	return best
}

func touchesEdge(region []int, w, h int) bool {
	for _, c := range region {
		if x, y := c%w, c/w; x == 0 || y == 0 || x == w-1 || y == h-1 {
			return true
		}
	}
	return false
}
