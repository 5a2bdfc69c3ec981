package dataset

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/segedge/segedge/frame"
)

// Video is a sequence of pictures, of which some or all have a label map.
type Video struct {
	Name   string
	Frames []string // paths, in order
	Labels []string // path of each frame's label map, "" where there is none
}

// Videos finds the sequences of a DAVIS folder: JPEGImages/480p/SEQUENCE/*.jpg with Annotations/480p/SEQUENCE/*.png,
// where "480p" may be missing; or else the pictures of a flat folder, as one sequence without labels. Sorted by name.
func Videos(dir string) ([]Video, error) {
	root := filepath.Join(dir, "JPEGImages")
	if !isDir(root) {
		frames, err := pictureFiles(dir)
		if err != nil {
			return nil, err
		}
		if len(frames) == 0 {
			return nil, fmt.Errorf("dataset %s: %w: JPEGImages/480p/SEQUENCE/*.jpg or pictures are expected", dir, ErrNoData)
		}
		return []Video{{Name: filepath.Base(dir), Frames: frames, Labels: make([]string, len(frames))}}, nil
	}
	labels := filepath.Join(dir, "Annotations")
	if isDir(filepath.Join(root, "480p")) {
		root, labels = filepath.Join(root, "480p"), filepath.Join(labels, "480p")
	}
	entries, err := os.ReadDir(root)
	if err != nil {
		return nil, fmt.Errorf("dataset: %w", err)
	}
	var out []Video
	for _, e := range entries {
		v, err := openVideo(e.Name(), filepath.Join(root, e.Name()), filepath.Join(labels, e.Name()))
		if err != nil {
			return nil, err
		}
		if len(v.Frames) > 0 {
			out = append(out, v)
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("dataset %s: %w: no sequence has a picture", dir, ErrNoData)
	}
	return out, nil
}

func openVideo(name, frames, labels string) (Video, error) {
	v := Video{Name: name}
	if !isDir(frames) {
		return v, nil
	}
	var err error
	if v.Frames, err = pictureFiles(frames); err != nil {
		return v, err
	}
	for _, f := range v.Frames {
		l := filepath.Join(labels, stem(f)+".png")
		if !isFile(l) {
			l = ""
		}
		v.Labels = append(v.Labels, l)
	}
	return v, nil
}

// Truth reads the label map of frame i, on that frame's even grid, or nil where there is none.
func (v *Video) Truth(i int) (*Labels, error) {
	if v.Labels[i] == "" {
		return nil, nil
	}
	l, err := ReadLabels(v.Labels[i])
	if err != nil {
		return nil, err
	}
	f := &frame.Frame{Meta: frame.Meta{Width: l.W &^ 1, Height: l.H &^ 1}}
	return l.crop(f, v.Labels[i])
}

// firstFrames are the first annotated frame of every sequence.
func firstFrames(dir string) ([]Item, error) {
	videos, err := Videos(dir)
	if err != nil {
		return nil, err
	}
	var items []Item
	for _, v := range videos {
		for i, l := range v.Labels {
			if l != "" {
				items = append(items, Item{Set: filepath.Base(filepath.Clean(dir)), Group: v.Name, Name: v.Name + "/" + stem(v.Frames[i]), Image: v.Frames[i], masks: masksOf(l)})
				break
			}
		}
	}
	if len(items) == 0 {
		return nil, fmt.Errorf("dataset %s: %w: Annotations/480p/SEQUENCE/*.png are expected", dir, ErrNoData)
	}
	return items, nil
}
