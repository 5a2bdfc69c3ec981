package inference

import "github.com/segedge/segedge/frame"

// A picture is flat, and so has no object, where no two neighbouring blocks of it differ by more than flatStep levels in any channel, or
// they differ by no more than flatShade, and by as much as the two before them within flatBend: what is left then is noise, which the mean
// of a block takes away, and shading, which changes little by little. Blocks are 1/flatBlocks of the longer side.
const (
	flatStep   = 3
	flatShade  = 10
	flatBend   = 4
	flatBlocks = 28
)

// flat reports whether there is anything to be seen in a picture. It reads every second pixel of every second row of large pictures,
// allocates nothing, and stops at the first edge, so a picture that has one costs little.
func flat(f *frame.Frame) bool {
	side := max(4, max(f.Width, f.Height)/flatBlocks)
	step := max(1, side/16)
	cols := min(f.Width/side, maxBlocks)
	if cols < 1 || f.Height < side {
		return false // a sliver: nothing is claimed
	}
	var higher, above, row [3 * maxBlocks]int32
	for by := range f.Height / side {
		blockMeans(row[:3*cols], f, by*side, side, step)
		for i := range 3 * cols {
			switch {
			case by == 1 && differ(row[i], above[i], flatShade), i >= 3 && i < 6 && differ(row[i], row[i-3], flatShade),
				by > 1 && edge(row[i], above[i], higher[i]), i >= 6 && edge(row[i], row[i-3], row[i-6]):
				return false
			}
		}
		higher, above = above, row
	}
	return true
}

const maxBlocks = 128

// meanUnit is the fixed point of blockMeans.
const meanUnit = 16

func differ(a, b, most int32) bool { return max(a-b, b-a) > most*meanUnit }

// edge says whether three blocks in a row show more than shading.
func edge(a, b, c int32) bool {
	return differ(a, b, flatStep) && (differ(a, b, flatShade) || differ(a-b, b-c, flatBend))
}

// blockMeans are the means of a row of blocks, three channels each, in units of 1/16 level.
func blockMeans(dst []int32, f *frame.Frame, top, side, step int) {
	n := int32((side + step - 1) / step)
	for i := range dst {
		dst[i] = 0
	}
	for y := top; y < top+side; y += step {
		line := f.Pix[y*f.Stride():][:f.Stride()]
		for b := 0; b < len(dst); b += 3 {
			for x := b / 3 * side; x < (b/3+1)*side; x += step {
				dst[b] += int32(line[3*x])
				dst[b+1] += int32(line[3*x+1])
				dst[b+2] += int32(line[3*x+2])
			}
		}
	}
	for i := range dst {
		dst[i] = dst[i] * meanUnit / (n * n)
	}
}
