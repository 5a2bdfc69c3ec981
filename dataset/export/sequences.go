package export

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/segedge/segedge/dataset"
)

// tracks number the objects of each sequence: one that is followed keeps its number in all its frames.
type tracks struct {
	frames  map[string]int
	numbers map[string]map[string]int
}

func newTracks() tracks { return tracks{map[string]int{}, map[string]map[string]int{}} }

// frame is the number of a sequence's next frame, from 0.
func (t *tracks) frame(sequence string) int {
	n := t.frames[sequence]
	t.frames[sequence]++
	return n
}

// number is an object's in its sequence, from 1. One that nobody followed has one of its own.
func (t *tracks) number(sequence, picture string, o *object) int {
	known := t.numbers[sequence]
	if known == nil {
		known = map[string]int{}
		t.numbers[sequence] = known
	}
	key := o.Track
	if key == "" {
		key = fmt.Sprintf("%s/%d", picture, o.ID)
	}
	if known[key] == 0 {
		known[key] = len(known) + 1
	}
	return known[key]
}

// davis writes JPEGImages/480p/CAMERA/NNNNN.jpg with Annotations/480p/CAMERA/NNNNN.png: a sequence a camera, by time; the pictures are as
// large as they are, whatever the folder says.
type davis struct {
	dir string
	tracks
}

func newDAVIS(dir string) *davis { return &davis{dir, newTracks()} }

func (d *davis) add(p *Picture, objects []object) error {
	name := sequence(p)
	labels := &dataset.Labels{W: p.Doc.Image.Width, H: p.Doc.Image.Height}
	labels.Pix = make([]uint32, labels.W*labels.H)
	for _, o := range largestFirst(objects) {
		n := uint32(d.number(name, p.Name, &o))
		if n >= 255 {
			n++ // 255 is what nobody can tell
		}
		r := o.mask.Rect
		for y := r.Min.Y; y < r.Max.Y; y++ {
			for i, v := range o.mask.Row(y) {
				if v != 0 {
					labels.Pix[y*labels.W+r.Min.X+i] = n
				}
			}
		}
	}
	var png bytes.Buffer
	if err := labels.Encode(&png); err != nil {
		return err
	}
	number := fmt.Sprintf("%05d", d.frame(name))
	if err := put(p.JPEG, d.dir, "JPEGImages", "480p", name, number+".jpg"); err != nil {
		return err
	}
	return put(png.Bytes(), d.dir, "Annotations", "480p", name, number+".png")
}

func (d *davis) close() error { return nil }

// mots writes images/CAMERA/NNNNNN.jpg and instances_txt/CAMERA.txt, lines of "frame id class height width rle" (MOTS, Voigtlaender and
// others 2019): the id is 1000 times the class and the number of the object. No pixel is of two objects.
type mots struct {
	dir     string
	classes []string
	lines   map[string]*strings.Builder
	tracks
}

func newMOTS(dir string, classes []string) *mots {
	return &mots{dir, classes, map[string]*strings.Builder{}, newTracks()}
}

func (m *mots) add(p *Picture, objects []object) error {
	name := sequence(p)
	n := m.frame(name)
	if m.lines[name] == nil {
		m.lines[name] = &strings.Builder{}
	}
	ordered := largestFirst(objects)
	for i, o := range ordered {
		mask := o.mask
		for _, above := range ordered[i+1:] {
			mask = mask.Minus(above.mask)
		}
		if mask.Count() == 0 {
			continue
		}
		id := 1000*(o.class+1) + m.number(name, p.Name, &o)
		fmt.Fprintf(m.lines[name], "%d %d %d %d %d %s\n", n, id, o.class+1, mask.H, mask.W, mask.RLE())
	}
	return put(p.JPEG, m.dir, "images", name, fmt.Sprintf("%06d.jpg", n))
}

func (m *mots) close() error {
	var names strings.Builder
	for i, c := range m.classes {
		fmt.Fprintf(&names, "%d %s\n", i+1, c)
	}
	for name, lines := range m.lines {
		if err := put([]byte(lines.String()), m.dir, "instances_txt", filepath.Base(name)+".txt"); err != nil {
			return err
		}
	}
	return put([]byte(names.String()), m.dir, "classes.txt")
}
