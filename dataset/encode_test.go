package dataset

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/segedge/segedge/seg"
)

// writeCOCO encodes an instances file, which the agent only reads.
func writeCOCO(w io.Writer, c *COCO) error {
	if err := json.NewEncoder(w).Encode(c); err != nil {
		return fmt.Errorf("coco: %w", err)
	}
	return nil
}

// addMask appends an object as run lengths, with its area and box; the mask lies on the picture's own grid.
func (c *COCO) addMask(image, category int64, m *seg.Mask) {
	rle, box := m.RLE(), m.Box()
	w, h := float64(m.W), float64(m.H)
	c.Annotations = append(c.Annotations, COCOAnnotation{
		ID: int64(len(c.Annotations) + 1), Image: image, Category: category, Area: float64(m.Count()), Segment: Segmentation{RLE: &rle},
		Box: [4]float64{box.X0 * w, box.Y0 * h, (box.X1 - box.X0) * w, (box.Y1 - box.Y0) * h},
	})
}

// writeSA1B encodes one file, which the agent only reads.
func writeSA1B(w io.Writer, s *SA1B) error {
	if err := json.NewEncoder(w).Encode(s); err != nil {
		return fmt.Errorf("sa-1b: %w", err)
	}
	return nil
}
