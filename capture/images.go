package capture

import (
	"context"
	"fmt"
	"image"
	"image/color"
	_ "image/jpeg" // the formats of a folder of images
	_ "image/png"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/segedge/segedge/frame"
)

// images gives still pictures in order.
type images struct {
	files []string
	fps   float64
	next  int
}

// OpenImages opens still pictures, JPEG or PNG, shown at the spec's rate or 30 a second. The same Spec may be opened again and again.
func OpenImages(spec Spec) (Source, error) {
	if spec.Kind != KindImages || len(spec.Files) == 0 {
		return nil, Permanent(fmt.Errorf("open images: %s has none", spec))
	}
	return &images{files: spec.Files, fps: Rate(spec.FPS)}, nil
}

func (s *images) Info() Info { return Info{FPS: s.fps} }

func (s *images) Close() error { return nil }

// Read decodes the next picture. A file that cannot be decoded ends the source for good: it would fail again.
func (s *images) Read(ctx context.Context, dst *frame.Frame) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.next == len(s.files) {
		return io.EOF
	}
	img, err := decode(s.files[s.next])
	if err != nil {
		return Permanent(fmt.Errorf("read image %s: %w", filepath.Base(s.files[s.next]), err))
	}
	Copy(dst, img)
	dst.PTS = time.Duration(float64(s.next) / s.fps * float64(time.Second))
	s.next++
	return nil
}

func decode(path string) (image.Image, error) {
	r, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	img, _, err := image.Decode(r)
	return img, err
}

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
		default:
			copyAny(row, img, b.Min.X, b.Min.Y+y)
		}
	}
}

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

func copyAny(row []byte, m image.Image, x0, y int) {
	for i := 0; i < len(row); i += 3 {
		r, g, b, _ := m.At(x0+i/3, y).RGBA()
		row[i], row[i+1], row[i+2] = byte(b>>8), byte(g>>8), byte(r>>8)
	}
}
