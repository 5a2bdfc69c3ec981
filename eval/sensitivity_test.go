package eval

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/segedge/segedge/capture/synthetic"
	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/inference/inferencetest"
	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/testkit"
	"github.com/segedge/segedge/tracker"
	"github.com/segedge/segedge/tracker/lk"
)

// tuned stands for a tracker's tuning.
type tuned struct {
	Inner struct{ Count int }
	Rate  float64
	Name  string // no number
}

func TestKnobsAreTheNumbersByPath(t *testing.T) {
	v := tuned{Rate: 0.5, Name: "x"}
	v.Inner.Count = 2
	got := Knobs(v)
	want := []Knob{{Name: "Inner.Count", Value: 2, Whole: true}, {Name: "Rate", Value: 0.5}}
	if len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Fatalf("knobs %+v, want %+v", got, want)
	}
	if up, down := got[0].By(Share), got[0].By(-Share); up != 3 || down != 1 {
		t.Errorf("a count of 2 is turned to %g and %g, want 3 and 1", up, down)
	}
	if up := got[1].By(Share); up != 0.6 {
		t.Errorf("0.5 and a fifth is %g", up)
	}
	if err := Turn(&v, "Inner.Count", 7); err != nil || v.Inner.Count != 7 {
		t.Errorf("count %d, %v", v.Inner.Count, err)
	}
	if err := Turn(&v, "Rate", 0.6); err != nil || v.Rate != 0.6 {
		t.Errorf("rate %g, %v", v.Rate, err)
	}
	for _, wrong := range []string{"Nothing", "Inner.Nothing", "Name", "Rate.More"} {
		if err := Turn(&v, wrong, 1); err == nil {
			t.Errorf("%s was turned", wrong)
		}
	}
}

// Every number of the tracker and of its flow can be turned by its path and is read back.
func TestEveryNumberCanBeTurned(t *testing.T) {
	testkit.Long(t)
	for _, k := range Knobs(Shipped()) {
		tuning := Shipped()
		if err := Turn(&tuning, k.Name, k.By(Share)); err != nil {
			t.Errorf("%s: %v", k.Name, err)
			continue
		}
		changed := 0
		for i, other := range Knobs(tuning) {
			if other != Knobs(Shipped())[i] {
				changed++
			}
		}
		if changed != 1 {
			t.Errorf("turning %s changed %d numbers", k.Name, changed)
		}
	}
}

// A study measures each number once, both ways, goes on from its log, and measures in full only what moved.
func TestSensitivityGoesOnFromItsLog(t *testing.T) {
	testkit.Long(t)
	log := filepath.Join(t.TempDir(), "log.jsonl")
	shipped := Shipped()
	screens, fulls := 0, 0
	o := SensitivityOptions{
		Moved: 0.1, Log: log,
		Screen: func(_ context.Context, v *Numbers) (float64, error) {
			screens++
			return 90 + 10*(v.SpeedRate-shipped.SpeedRate)/shipped.SpeedRate, nil // only this number matters
		},
		Full: func(_ context.Context, v *Numbers) (float64, error) {
			fulls++
			return 70 - 5*(v.SpeedRate-shipped.SpeedRate)/shipped.SpeedRate, nil
		},
	}
	first, err := MeasureSensitivity(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if want := 2*len(first.Numbers) + 1; screens != want || fulls != 3 {
		t.Errorf("%d screenings and %d full measurements, want %d and 3", screens, fulls, want)
	}
	for _, r := range first.Numbers {
		if moved := r.Name == "SpeedRate"; moved != (r.Full != nil) {
			t.Errorf("%s: screened %v, in full %v", r.Name, r.Screen, r.Full)
		}
	}
	var table strings.Builder
	if err := SensitivityTable(&table, first); err != nil || !strings.Contains(table.String(), "+1.00") || !strings.Contains(table.String(), "90.00") {
		t.Errorf("table, %v:\n%s", err, table.String())
	}

	data, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(log, data[:len(data)-8], 0o600); err != nil { // killed while it wrote its last line
		t.Fatal(err)
	}
	screens, fulls = 0, 0
	if _, err := MeasureSensitivity(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	if screens != 1 || fulls != 0 {
		t.Errorf("going on took %d screenings and %d full measurements, want 1 and 0", screens, fulls)
	}
	o.ScreenOn = "other scenes"
	if _, err := MeasureSensitivity(t.Context(), o); err != nil || screens < 10 || fulls != 0 {
		t.Errorf("on other scenes: %d screenings more and %d full measurements, %v", screens-1, fulls, err)
	}
}

// Those named are measured, in that order, alone or as a group; a name that is none is refused.
func TestSensitivityOfTheNumbersNamed(t *testing.T) {
	testkit.Long(t)
	none := func(context.Context, *Numbers) (float64, error) { return 1, nil }
	o := SensitivityOptions{Screen: none, Full: none, Log: filepath.Join(t.TempDir(), "log.jsonl"), Only: []string{"SpeedRate", "LK.", "Shape.Margin"}}
	got, err := MeasureSensitivity(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	all := got.Numbers
	if n := len(all); n < 5 || all[0].Name != "SpeedRate" || all[1].Name != "LK.Radius" || all[n-1].Name != "Shape.Margin" || all[0].Full == nil {
		t.Errorf("%+v", got)
	}
	o.Screen = nil
	if got, err = MeasureSensitivity(t.Context(), o); err != nil || got.Numbers[0].Screen != nil || got.Numbers[0].Full == nil {
		t.Errorf("without a screening: %+v, %v", got, err)
	}
	for _, wrong := range []string{"Speed", "Nothing."} {
		o.Only = []string{wrong}
		if _, err := MeasureSensitivity(t.Context(), o); err == nil {
			t.Errorf("%s was measured", wrong)
		}
	}
}

func TestMemoEncodesNoPictureTwice(t *testing.T) {
	model := inferencetest.New(inferencetest.Options{})
	m := NewMemo(model, 2)
	show := func(grey byte) {
		t.Helper()
		f := frame.New(16, 16)
		for i := range f.Pix {
			f.Pix[i] = grey
		}
		e, err := m.Embed(t.Context(), f)
		if err != nil {
			t.Fatal(err)
		}
		click := seg.Prompt{Clicks: []seg.Click{{Point: seg.Point{X: 0.5, Y: 0.5}, Label: seg.Positive}}}
		if _, err := e.Decode(t.Context(), []seg.Prompt{click}); err != nil {
			t.Error(err)
		}
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	}
	for _, grey := range []byte{1, 2, 1, 2, 1} {
		show(grey)
	}
	if n := model.Embeds(); n != 2 {
		t.Errorf("two pictures were encoded %d times", n)
	}
	show(3) // there is no room for it
	show(3)
	if n := model.Embeds(); n != 4 {
		t.Errorf("a picture without room was encoded %d times, want 2", n-2)
	}
	if err := m.Close(); err != nil {
		t.Error(err)
	}
	if n := model.Live(); n != 0 {
		t.Errorf("%d embeddings were left open", n)
	}
}

// The test model finds flat shapes exactly, so the calm scene scores well, and a follower that is shown nothing scores nothing.
func TestSceneScoresAgainstItsTruth(t *testing.T) {
	testkit.Long(t)
	s, err := RenderScene(synthetic.Options{Width: 320, Height: 180, Preset: "calm", Noise: -1}, 8)
	if err != nil {
		t.Fatal(err)
	}
	follow := func(o inferencetest.Options) float64 {
		t.Helper()
		iou, err := s.Follow(t.Context(), inferencetest.New(o), tracker.New(tracker.Options{}, lk.New(lk.Options{})))
		if err != nil {
			t.Fatal(err)
		}
		return iou
	}
	seen := follow(inferencetest.Options{Tolerance: 60})
	nothing := follow(inferencetest.Options{Answer: func(_ seg.Prompt, _ seg.Prediction) seg.Prediction { return seg.Prediction{} }})
	if seen < 0.2 || nothing != 0 {
		t.Errorf("IoU %.3f with a model, %.3f with none that answers", seen, nothing)
	}
}
