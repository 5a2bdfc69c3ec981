package dataset

import (
	"bufio"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/segedge/segedge/frame"
)

// EncodeJPEG writes a frame as a JPEG picture of the given quality, 1..100.
func EncodeJPEG(w io.Writer, f *frame.Frame, quality int) error {
	if err := jpeg.Encode(w, rgba(f), &jpeg.Options{Quality: quality}); err != nil {
		return fmt.Errorf("jpeg: %w", err)
	}
	return nil
}

func rgba(f *frame.Frame) *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, f.Width, f.Height))
	for i := 0; i < len(f.Pix)/3; i++ {
		m.Pix[4*i], m.Pix[4*i+1], m.Pix[4*i+2], m.Pix[4*i+3] = f.Pix[3*i+2], f.Pix[3*i+1], f.Pix[3*i], 255
	}
	return m
}

// Encode writes the labels as a PNG file, up to 255 with the palette of DAVIS and PASCAL VOC, so that any viewer shows them, else in grey
// of 16 bits. Larger ones have no place in it.
func (l *Labels) Encode(w io.Writer) error {
	var m image.Image
	switch largest := slices.Max(l.Pix); {
	case largest < 256:
		p := image.NewPaletted(image.Rect(0, 0, l.W, l.H), palette())
		for i, v := range l.Pix {
			p.Pix[i] = uint8(v)
		}
		m = p
	case largest < 1<<16:
		g := image.NewGray16(image.Rect(0, 0, l.W, l.H))
		for i, v := range l.Pix {
			g.SetGray16(i%l.W, i/l.W, color.Gray16{Y: uint16(v)})
		}
		m = g
	default:
		return fmt.Errorf("labels: %d does not fit into the 16 bits of a PNG file", largest)
	}
	if err := png.Encode(w, m); err != nil {
		return fmt.Errorf("labels: %w", err)
	}
	return nil
}

// palette spreads the bits of the label over the high bits of red, green and blue (VOCcolormap).
func palette() color.Palette {
	p := make(color.Palette, 256)
	for i := range p {
		var c [3]uint8
		for bit, v := 7, i; v > 0; bit, v = bit-1, v>>3 {
			for k := range c {
				c[k] |= uint8(v>>k&1) << bit
			}
		}
		p[i] = color.RGBA{c[0], c[1], c[2], 255}
	}
	return p
}

// WriteDAVIS adds one frame of a sequence to a DAVIS folder; labels may be nil.
func WriteDAVIS(dir, sequence string, index int, f *frame.Frame, labels *Labels) error {
	if !filepath.IsLocal(sequence) {
		return fmt.Errorf("sequence %q is no name of a folder", sequence)
	}
	name := fmt.Sprintf("%05d", index)
	err := create(filepath.Join(dir, "JPEGImages", "480p", sequence, name+".jpg"), func(w io.Writer) error { return EncodeJPEG(w, f, 92) })
	if err != nil || labels == nil {
		return err
	}
	return create(filepath.Join(dir, "Annotations", "480p", sequence, name+".png"), labels.Encode)
}

// create writes a file, and the folders that it needs.
func create(path string, write func(io.Writer) error) (err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("dataset: %w", err)
	}
	file, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("dataset: %w", err)
	}
	defer func() {
		if closeErr := file.Close(); err == nil && closeErr != nil {
			err = fmt.Errorf("dataset: %w", closeErr)
		}
	}()
	w := bufio.NewWriter(file)
	if err := write(w); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return w.Flush()
}
