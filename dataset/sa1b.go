package dataset

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/frame/picture"
	"github.com/segedge/segedge/seg"
)

// SA1B is the file beside each picture of Segment Anything's data set (facebookresearch/segment-anything, README, Dataset). The fields
// that are left out when empty are this project's own; who reads SA-1B passes them by, and finds in Annotations only what is right.
type SA1B struct {
	Image       SA1BImage        `json:"image"`
	Annotations []SA1BAnnotation `json:"annotations"`
	Proposed    []SA1BAnnotation `json:"proposed,omitempty"` // by the model, seen by nobody yet
	Rejected    []SA1BAnnotation `json:"rejected,omitempty"` // by a person
}

// SA1BImage describes the picture.
type SA1BImage struct {
	ID     int64  `json:"image_id"`
	Width  int    `json:"width"`
	Height int    `json:"height"`
	File   string `json:"file_name"`

	Camera   string    `json:"camera,omitempty"`
	Captured time.Time `json:"captured,omitzero"`
	Stage    string    `json:"stage,omitempty"` // of the data engine that it came from
	Model    string    `json:"model,omitempty"` // that made the masks
}

// SA1BAnnotation is one mask. Boxes are x, y, width, height, points x, y, in pixels.
type SA1BAnnotation struct {
	ID           int64        `json:"id"`
	Segmentation seg.RLE      `json:"segmentation"`
	Box          [4]float64   `json:"bbox"`
	Area         int          `json:"area"`
	PredictedIoU float64      `json:"predicted_iou"`
	Stability    float64      `json:"stability_score"`
	CropBox      [4]float64   `json:"crop_box"`
	Points       [][2]float64 `json:"point_coords"`

	Labels    []seg.Label `json:"point_labels,omitempty"` // of Points: 1 for the object, 0 for what is not
	PromptBox *[4]float64 `json:"prompt_box,omitempty"`   // x, y, width, height
	Name      string      `json:"name,omitempty"`         // of the object
	Track     string      `json:"track,omitempty"`        // the same in all pictures that the object was followed through
	Verdict   string      `json:"verdict,omitempty"`      // how it came to be where it is: "confirmed", "refined", …
	Cycle     float64     `json:"cycle_iou,omitempty"`    // IoU with itself after being followed to another frame and back
}

// NewSA1BAnnotation is an object as SA-1B has it: its runs, box and area. The mask lies on the picture's own grid.
func NewSA1BAnnotation(id int64, m *seg.Mask) SA1BAnnotation {
	return SA1BAnnotation{
		ID: id, Segmentation: m.RLE(), Area: m.Count(), Box: pixelBox(m),
		CropBox: [4]float64{0, 0, float64(m.W), float64(m.H)}, Points: [][2]float64{},
	}
}

// pixelBox is the tight box of a mask: x, y, width, height in pixels.
func pixelBox(m *seg.Mask) [4]float64 {
	r := m.Trim().Rect
	return [4]float64{float64(r.Min.X), float64(r.Min.Y), float64(r.Dx()), float64(r.Dy())}
}

// ReadSA1B decodes one file.
func ReadSA1B(r io.Reader) (*SA1B, error) {
	s := new(SA1B)
	if err := json.NewDecoder(r).Decode(s); err != nil {
		return nil, fmt.Errorf("sa-1b: %w", err)
	}
	return s, nil
}

// openSA1B reads NAME.json beside NAME.jpg.
func openSA1B(dir string) (*Set, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("dataset: %w", err)
	}
	out := &Set{}
	for _, e := range entries {
		name, ok := strings.CutSuffix(e.Name(), ".json")
		if !ok {
			continue
		}
		path := pictureBeside(dir, name)
		if path == "" {
			out.Orphans = append(out.Orphans, e.Name())
			continue
		}
		out.Items = append(
			out.Items,
			Item{Set: filepath.Base(dir), Group: name, Name: name, Image: path, masks: sa1bMasks(filepath.Join(dir, e.Name()))},
		)
	}
	if len(out.Items) == 0 {
		return nil, fmt.Errorf(
			"dataset %s: %w: images/ and labels/, JPEGImages/ and Annotations/, or NAME.json beside NAME.jpg are expected",
			dir,
			ErrNoData,
		)
	}
	return out, nil
}

// pictureBeside is the path of the picture of this name, "" where there is none.
func pictureBeside(dir, name string) string {
	for _, ending := range picture.Endings() {
		if path := filepath.Join(dir, name+ending); isFile(path) {
			return path
		}
	}
	return ""
}

func sa1bMasks(path string) reader {
	return func(f *frame.Frame, o picture.Orientation) ([]*seg.Mask, error) {
		file, err := os.Open(path)
		if err != nil {
			return nil, fmt.Errorf("dataset: %w", err)
		}
		defer func() { _ = file.Close() }() // it was only read
		s, err := ReadSA1B(file)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		list := make([]Segmentation, len(s.Annotations))
		for i := range list {
			list[i].RLE = &s.Annotations[i].Segmentation
		}
		masks, err := segmentMasks(list, s.Image.Width, s.Image.Height)(f, o)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		return masks, nil
	}
}
