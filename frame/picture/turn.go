package picture

import "github.com/segedge/segedge/frame"

// Orientation says how a stored picture is turned to be seen upright, in EXIF's numbers (Exif 2.32, tag 0x0112).
type Orientation uint8

// The orientations: which side of what a person sees is the stored picture's first row and first column.
const (
	Upright     Orientation = iota + 1 // top, left
	Mirrored                           // top, right
	UpsideDown                         // bottom, right
	Flipped                            // bottom, left
	Transposed                         // left, top
	Clockwise                          // right, top: to be turned clockwise, a telephone held upright
	Transversed                        // right, bottom
	Counter                            // left, bottom: to be turned counter-clockwise
)

// Turns reports whether width and height change places.
func (o Orientation) Turns() bool { return o >= Transposed && o <= Counter }

// Stored is the place in the stored picture of the pixel (x, y) of the upright one, which is w×h.
func (o Orientation) Stored(x, y, w, h int) (int, int) {
	switch o {
	case Mirrored:
		return w - 1 - x, y
	case UpsideDown:
		return w - 1 - x, h - 1 - y
	case Flipped:
		return x, h - 1 - y
	case Transposed:
		return y, x
	case Clockwise:
		return y, w - 1 - x
	case Transversed:
		return h - 1 - y, w - 1 - x
	case Counter:
		return h - 1 - y, x
	default:
		return x, y
	}
}

// turn makes a frame with the stored pixels upright.
func (o Orientation) turn(f *frame.Frame) {
	if o <= Upright || o > Counter {
		return
	}
	stored := frame.New(f.Width, f.Height)
	copy(stored.Pix, f.Pix)
	stored.Meta = f.Meta
	frame.Orient(f, stored, frame.Orientation(o))
}
