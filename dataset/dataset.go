// Package dataset reads and writes annotated pictures and video in the forms that others use: folders of pictures with
// label maps, DAVIS folders, COCO instances and SA-1B JSON. It knows files and their forms only: it runs no model,
// scores nothing, and holds one picture at a time.
package dataset

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/seg"
)

// ErrNoData is a folder in which nothing of a known form was found.
var ErrNoData = errors.New("no annotated pictures found")

// Item is one annotated picture. Nothing is read before Load.
type Item struct {
	Set   string // what it belongs to: "bsds"
	Group string // pictures that must not be split between training and testing share it: a sequence's frames
	Name  string // of the picture's file, without its ending
	Image string // path

	masks func(f *frame.Frame) ([]*seg.Mask, error)
}

// Load decodes the picture and its objects, in the order of the annotation. Odd edges of the picture are cropped, as
// cameras' are, and the masks with them, so every mask has the frame's grid.
func (it *Item) Load() (*frame.Frame, []*seg.Mask, error) {
	f, err := ReadImage(it.Image)
	if err != nil {
		return nil, nil, err
	}
	masks, err := it.masks(f)
	if err != nil {
		return nil, nil, err
	}
	return f, masks, nil
}

// Open finds what a path holds: a folder with images/ and labels/, a DAVIS folder (the first annotated frame of each
// sequence), a COCO file (its pictures lie beside it, or in a folder images/), or a folder of SA-1B files.
func Open(path string) ([]Item, error) {
	switch {
	case strings.HasSuffix(path, ".json"):
		return openCOCO(path)
	case isDir(filepath.Join(path, "labels")):
		return openLabels(path)
	case isDir(filepath.Join(path, "JPEGImages")):
		return firstFrames(path)
	case isDir(path):
		return openSA1B(path)
	}
	return nil, fmt.Errorf("dataset %s: no such folder", path)
}

// number is what tells the pictures of a set apart at the end of a name.
var number = regexp.MustCompile(`_?\d+$`)

// level is what tells the label maps of one picture apart.
var level = regexp.MustCompile(`_\d+$`)

// openLabels reads images/NAME.jpg with labels/NAME.png, or labels/NAME_k.png where several people or levels are kept
// apart; of those the first counts.
func openLabels(dir string) ([]Item, error) {
	pictures, err := pictureFiles(filepath.Join(dir, "images"))
	if err != nil {
		return nil, err
	}
	maps, err := labelFiles(filepath.Join(dir, "labels"))
	if err != nil {
		return nil, err
	}
	var items []Item
	for _, p := range pictures {
		name := stem(p)
		labels, ok := maps[name]
		if !ok {
			continue
		}
		set := number.ReplaceAllString(name, "")
		if set == "" {
			set = filepath.Base(dir)
		}
		items = append(items, Item{Set: set, Group: name, Name: name, Image: p, masks: masksOf(labels)})
	}
	if len(items) == 0 {
		return nil, fmt.Errorf("dataset %s: %w: images/NAME.jpg with labels/NAME.png is expected", dir, ErrNoData)
	}
	return items, nil
}

// labelFiles are the label maps of a folder by the picture's name: NAME.png, else the first NAME_k.png.
func labelFiles(dir string) (map[string]string, error) {
	paths, err := pictureFiles(dir)
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for _, p := range paths {
		name := level.ReplaceAllString(stem(p), "")
		if _, ok := out[name]; !ok {
			out[name] = p
		}
	}
	for _, p := range paths { // a name that itself ends in a number is meant as it stands
		out[stem(p)] = p
	}
	return out, nil
}

// masksOf reads a label map when asked.
func masksOf(path string) func(f *frame.Frame) ([]*seg.Mask, error) {
	return func(f *frame.Frame) ([]*seg.Mask, error) {
		l, err := ReadLabels(path)
		if err != nil {
			return nil, err
		}
		if l, err = l.crop(f, path); err != nil {
			return nil, err
		}
		return l.Masks(), nil
	}
}

// pictureFiles are the paths of a folder's pictures, sorted by name.
func pictureFiles(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("dataset: %w", err)
	}
	var out []string
	for _, e := range entries {
		switch strings.ToLower(filepath.Ext(e.Name())) {
		case ".jpg", ".jpeg", ".png":
			if e.Type().IsRegular() || e.Type()&os.ModeSymlink != 0 {
				out = append(out, filepath.Join(dir, e.Name()))
			}
		}
	}
	return out, nil
}

func stem(path string) string {
	base := filepath.Base(path)
	return strings.TrimSuffix(base, filepath.Ext(base))
}

func isDir(path string) bool {
	s, err := os.Stat(path)
	return err == nil && s.IsDir()
}

func isFile(path string) bool {
	s, err := os.Stat(path)
	return err == nil && s.Mode().IsRegular()
}
