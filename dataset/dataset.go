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
	"slices"
	"strings"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/frame/picture"
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

	masks reader
}

// reader reads a picture's objects onto its grid. The picture was turned by o to be upright.
type reader func(f *frame.Frame, o picture.Orientation) ([]*seg.Mask, error)

// Load decodes the picture, upright, and its objects, in the order of the annotation; every mask has the frame's grid.
func (it *Item) Load() (*frame.Frame, []*seg.Mask, error) {
	f, o, err := picture.ReadTurned(it.Image)
	if err != nil {
		return nil, nil, err
	}
	masks, err := it.masks(f, o)
	if err != nil {
		return nil, nil, err
	}
	return f, masks, nil
}

// Set is what a path holds.
type Set struct {
	Items []Item
	// Unlabelled are the pictures that have no annotation, and Orphans the annotations whose picture is missing, by name, sorted.
	Unlabelled, Orphans []string
}

// Open finds what a path holds: a folder with images/ and labels/, a DAVIS folder (the first annotated frame of each
// sequence), a COCO file (its pictures lie beside it, or in a folder images/), or a folder of SA-1B files.
func Open(path string) (*Set, error) {
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
func openLabels(dir string) (*Set, error) {
	pictures, err := pictureFiles(filepath.Join(dir, "images"))
	if err != nil {
		return nil, err
	}
	maps, err := labelFiles(filepath.Join(dir, "labels"))
	if err != nil {
		return nil, err
	}
	out, used := &Set{}, map[string]bool{}
	for _, p := range pictures {
		name := stem(p)
		labels, ok := maps[name]
		if !ok {
			out.Unlabelled = append(out.Unlabelled, filepath.Base(p))
			continue
		}
		used[labels] = true
		set := number.ReplaceAllString(name, "")
		if set == "" {
			set = filepath.Base(dir)
		}
		out.Items = append(out.Items, Item{Set: set, Group: name, Name: name, Image: p, masks: masksOf(labels)})
	}
	for name, path := range maps {
		if !used[path] && !used[maps[level.ReplaceAllString(name, "")]] {
			out.Orphans = append(out.Orphans, filepath.Base(path))
		}
	}
	slices.Sort(out.Orphans)
	out.Orphans = slices.Compact(out.Orphans)
	if len(out.Items) == 0 {
		return nil, fmt.Errorf("dataset %s: %w: images/NAME.jpg with labels/NAME.png is expected", dir, ErrNoData)
	}
	return out, nil
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
func masksOf(path string) reader {
	return func(f *frame.Frame, o picture.Orientation) ([]*seg.Mask, error) {
		l, err := ReadLabels(path)
		if err != nil {
			return nil, err
		}
		if l, err = l.fit(f, o); err != nil {
			return nil, fmt.Errorf("labels %s: %w", path, err)
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
		if err := picture.Refused(e.Name()); err != nil {
			return nil, fmt.Errorf("dataset %s: %w", dir, err)
		}
		if picture.Named(e.Name()) && (e.Type().IsRegular() || e.Type()&os.ModeSymlink != 0) {
			out = append(out, filepath.Join(dir, e.Name()))
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
