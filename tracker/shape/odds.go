package shape

import "math"

// chances is the logistic function of a patch's steps, −128..127; logits is its inverse on an even grid over 0..1.
var (
	chances = func() (t [256]float32) {
		for i := range t {
			t[i] = float32(1 / (1 + math.Exp(-float64(i-128)/Scale)))
		}
		return t
	}()
	logits = func() (t [1025]float32) {
		for i := range t {
			p := min(max(float64(i)/float64(len(t)-1), leastChance), 1-leastChance)
			t[i] = float32(math.Log(p / (1 - p)))
		}
		return t
	}()
)

// boxBlur averages rows of w places over 2·radius+1 of them and writes the result transposed, edges repeated.
func boxBlur(dst, src []float32, w, h, radius int) {
	if w == 0 {
		return
	}
	k := 1 / float32(2*radius+1)
	for y := range h {
		row := src[y*w:][:w]
		sum := float32(radius+1) * row[0]
		for i := 1; i <= radius; i++ {
			sum += row[min(i, w-1)]
		}
		for x := range row {
			dst[x*h+y] = sum * k
			sum += row[min(x+radius+1, w-1)] - row[max(x-radius, 0)]
		}
	}
}
