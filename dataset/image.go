package dataset

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	_ "image/jpeg" // the two forms in which pictures come
	_ "image/png"
	"io"
	"os"

	"github.com/segedge/segedge/frame"
)

// maxPixels bounds what a picture may decode to: 64 megapixels, beyond any camera this is for.
const maxPixels = 64 << 20

// ErrTooSmall is a picture without two pixels a side.
var ErrTooSmall = errors.New("the picture is smaller than 2×2 pixels")

// ReadImage decodes a JPEG or PNG file.
func ReadImage(path string) (*frame.Frame, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("picture: %w", err)
	}
	defer func() { _ = file.Close() }() // it was only read
	f := frame.New(2, 2)
	if err := DecodeInto(f, bufio.NewReader(file)); err != nil {
		return nil, fmt.Errorf("picture %s: %w", path, err)
	}
	return f, nil
}

// DecodeInto decodes a JPEG or PNG stream into f, which the caller owns and nobody else holds, and gives it its size; an odd edge is
// cropped. Transparency is put on black.
func DecodeInto(f *frame.Frame, r io.Reader) error {
	img, err := decode(r)
	if err != nil {
		return err
	}
	b := img.Bounds()
	w, h := b.Dx()&^1, b.Dy()&^1
	if w < 2 || h < 2 {
		return ErrTooSmall
	}
	f.Resize(w, h)
	switch m := img.(type) {
	case *image.YCbCr:
		fromYCbCr(f, m)
	case *image.Gray:
		for y := range h {
			src, dst := m.Pix[m.PixOffset(b.Min.X, b.Min.Y+y):][:w], f.Pix[y*f.Stride():][:f.Stride()]
			for x, v := range src {
				dst[3*x], dst[3*x+1], dst[3*x+2] = v, v, v
			}
		}
	default:
		for y := range h {
			dst := f.Pix[y*f.Stride():][:f.Stride()]
			for x := range w {
				r, g, b, _ := m.At(b.Min.X+x, b.Min.Y+y).RGBA()
				dst[3*x], dst[3*x+1], dst[3*x+2] = byte(b>>8), byte(g>>8), byte(r>>8)
			}
		}
	}
	return nil
}

// decode looks at the header first, so that a small file cannot ask for a huge picture.
func decode(r io.Reader) (image.Image, error) {
	var head bytes.Buffer
	cfg, _, err := image.DecodeConfig(io.TeeReader(r, &head))
	if err != nil {
		return nil, fmt.Errorf("neither JPEG nor PNG: %w", err)
	}
	if cfg.Width <= 0 || cfg.Height <= 0 || cfg.Height > maxPixels/cfg.Width {
		return nil, fmt.Errorf("%dx%d pixels are more than %d", cfg.Width, cfg.Height, maxPixels)
	}
	img, _, err := image.Decode(io.MultiReader(&head, r))
	if err != nil {
		return nil, fmt.Errorf("damaged: %w", err)
	}
	return img, nil
}

// fromYCbCr converts as JPEG does (JFIF 1.02), a row at a time.
func fromYCbCr(f *frame.Frame, m *image.YCbCr) {
	b := m.Bounds()
	for y := range f.Height {
		dst := f.Pix[y*f.Stride():][:f.Stride()]
		luma := m.Y[m.YOffset(b.Min.X, b.Min.Y+y):][:f.Width]
		for x, l := range luma {
			c := m.COffset(b.Min.X+x, b.Min.Y+y)
			r, g, b := color.YCbCrToRGB(l, m.Cb[c], m.Cr[c])
			dst[3*x], dst[3*x+1], dst[3*x+2] = b, g, r
		}
	}
}
