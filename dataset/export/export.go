// Package export writes annotated pictures in the forms that others train on and label with: COCO (run lengths or polygons), SA-1B, DAVIS,
// MOTS, YOLO segmentation, Label Studio and CVAT. It takes what is right in a picture's SA-1B document, and nothing that is proposed or
// rejected; package dataset reads most of it back.
package export

import (
	"errors"
	"fmt"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/segedge/segedge/dataset"
	"github.com/segedge/segedge/seg"
)

// Picture is an annotated picture. Name is that of its file without the ending.
type Picture struct {
	Name string
	JPEG []byte
	Doc  *dataset.SA1B
}

// Summary is what was written.
type Summary struct {
	Pictures, Objects int
	Classes           []string // in the order of their numbers
}

// object is one annotation with its mask.
type object struct {
	*dataset.SA1BAnnotation
	mask  *seg.Mask
	class int // counts from 0
}

// writer writes one form. Classes are known from the beginning.
type writer interface {
	add(p *Picture, objects []object) error
	close() error
}

// forms are the writers by name.
var forms = map[string]func(dir string, classes []string) writer{
	"coco":          func(dir string, classes []string) writer { return newCOCO(dir, classes, false) },
	"coco-polygons": func(dir string, classes []string) writer { return newCOCO(dir, classes, true) },
	"sa1b":          func(dir string, _ []string) writer { return &sa1b{dir} },
	"davis":         func(dir string, _ []string) writer { return newDAVIS(dir) },
	"mots":          func(dir string, classes []string) writer { return newMOTS(dir, classes) },
	"yolo":          func(dir string, classes []string) writer { return &yolo{dir: dir, classes: classes} },
	"label-studio":  func(dir string, _ []string) writer { return &labelStudio{dir: dir} },
	"cvat":          func(dir string, classes []string) writer { return newCVAT(dir, classes) },
}

// Forms are the names of the forms.
func Forms() []string { return slices.Sorted(maps.Keys(forms)) }

// ErrNotEmpty is a folder that has something in it already.
var ErrNotEmpty = errors.New("the folder is not empty: name a new one")

// Write writes pictures to a new folder. The pictures are gone through twice: once for the names of the objects, which become the classes,
// sorted; an object without a name is an "object". Pictures without objects are left out.
func Write(dir, form string, pictures iter.Seq2[*Picture, error]) (s Summary, err error) {
	create, ok := forms[form]
	if !ok {
		return s, fmt.Errorf("export: there is no form %q; there are %s", form, strings.Join(Forms(), ", "))
	}
	if s.Classes, err = classesOf(pictures); err != nil {
		return s, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return s, fmt.Errorf("export: %w", err)
	}
	if in, err := os.ReadDir(dir); err != nil || len(in) > 0 {
		return s, errors.Join(fmt.Errorf("export %s: %w", dir, ErrNotEmpty), err)
	}
	w := create(dir, s.Classes)
	for p, err := range pictures {
		if err != nil {
			return s, err
		}
		objects, err := objectsOf(p, s.Classes)
		if err != nil {
			return s, err
		}
		if len(objects) == 0 {
			continue
		}
		if err := w.add(p, objects); err != nil {
			return s, fmt.Errorf("export %s: %w", p.Name, err)
		}
		s.Pictures, s.Objects = s.Pictures+1, s.Objects+len(objects)
	}
	if err := w.close(); err != nil {
		return s, fmt.Errorf("export: %w", err)
	}
	return s, nil
}

func classesOf(pictures iter.Seq2[*Picture, error]) ([]string, error) {
	names := map[string]bool{}
	for p, err := range pictures {
		if err != nil {
			return nil, err
		}
		for i := range p.Doc.Annotations {
			names[className(&p.Doc.Annotations[i])] = true
		}
	}
	return slices.Sorted(maps.Keys(names)), nil
}

func className(a *dataset.SA1BAnnotation) string {
	if a.Name == "" {
		return "object"
	}
	return a.Name
}

// objectsOf are the objects of a picture that have a pixel.
func objectsOf(p *Picture, classes []string) ([]object, error) {
	var out []object
	for i := range p.Doc.Annotations {
		a := &p.Doc.Annotations[i]
		m, err := a.Segmentation.Mask()
		if err != nil {
			return nil, fmt.Errorf("export %s: object %d: %w", p.Name, a.ID, err)
		}
		if m.W != p.Doc.Image.Width || m.H != p.Doc.Image.Height {
			return nil, fmt.Errorf(
				"export %s: object %d is %dx%d in a picture of %dx%d", p.Name, a.ID, m.W, m.H, p.Doc.Image.Width, p.Doc.Image.Height,
			)
		}
		if m.Rect.Empty() {
			continue
		}
		class, _ := slices.BinarySearch(classes, className(a))
		out = append(out, object{a, m, class})
	}
	return out, nil
}

// put writes a file below a folder, which it makes.
func put(data []byte, path ...string) error {
	name := filepath.Join(path...)
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	return os.WriteFile(name, data, 0o644)
}

// largestFirst puts small objects over large ones, where only one can have a pixel.
func largestFirst(objects []object) []object {
	out := slices.Clone(objects)
	slices.SortStableFunc(out, func(a, b object) int { return b.mask.Count() - a.mask.Count() })
	return out
}

// sequence is the name of what a picture is a frame of: its camera.
func sequence(p *Picture) string {
	if p.Doc.Image.Camera == "" {
		return "pictures"
	}
	return p.Doc.Image.Camera
}
