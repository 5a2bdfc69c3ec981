package eval

import (
	"encoding/json"
	"math"
	"os"
	"testing"

	"github.com/segedge/segedge/dataset"
	"github.com/segedge/segedge/testkit"
)

// TestNothingMovesOnDAVIS runs the whole benchmark, from the files to the means, on a real sequence, and compares it with the
// published evaluation of the same masks (testdata/davis.py).
func TestNothingMovesOnDAVIS(t *testing.T) {
	testkit.Long(t)
	videos, err := dataset.Videos(testkit.Shared(t, "data", "davis"))
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile("testdata/davis.json")
	if err != nil {
		t.Fatal(err)
	}
	var want struct{ Still map[string]Score }
	if err := json.Unmarshal(data, &want); err != nil || len(want.Still) != 1 {
		t.Fatalf("%d sequences, %v", len(want.Still), err)
	}
	r, err := Video(t.Context(), VideoOptions{
		Videos: videos, Sequences: []string{"car-shadow"}, Prompt: PromptMask, New: Still(nil),
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, w := range want.Still {
		if got := r.Sequences[name]; math.Abs(got.J-w.J) > 1e-9 || math.Abs(got.F-w.F) > 1e-9 {
			t.Errorf("%s: J %.6f, F %.6f; the published evaluation says %.6f, %.6f", name, got.J, got.F, w.J, w.F)
		}
	}
}
