package picture

import (
	"image"
	"image/color"

	"github.com/segedge/segedge/frame"
)

// Copy converts a picture to BGR into dst, which takes its size. Transparent parts show over black.
func Copy(dst *frame.Frame, img image.Image) {
	b := img.Bounds()
	dst.Resize(b.Dx(), b.Dy())
	for y := range b.Dy() {
		row := dst.Pix[y*dst.Stride():][:dst.Stride()]
		switch m := img.(type) {
		case *image.YCbCr:
			copyYCbCr(row, m, b.Min.X, b.Min.Y+y)
		case *image.NRGBA:
			copyNRGBA(row, m.Pix[m.PixOffset(b.Min.X, b.Min.Y+y):])
		case *image.Gray:
			copyGray(row, m.Pix[m.PixOffset(b.Min.X, b.Min.Y+y):])
		default:
			copyAny(row, img, b.Min.X, b.Min.Y+y)
		}
	}
}

// copyYCbCr converts as JPEG does (JFIF 1.02).
func copyYCbCr(row []byte, m *image.YCbCr, x0, y int) {
	for i := 0; i < len(row); i += 3 {
		x := x0 + i/3
		c := m.COffset(x, y)
		row[i+2], row[i+1], row[i] = color.YCbCrToRGB(m.Y[m.YOffset(x, y)], m.Cb[c], m.Cr[c])
	}
}

func copyNRGBA(row, src []byte) {
	for i := 0; i < len(row); i += 3 {
		p := src[i/3*4:][:4]
		a := uint32(p[3])
		row[i], row[i+1], row[i+2] = byte(uint32(p[2])*a/255), byte(uint32(p[1])*a/255), byte(uint32(p[0])*a/255)
	}
}

func copyGray(row, src []byte) {
	for i, v := range src[:len(row)/3] {
		row[3*i], row[3*i+1], row[3*i+2] = v, v, v
	}
}

func copyAny(row []byte, m image.Image, x0, y int) {
	for i := 0; i < len(row); i += 3 {
		r, g, b, _ := m.At(x0+i/3, y).RGBA()
		row[i], row[i+1], row[i+2] = byte(b>>8), byte(g>>8), byte(r>>8)
	}
}
