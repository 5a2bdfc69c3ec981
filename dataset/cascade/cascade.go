// Package cascade finds faces and number plates with OpenCV's Haar cascades (Viola and Jones 2001; Lienhart and Maydt 2002), so that they
// can be blurred. It is a leaf that calls C. It leans towards finding too much: what it blurs in vain costs a patch of a picture, what it
// misses is a person who can be recognised.
package cascade

import (
	"bufio"
	"encoding/xml"
	"errors"
	"fmt"
	"image"
	"io"
	"os"
	"path/filepath"

	"gocv.io/x/gocv"

	"github.com/segedge/segedge/frame"
)

// Folder is where Debian's package opencv-data puts the cascades.
const Folder = "/usr/share/opencv4/haarcascades"

// ErrMissing is a folder without the cascades.
var ErrMissing = errors.New("OpenCV's cascades are missing: install the package opencv-data, or set data.cascades")

// detectors are the files, and how they are asked: how many overlapping finds make one, and the least side as a part of the picture's
// shorter. A profile shows to the left only, so it looks at the mirrored picture too.
var detectors = []struct {
	file   string
	agree  int
	least  float64
	mirror bool
}{
	{"haarcascade_frontalface_default.xml", 3, 0.03, false},
	{"haarcascade_frontalface_alt2.xml", 2, 0.03, false},
	{"haarcascade_profileface.xml", 3, 0.03, true},
	{"haarcascade_russian_plate_number.xml", 3, 0.02, false},
}

// Finder has the cascades loaded. One goroutine uses it; Close frees it.
type Finder struct{ loaded []gocv.CascadeClassifier }

// Open loads the cascades of a folder; "" is Debian's.
func Open(dir string) (*Finder, error) {
	if dir == "" {
		dir = Folder
	}
	f := &Finder{}
	for _, d := range detectors {
		path := filepath.Join(dir, d.file)
		if _, err := os.Stat(path); err != nil { // #nosec G703 -- the folder that the configuration names
			return nil, errors.Join(fmt.Errorf("%w: %w", ErrMissing, err), f.Close())
		}
		if err := check(path); err != nil {
			return nil, errors.Join(err, f.Close())
		}
		c := gocv.NewCascadeClassifier()
		f.loaded = append(f.loaded, c)
		if !c.Load(path) {
			return nil, errors.Join(fmt.Errorf("cascade: %s cannot be read", path), f.Close())
		}
	}
	return f, nil
}

// check refuses a file that is no whole cascade: OpenCV would end the process over it.
func check(path string) error {
	file, err := os.Open(path) // #nosec G703 -- the folder that the configuration names
	if err != nil {
		return fmt.Errorf("cascade: %w", err)
	}
	defer func() { _ = file.Close() }() // it was only read
	found := map[string]bool{}
	for d := xml.NewDecoder(bufio.NewReader(file)); ; { // #nosec G709 -- only its tokens are read, nothing is made of them
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("cascade: %s is damaged: %w", path, err)
		}
		if e, ok := token.(xml.StartElement); ok {
			found[e.Name.Local] = true
		}
	}
	for _, part := range []string{"opencv_storage", "cascade", "stages", "features"} {
		if !found[part] {
			return fmt.Errorf("cascade: %s is no cascade of OpenCV: it has no %s", path, part)
		}
	}
	return nil
}

const (
	enlarged = 640 // the longer side that a smaller picture is enlarged to: the cascades know no face below some 20 pixels
	step     = 1.2 // from one size of face to the next
)

// Find answers where faces and plates are, in pixels; several times where several cascades see one.
func (f *Finder) Find(pic *frame.Frame) ([]image.Rectangle, error) {
	colour, err := gocv.NewMatFromBytes(pic.Height, pic.Width, gocv.MatTypeCV8UC3, pic.Pix)
	if err != nil {
		return nil, fmt.Errorf("cascade: %w", err)
	}
	defer colour.Close()
	grey := gocv.NewMat()
	defer grey.Close()
	gocv.CvtColor(colour, &grey, gocv.ColorBGRToGray)
	scale := min(2, max(1, enlarged/float64(max(pic.Width, pic.Height))))
	gocv.Resize(grey, &grey, image.Point{}, scale, scale, gocv.InterpolationLinear)
	mirrored := gocv.NewMat()
	defer mirrored.Close()
	gocv.EqualizeHist(grey, &grey)
	gocv.Flip(grey, &mirrored, 1)
	if mirrored.Empty() {
		return nil, errors.New("cascade: OpenCV could not prepare the picture")
	}
	var out []image.Rectangle
	for i, d := range detectors {
		for _, r := range f.ask(i, grey) {
			out = append(out, shrunk(r, scale))
		}
		if !d.mirror {
			continue
		}
		for _, r := range f.ask(i, mirrored) {
			out = append(out, shrunk(image.Rect(grey.Cols()-r.Max.X, r.Min.Y, grey.Cols()-r.Min.X, r.Max.Y), scale))
		}
	}
	return out, nil
}

func (f *Finder) ask(i int, grey gocv.Mat) []image.Rectangle {
	d := detectors[i]
	side := max(20, int(d.least*float64(min(grey.Cols(), grey.Rows()))))
	return f.loaded[i].DetectMultiScaleWithParams(grey, step, d.agree, 0, image.Pt(side, side), image.Point{})
}

// shrunk is a rectangle of the enlarged picture in the picture's own pixels.
func shrunk(r image.Rectangle, scale float64) image.Rectangle {
	in := func(v int) int { return int(float64(v) / scale) }
	return image.Rect(in(r.Min.X), in(r.Min.Y), in(r.Max.X)+1, in(r.Max.Y)+1)
}

// Close frees the cascades.
func (f *Finder) Close() error {
	var all []error
	for i := range f.loaded {
		all = append(all, f.loaded[i].Close())
	}
	f.loaded = nil
	return errors.Join(all...)
}
