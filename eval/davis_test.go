package eval

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/segedge/segedge/dataset"
)

// sharedData is a folder of the data beside the repository.
func sharedData(t *testing.T, elem ...string) string {
	t.Helper()
	root := os.Getenv("SEGEDGE_SHARED")
	for dir, _ := os.Getwd(); root == "" && dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if st, err := os.Stat(filepath.Join(filepath.Dir(dir), "shared", "data")); err == nil && st.IsDir() {
			root = filepath.Join(filepath.Dir(dir), "shared")
		}
	}
	if root == "" {
		t.Skip("SKIPPED: no shared/data beside the repository, and SEGEDGE_SHARED is not set")
	}
	return filepath.Join(append([]string{root, "data"}, elem...)...)
}

// TestNothingMovesOnDAVIS runs the whole benchmark, from the files to the means, on a real sequence, and compares it with the
// published evaluation of the same masks (testdata/davis.py).
func TestNothingMovesOnDAVIS(t *testing.T) {
	videos, err := dataset.Videos(sharedData(t, "davis"))
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
