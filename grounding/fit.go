package grounding

import "slices"

// neighbours are terms that people take for one another; the share of one counts half for the other.
var neighbours = [][2]int{
	{black, grey},
	{white, grey},
	{red, orange},
	{orange, yellow},
	{orange, brown},
	{yellow, brown},
	{red, brown},
	{red, pink},
	{purple, blue},
	{purple, pink},
	{white, yellow},
}

// fits is how well the colours of a thing fit what was asked, 0..1: of one colour its share and half of its neighbours', of several the
// least of them, since each must be there.
func (c *colours) fits(asked []string, shade string) float64 {
	out := 1.0
	for _, name := range asked {
		for i, n := range termNames {
			if n != name {
				continue
			}
			v := c.share[i] + c.beside(i)/2
			if len(asked) > 1 {
				v *= 2
			}
			out = min(out, v)
		}
	}
	if shade == "dark" && c.l > 50 || shade == "light" && c.l < 45 {
		return 0
	}
	if len(asked) == 1 && c.otherwise(slices.Index(termNames[:], asked[0])) {
		return 0
	}
	return min(out, 1)
}

// otherwise says that a thing is plainly not black, not white or not grey, though some of it is: dark windows and tyres make no silver car
// black. White has grey shadows, and hues change with the light: they are less sure.
func (c *colours) otherwise(i int) bool {
	if i > grey {
		return false
	}
	most := max(c.share[black], c.share[white], c.share[grey])
	return i != white && most > 1.4*c.share[i] || i == black && c.l > 45 || i == white && c.l < 55
}

// beside is the share of a term's neighbours.
func (c *colours) beside(i int) (sum float64) {
	for _, pair := range neighbours {
		if pair[0] == i {
			sum += c.share[pair[1]]
		} else if pair[1] == i {
			sum += c.share[pair[0]]
		}
	}
	return sum
}

// leastFit is what a thing's colours must fit by.
const leastFit = 0.35
