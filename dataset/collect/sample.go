package collect

import (
	"github.com/segedge/segedge/dataset"
	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/seg"
)

// Stages of the data engine (Segment Anything, section 4).
const (
	Assisted  = "assisted-manual" // a person pointed and judged
	Semi      = "semi-automatic"  // the model proposes what it is sure of, a person adds and judges
	Automatic = "automatic"       // the model alone, sifted
	Imported  = "imported"        // from another data set
)

// Verdicts on a mask.
const (
	Confirmed = "confirmed" // a person said that it is right
	Refined   = "refined"   // a person corrected it, or chose it among candidates
	Rejected  = "rejected"  // a person said that it is not the object
	Drawn     = "drawn"     // a person added it in review
	Proposed  = "proposed"  // nobody has judged it
)

// Sample is a picture with what was said of it. The frame is the collector's from Offer on.
type Sample struct {
	Camera string
	Frame  *frame.Frame
	Stage  string
	Model  string
	Masks  []Mask
}

// Mask is one object of a sample.
type Mask struct {
	Mask         *seg.Mask
	Verdict      string
	Name         string
	Track        string     // of the object in all pictures that it was followed through; may be empty
	Prompt       seg.Prompt // where the picture was pointed at; its mask and text are left out
	PredictedIoU float64
	Stability    float64
	Cycle        float64 // IoU with itself after being followed to another frame and back; 0 where that was not tried
}

// quality of the pictures: what a camera sends is worse already.
const quality = 92

// Document is the sample as SA-1B has it: what is right among the annotations, the rest beside them.
func (s *Sample) Document() *dataset.SA1B {
	f := s.Frame
	doc := &dataset.SA1B{
		Image: dataset.SA1BImage{
			Width: f.Width, Height: f.Height, Camera: s.Camera, Captured: f.Captured.UTC(), Stage: s.Stage, Model: s.Model,
		},
		Annotations: []dataset.SA1BAnnotation{},
	}
	for i := range s.Masks {
		a := s.Masks[i].annotation(int64(i+1), f.Width, f.Height)
		switch {
		case a.Area == 0:
		case a.Verdict == Proposed:
			doc.Proposed = append(doc.Proposed, a)
		case a.Verdict == Rejected:
			doc.Rejected = append(doc.Rejected, a)
		default:
			doc.Annotations = append(doc.Annotations, a)
		}
	}
	return doc
}

// annotation is a mask in pixels of the picture.
func (m *Mask) annotation(id int64, w, h int) dataset.SA1BAnnotation {
	a := dataset.NewSA1BAnnotation(id, m.Mask.Resize(w, h))
	a.Name, a.Verdict, a.Track = m.Name, m.Verdict, m.Track
	a.PredictedIoU, a.Stability, a.Cycle = seg.Round4(m.PredictedIoU), seg.Round4(m.Stability), seg.Round4(m.Cycle)
	for _, c := range m.Prompt.Clicks {
		a.Points = append(a.Points, [2]float64{seg.Round4(c.X * float64(w)), seg.Round4(c.Y * float64(h))})
		a.Labels = append(a.Labels, c.Label)
	}
	if b := m.Prompt.Box; b != nil {
		x, y := b.X0*float64(w), b.Y0*float64(h)
		a.PromptBox = &[4]float64{seg.Round4(x), seg.Round4(y), seg.Round4(b.X1*float64(w) - x), seg.Round4(b.Y1*float64(h) - y)}
	}
	return a
}
