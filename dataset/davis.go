package dataset

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// Video is a sequence of pictures, of which some or all have a label map.
type Video struct {
	Name   string
	Frames []string // paths, in order
	Labels []string // path of each frame's label map, "" where there is none
}

// Videos finds the sequences of a DAVIS folder: JPEGImages/480p/SEQUENCE/*.jpg with Annotations/480p/SEQUENCE/*.png,
// where "480p" may be missing; the videos in a folder with images/ and labels/, whose frames come under running numbers (HeldOut says
// where one begins); or else the pictures of a flat folder, as one sequence without labels. Sorted by name.
func Videos(dir string) ([]Video, error) {
	root := filepath.Join(dir, "JPEGImages")
	if isDir(filepath.Join(dir, "labels")) {
		return flatVideos(dir)
	}
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

// flatVideos are the videos among the pictures of a folder with images/ and labels/.
func flatVideos(dir string) ([]Video, error) {
	set, err := openLabels(dir)
	if err != nil {
		return nil, err
	}
	maps, err := labelFiles(filepath.Join(dir, "labels"))
	if err != nil {
		return nil, err
	}
	items := slices.DeleteFunc(set.Items, func(it Item) bool { return it.Set != videoSet })
	if err := groupVideos(items); err != nil {
		return nil, err
	}
	var out []Video
	for _, it := range items {
		if len(out) == 0 || out[len(out)-1].Name != it.Group {
			out = append(out, Video{Name: it.Group})
		}
		v := &out[len(out)-1]
		v.Frames = append(v.Frames, it.Image)
		v.Labels = append(v.Labels, maps[it.Name])
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("dataset %s: %w: none of the pictures is a frame of a video", dir, ErrNoData)
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
		v.Labels = append(v.Labels, labelsOfFrame(labels, stem(f)))
	}
	return v, nil
}

// labelsOfFrame is the path of a frame's label map, "" where there is none.
func labelsOfFrame(dir, name string) string {
	for _, ending := range []string{".png", ".tif", ".tiff"} {
		if path := filepath.Join(dir, name+ending); isFile(path) {
			return path
		}
	}
	return ""
}

// Truth reads the label map of frame i, or nil where there is none.
func (v *Video) Truth(i int) (*Labels, error) {
	if v.Labels[i] == "" {
		return nil, nil
	}
	return ReadLabels(v.Labels[i])
}

// firstFrames are the first annotated frame of every sequence.
func firstFrames(dir string) (*Set, error) {
	videos, err := Videos(dir)
	if err != nil {
		return nil, err
	}
	out := &Set{}
	for _, v := range videos {
		i := slices.IndexFunc(v.Labels, func(l string) bool { return l != "" })
		if i < 0 {
			out.Unlabelled = append(out.Unlabelled, v.Name)
			continue
		}
		out.Items = append(out.Items, Item{
			Set: filepath.Base(
				filepath.Clean(dir),
			),
			Group: v.Name,
			Name:  v.Name + "/" + stem(v.Frames[i]),
			Image: v.Frames[i],
			masks: masksOf(v.Labels[i]),
		})
	}
	if len(out.Items) == 0 {
		return nil, fmt.Errorf("dataset %s: %w: Annotations/480p/SEQUENCE/*.png are expected", dir, ErrNoData)
	}
	return out, nil
}
