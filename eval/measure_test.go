package eval

import (
	"encoding/json"
	"image"
	"math"
	"os"
	"testing"

	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/testkit"
)

// TestMeasuresAsTheBenchmarkComputesThem holds J, F and their statistics to the figures of the published evaluation
// (testdata/davis.py).
func TestMeasuresAsTheBenchmarkComputesThem(t *testing.T) {
	testkit.Long(t)
	data, err := os.ReadFile("testdata/davis.json")
	if err != nil {
		t.Fatal(err)
	}
	var want struct {
		Pairs []struct {
			Name       string
			Got, Truth seg.RLE
			J, F       float64
		}
		Statistics []struct {
			Values              []float64
			Mean, Recall, Decay float64
		}
	}
	if err := json.Unmarshal(data, &want); err != nil {
		t.Fatal(err)
	}
	if len(want.Pairs) < 20 || len(want.Statistics) < 5 {
		t.Fatalf("%d pairs, %d statistics", len(want.Pairs), len(want.Statistics))
	}
	for _, p := range want.Pairs {
		got, truth := decoded(t, p.Got), decoded(t, p.Truth)
		if j, f := Region(got, truth), Boundary(got, truth); math.Abs(j-p.J) > 1e-9 || math.Abs(f-p.F) > 1e-9 {
			t.Errorf("%s: J %.6f, F %.6f; the benchmark says %.6f, %.6f", p.Name, j, f, p.J, p.F)
		}
	}
	for _, s := range want.Statistics {
		got := statistics(s.Values)
		if math.Abs(got.Mean-s.Mean)+math.Abs(got.Recall-s.Recall)+math.Abs(got.Decay-s.Decay) > 1e-9 {
			t.Errorf("%d values: %+v, the benchmark says %v, %v, %v", len(s.Values), got, s.Mean, s.Recall, s.Decay)
		}
	}
	if statistics(nil) != (Statistics{}) || mean(nil) != 0 {
		t.Error("no values have no statistics")
	}
}

func decoded(t *testing.T, r seg.RLE) *seg.Mask {
	t.Helper()
	m, err := r.Mask()
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func BenchmarkBoundary(b *testing.B) {
	got, truth := square(854, 480, image.Rect(200, 100, 600, 400)), square(854, 480, image.Rect(205, 95, 610, 390))
	for b.Loop() {
		Boundary(got, truth)
	}
}
