package frame

// Orientation says how a picture as stored is to be turned to be seen, as EXIF numbers it (Exif 2.3, tag 0x0112): 1 is
// upright, 3 upside down, 6 and 8 want a quarter turn clockwise and anticlockwise, 2, 4, 5 and 7 are mirrored.
type Orientation int

// swaps reports whether width and height change places.
func (o Orientation) swaps() bool { return o >= 5 && o <= 8 }

// Orient writes src into dst, turned upright; dst takes the size that results and src's other Meta. Values outside 1..8
// copy. The two must not share a buffer.
func Orient(dst, src *Frame, o Orientation) {
	w, h := src.Width, src.Height
	meta := src.Meta
	if o.swaps() {
		w, h = h, w
	}
	dst.Resize(w, h)
	meta.Width, meta.Height = w, h
	dst.Meta = meta
	// Where the first pixel of dst lies in src, and how far apart its neighbours to the right and below are, in bytes.
	stride, last, bottom := src.Stride(), 3*(src.Width-1), (src.Height-1)*src.Stride()
	first, right, down := 0, 3, stride
	switch o {
	case 2:
		first, right = last, -3
	case 3:
		first, right, down = bottom+last, -3, -stride
	case 4:
		first, down = bottom, -stride
	case 5:
		right, down = stride, 3
	case 6:
		first, right, down = bottom, -stride, 3
	case 7:
		first, right, down = bottom+last, -stride, -3
	case 8:
		first, right, down = last, stride, -3
	}
	for y := range h {
		row := dst.Pix[y*dst.Stride():][:dst.Stride()]
		at := first + y*down
		if right == 3 {
			copy(row, src.Pix[at:])
			continue
		}
		for x := 0; x+2 < len(row); x += 3 {
			p := src.Pix[at : at+3 : at+3]
			row[x], row[x+1], row[x+2] = p[0], p[1], p[2]
			at += right
		}
	}
}
