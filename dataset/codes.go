package dataset

import (
	"errors"
	"image"
	"image/color"

	"github.com/segedge/segedge/frame/picture"
)

// labelsOf reads the numbers out of a picture. void is the number that may mean what nobody can tell, 0 for none.
func labelsOf(raw *picture.Raw) (l *Labels, void uint32, err error) {
	b := raw.Image.Bounds()
	l = &Labels{W: b.Dx(), H: b.Dy(), Pix: make([]uint32, b.Dx()*b.Dy())}
	switch m := raw.Image.(type) {
	case *image.Gray:
		step := uint32(greyStep(raw))
		l.fill(func(x, y int) uint32 { return uint32(m.Pix[m.PixOffset(b.Min.X+x, b.Min.Y+y)]) / step })
		if step > 1 {
			return l, 0, nil
		}
		return l, 255, nil
	case *image.Paletted:
		l.fill(func(x, y int) uint32 { return uint32(m.Pix[m.PixOffset(b.Min.X+x, b.Min.Y+y)]) })
		return l, 255, nil
	case *image.Gray16:
		l.fill(func(x, y int) uint32 { return uint32(m.Gray16At(b.Min.X+x, b.Min.Y+y).Y) })
		return l, 65535, nil
	case *image.NRGBA:
		l.fill(func(x, y int) uint32 { return packed(m.Pix[m.PixOffset(b.Min.X+x, b.Min.Y+y):]) })
		return l, l.decode(), nil
	case *image.RGBA: // without transparency, so not multiplied
		l.fill(func(x, y int) uint32 { return packed(m.Pix[m.PixOffset(b.Min.X+x, b.Min.Y+y):]) })
		return l, l.decode(), nil
	}
	return nil, 0, errors.New("colours of 16 bits a channel are no labels: save the map in grey of 16 bits, or in colours of 8")
}

func (l *Labels) fill(value func(x, y int) uint32) {
	for y := range l.H {
		for x := range l.W {
			l.Pix[y*l.W+x] = value(x, y)
		}
	}
}

// greyStep is what a PNG of 1, 2 or 4 bits was multiplied with to fill 8 (PNG, 11.2.1: byte 24 is the depth).
func greyStep(raw *picture.Raw) int {
	if raw.Format == "png" && len(raw.Data) > 24 {
		if depth := raw.Data[24]; depth < 8 {
			return 255 / (1<<depth - 1)
		}
	}
	return 1
}

// packed is four channels as one number, red lowest.
func packed(p []uint8) uint32 {
	return uint32(p[0]) | uint32(p[1])<<8 | uint32(p[2])<<16 | uint32(p[3])<<24
}

const (
	rgb   = 0xffffff
	white = rgb
)

// decode turns packed colours into labels, and answers which of them may mean what nobody can tell.
func (l *Labels) decode() (void uint32) {
	if l.codedInAlpha() {
		return 0
	}
	seen := map[uint32]bool{}
	for i, v := range l.Pix {
		if v>>24 == 0 {
			v = 0 // transparent: nothing is there
		}
		l.Pix[i] = v & rgb
		seen[v&rgb] = true
	}
	places := codes(seen)
	for i, v := range l.Pix {
		l.Pix[i] = places[v]
	}
	return places[white]
}

// codedInAlpha reports whether the transparency is a part of the numbers: it is neither all there nor only switched.
func (l *Labels) codedInAlpha() bool {
	any := false
	for _, v := range l.Pix {
		switch v >> 24 {
		case 0:
		case 255:
			any = true
		default:
			return true
		}
	}
	return !any
}

// codes are the labels of colours: their grey where all are grey, their places in VOC's palette where all are in it, else themselves.
func codes(colours map[uint32]bool) map[uint32]uint32 {
	grey, voc, own := map[uint32]uint32{white: 255}, map[uint32]uint32{white: 0}, map[uint32]uint32{white: white}
	places := map[uint32]uint32{}
	for i, c := range palette() {
		c := c.(color.RGBA)
		places[packed([]uint8{c.R, c.G, c.B, 0})] = uint32(i)
	}
	for c := range colours {
		if c&0xff == c>>8&0xff && c&0xff == c>>16 {
			grey[c] = c & 0xff
		} else {
			grey = nil
			break
		}
	}
	if grey != nil {
		return grey
	}
	for c := range colours {
		own[c] = c
		if i, ok := places[c]; ok && voc != nil {
			voc[c] = i
		} else {
			voc = nil
		}
	}
	if voc != nil {
		return voc
	}
	return own
}
