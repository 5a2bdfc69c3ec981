package pipeline

import "github.com/segedge/segedge/inference"

// sized is a model that is shown pictures of at most side pixels, where that is less than it would see: families of any size encode so much
// less, others see less of it. 0 is its own.
func sized(info inference.Info, side int) inference.Info {
	own := info.Input
	if side <= 0 || own == nil {
		return info
	}
	info.Input = func(w, h int) (int, int) {
		w, h = own(w, h)
		long := max(w, h)
		if long <= side {
			return w, h
		}
		scale := func(n int) int { return max(1, (n*side+long/2)/long) }
		return scale(w), scale(h)
	}
	return info
}
