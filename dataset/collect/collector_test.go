package collect

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/jpeg"
	"log/slog"
	"strings"
	"testing"

	"github.com/segedge/segedge/dataset"
	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/testkit"
)

// finder finds what it is told.
type finder struct {
	at  []image.Rectangle
	err error
}

func (f finder) Find(*frame.Frame) ([]image.Rectangle, error) { return f.at, f.err }

// checks is a picture of 2-pixel checks.
func checks(w, h int) *frame.Frame {
	f := frame.New(w, h)
	f.Captured = noon
	for i := range f.Pix {
		if x, y := i/3%w, i/3/w; (x/2+y/2)%2 == 0 {
			f.Pix[i] = 240
		} else {
			f.Pix[i] = 10
		}
	}
	return f
}

func sampleOf(verdicts ...string) Sample {
	s := Sample{Camera: "cam", Frame: checks(64, 48), Stage: Assisted, Model: "m"}
	for i, v := range verdicts {
		m := seg.NewMask(32, 24, image.Rect(2*i, 4, 2*i+8, 12))
		for k := range m.Bits {
			m.Bits[k] = 1
		}
		s.Masks = append(s.Masks, Mask{
			Mask: m, Verdict: v, Name: "cup", PredictedIoU: 0.81234567, Stability: 0.9,
			Prompt: seg.Prompt{Clicks: []seg.Click{{Point: seg.Point{X: 0.25, Y: 0.5}, Label: seg.Positive}}, Box: &seg.Box{X0: 0.1, Y0: 0.2, X1: 0.5, Y1: 0.6}},
		})
	}
	return s
}

// run offers samples to a collector that runs until it has kept them, and answers what it said.
func run(t *testing.T, s *Store, f Finder, samples ...Sample) (Counts, string) {
	t.Helper()
	var said testkit.Buffer
	c, err := NewCollector(s, []Finder{f}, slog.New(slog.NewTextHandler(&said, nil)))
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range samples {
		c.Offer(one)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // what waits is kept all the same
	if err := c.Run(ctx); err != nil {
		t.Fatal(err)
	}
	return c.Counts(), said.String()
}

func TestSampleIsKept(t *testing.T) {
	s := newStore(t, Limits{})
	counts, _ := run(t, s, finder{at: []image.Rectangle{image.Rect(20, 10, 40, 30)}}, sampleOf(Confirmed, Proposed, Rejected, Refined))
	if counts != (Counts{Stored: 1}) {
		t.Fatalf("%+v", counts)
	}
	name := names(t, s)[0]
	r, err := s.Read(name)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Annotations) != 2 || len(r.Proposed) != 1 || len(r.Rejected) != 1 || r.Image.Stage != Assisted || r.Image.Model != "m" {
		t.Fatalf("%+v", r)
	}
	a := r.Annotations[0]
	want := dataset.SA1BAnnotation{Area: 256, Box: [4]float64{0, 8, 16, 16}, PredictedIoU: 0.8123}
	if a.Area != want.Area || a.Box != want.Box || a.PredictedIoU != want.PredictedIoU || a.Segmentation.Size != [2]int{48, 64} {
		t.Errorf("%+v", a)
	}
	if len(a.Points) != 1 || a.Points[0] != [2]float64{16, 24} || a.Labels[0] != seg.Positive || *a.PromptBox != [4]float64{6.4, 9.6, 25.6, 19.2} {
		t.Errorf("points %v labels %v box %v", a.Points, a.Labels, a.PromptBox)
	}
	set, err := dataset.Open(s.Dir())
	if err != nil || len(set.Items) != 1 {
		t.Fatalf("%+v, %v", set, err)
	}
	f, masks, err := set.Items[0].Load()
	if err != nil || len(masks) != 2 || f.Width != 64 {
		t.Errorf("%d masks, %v: what is proposed or rejected is none to train on", len(masks), err)
	}
	data, err := s.JPEG(name)
	if err != nil {
		t.Fatal(err)
	}
	img, err := jpeg.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	contrast := func(x, y int) int {
		a, _, _, _ := img.At(x, y).RGBA()
		b, _, _, _ := img.At(x+2, y).RGBA()
		return max(int(a>>8)-int(b>>8), int(b>>8)-int(a>>8))
	}
	if c := contrast(30, 20); c > 30 {
		t.Errorf("contrast %d where a face was", c)
	}
	if c := contrast(4, 40); c < 100 {
		t.Errorf("contrast %d where none was", c)
	}
}

func TestNothingIsKeptThatCannotBeConcealed(t *testing.T) {
	s := newStore(t, Limits{})
	counts, said := run(t, s, finder{err: errors.New("cascade broken")}, sampleOf(Confirmed), sampleOf(Confirmed))
	if counts != (Counts{Failed: 2}) || len(names(t, s)) != 0 {
		t.Errorf("%+v, %q", counts, names(t, s))
	}
	if n := strings.Count(said, "cascade broken"); n != 1 {
		t.Errorf("said %d times: %s", n, said)
	}
	if _, err := NewCollector(s, nil, nil); err == nil {
		t.Error("a collector without a finder of faces")
	}
}

func TestOfferNeverBlocks(t *testing.T) {
	s := newStore(t, Limits{Daily: 3})
	samples := make([]Sample, waiting+5)
	for i := range samples {
		samples[i] = sampleOf(Confirmed)
	}
	counts, _ := run(t, s, finder{}, samples...)
	if counts != (Counts{Stored: 3, Refused: waiting - 3, Dropped: 5}) {
		t.Errorf("%+v", counts)
	}
}

// A rejection after many corrections was dropped where the pictures were slow to be kept: the corrections had taken all the places.
func TestCorrectionsLeaveRoom(t *testing.T) {
	s := newStore(t, Limits{})
	var samples []Sample
	for range 3 * waiting {
		samples = append(samples, ofTrack("cam-1", Refined, "cup"))
	}
	counts, _ := run(t, s, finder{}, append(samples, ofTrack("cam-1", Rejected, "cup"))...)
	r, err := s.Read(names(t, s)[0])
	if err != nil || counts != (Counts{Stored: 1}) || len(r.Rejected) != 1 {
		t.Errorf("%+v, %+v, %v: the rejection alone is kept", counts, r, err)
	}
}

func TestBlurLeavesNothingFine(t *testing.T) {
	for _, r := range []image.Rectangle{
		image.Rect(20, 10, 40, 30), image.Rect(-5, -5, 10, 10), image.Rect(50, 40, 90, 70), image.Rect(0, 0, 64, 48), image.Rect(5, 5, 6, 6), {},
	} {
		f, was := checks(64, 48), checks(64, 48)
		Blur(f, r)
		colours := map[[3]byte]bool{}
		inside := r.Intersect(image.Rect(0, 0, 64, 48))
		each(f, inside, func(p []byte) { colours[[3]byte(p)] = true })
		if len(colours) > cells*cells {
			t.Errorf("%v: %d colours are left", r, len(colours))
		}
		if far := image.Rect(0, 0, 64, 48); !r.Empty() && !r.Inset(-20).Intersect(far).Eq(far) {
			same := bytes.Equal(f.Pix[:3], was.Pix[:3]) || bytes.Equal(f.Pix[len(f.Pix)-3:], was.Pix[len(was.Pix)-3:])
			if !same {
				t.Errorf("%v: both corners changed", r)
			}
		}
	}
}
