package seg

// Flood takes the cells of a grid, w wide and h high, that hang together with the cell from by edges, or by corners too. Cells are
// counted along the rows. take says whether a cell belongs to them, and notes that it has been taken: it says no when it is asked again.
func Flood(w, h, from int, corners bool, take func(cell int) bool) {
	if !take(from) {
		return
	}
	stack := []int{from}
	for len(stack) > 0 {
		x, y := stack[len(stack)-1]%w, stack[len(stack)-1]/w
		stack = stack[:len(stack)-1]
		for ny := max(y-1, 0); ny <= min(y+1, h-1); ny++ {
			for nx := max(x-1, 0); nx <= min(x+1, w-1); nx++ {
				if cell := ny*w + nx; (corners || nx == x || ny == y) && take(cell) {
					stack = append(stack, cell)
				}
			}
		}
	}
}
