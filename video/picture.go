package video

import (
	"fmt"
)

// Picture is I420: planes Y, U and V behind each other, U and V of half the size each way. BT.601, limited range.
type Picture struct {
	Width, Height int // even
	Pix           []byte
}

// Resize sets the size; a buffer that is large enough is kept. The content is undefined afterwards.
func (p *Picture) Resize(w, h int) {
	p.Width, p.Height = w, h
	if n := w * h * 3 / 2; cap(p.Pix) < n {
		p.Pix = make([]byte, n)
	} else {
		p.Pix = p.Pix[:n]
	}
}

// Planes are views of the three planes.
func (p *Picture) Planes() (y, u, v []byte) {
	n := p.Width * p.Height
	return p.Pix[:n:n], p.Pix[n : n+n/4 : n+n/4], p.Pix[n+n/4 : n+n/2]
}

// FromBGR converts packed BGR in pure Go: BT.601 limited range in 8-bit fixed point, chroma of the mean of four pixels.
func FromBGR(pic *Picture, bgr []byte) error {
	w, h := pic.Width, pic.Height
	if w <= 0 || h <= 0 || w%2 != 0 || h%2 != 0 || len(bgr) < 3*w*h {
		return fmt.Errorf("video: %d bytes are no BGR picture of %dx%d (even sides)", len(bgr), w, h)
	}
	y, u, v := pic.Planes()
	for j := 0; j < h; j += 2 {
		twoRows(bgr[3*w*j:][:3*w], bgr[3*w*(j+1):][:3*w], y[w*j:][:w], y[w*(j+1):][:w], u[w/2*(j/2):][:w/2], v[w/2*(j/2):][:w/2])
	}
	return nil
}

func twoRows(top, bottom, y0, y1, u, v []byte) {
	for i := range u {
		a, b := top[6*i:6*i+6:6*i+6], bottom[6*i:6*i+6:6*i+6]
		y0[2*i], y0[2*i+1] = luma(a[0], a[1], a[2]), luma(a[3], a[4], a[5])
		y1[2*i], y1[2*i+1] = luma(b[0], b[1], b[2]), luma(b[3], b[4], b[5])
		blue := int32(a[0]) + int32(a[3]) + int32(b[0]) + int32(b[3])
		green := int32(a[1]) + int32(a[4]) + int32(b[1]) + int32(b[4])
		red := int32(a[2]) + int32(a[5]) + int32(b[2]) + int32(b[5])
		u[i] = uint8((-38*red-74*green+112*blue+512)>>10 + 128)
		v[i] = uint8((112*red-94*green-18*blue+512)>>10 + 128)
	}
}

func luma(b, g, r byte) byte {
	return byte((66*uint32(r)+129*uint32(g)+25*uint32(b)+128)>>8 + 16)
}
