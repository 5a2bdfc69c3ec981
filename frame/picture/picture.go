// Package picture reads still pictures as a person sees them: JPEG, PNG, GIF, WebP, BMP and TIFF files, turned as their EXIF says, of any
// size, odd ones too. It is the one place where files become frames; label maps, whose values are no colours, are package dataset's.
package picture

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	_ "image/gif" // the forms in which pictures come
	_ "image/jpeg"
	_ "image/png"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	_ "golang.org/x/image/bmp"
	_ "golang.org/x/image/tiff"
	_ "golang.org/x/image/webp"

	"github.com/segedge/segedge/frame"
)

// MaxPixels bounds what a picture may decode to: 64 megapixels, beyond any camera this is for.
const MaxPixels = 64 << 20

// maxFile bounds what is read of a file: MaxPixels of four channels of 16 bits, and some more.
const maxFile = 9 * MaxPixels

// ErrTooSmall is a picture without two pixels a side.
var ErrTooSmall = errors.New("the picture is smaller than 2×2 pixels")

// Endings are those of the names of pictures that can be read.
func Endings() []string {
	return []string{".jpg", ".jpeg", ".png", ".gif", ".webp", ".bmp", ".tif", ".tiff"}
}

// Named reports whether a file's name ends like a picture's.
func Named(name string) bool { return slices.Contains(Endings(), strings.ToLower(filepath.Ext(name))) }

// Raw is a picture as it is stored.
type Raw struct {
	Image       image.Image
	Format      string // "jpeg", "png", …
	Orientation Orientation
	Data        []byte // the file
}

// Open decodes a file without turning it.
func Open(path string) (*Raw, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("picture: %w", err)
	}
	defer func() { _ = file.Close() }() // it was only read
	r, err := decode(file)
	if err != nil {
		return nil, fmt.Errorf("picture %s: %w", path, err)
	}
	return r, nil
}

// Read decodes a file into a frame, upright.
func Read(path string) (*frame.Frame, error) {
	f, _, err := ReadTurned(path)
	return f, err
}

// ReadTurned is Read, and says how the stored picture was turned.
func ReadTurned(path string) (*frame.Frame, Orientation, error) {
	r, err := Open(path)
	if err != nil {
		return nil, 0, err
	}
	f := frame.New(2, 2)
	if err := r.into(f); err != nil {
		return nil, 0, fmt.Errorf("picture %s: %w", path, err)
	}
	return f, r.Orientation, nil
}

// Decode decodes a stream into f, upright. The caller owns f, and nobody else holds it; it takes the picture's size. Transparent parts show
// over black; of several pictures in one file the first is taken.
func Decode(f *frame.Frame, r io.Reader) error {
	raw, err := decode(r)
	if err != nil {
		return err
	}
	return raw.into(f)
}

func (r *Raw) into(f *frame.Frame) error {
	if b := r.Image.Bounds(); b.Dx() < 2 || b.Dy() < 2 {
		return ErrTooSmall
	}
	Copy(f, r.Image)
	r.Orientation.turn(f)
	return nil
}

// decode looks at the header first, so that a small file cannot ask for a huge picture.
func decode(r io.Reader) (*Raw, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxFile {
		return nil, fmt.Errorf("the file has more than %d bytes", maxFile)
	}
	cfg, format, err := image.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return nil, refusal(data, err)
	}
	if err := fits(cfg.Width, cfg.Height); err != nil {
		return nil, err
	}
	if format == "webp" {
		if err := webpFits(data); err != nil {
			return nil, err
		}
	}
	img, _, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, damage(data, format, err)
	}
	if format == "webp" {
		widen(img)
	}
	return &Raw{Image: whole(img, cfg), Format: format, Orientation: orientation(data, format), Data: data}, nil
}

// fits refuses a picture that is too large.
func fits(width, height int) error {
	if width <= 0 || height <= 0 || height > MaxPixels/width {
		return fmt.Errorf("%dx%d pixels are more than %d", width, height, MaxPixels)
	}
	return nil
}

// whole is a picture on its canvas: the first picture of a GIF may be smaller than that.
func whole(img image.Image, cfg image.Config) image.Image {
	canvas := image.Rect(0, 0, cfg.Width, cfg.Height)
	if img.Bounds().Size() == canvas.Size() {
		return img
	}
	out := image.NewNRGBA(canvas)
	b := img.Bounds().Intersect(canvas)
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			out.Set(x, y, img.At(x, y))
		}
	}
	return out
}
