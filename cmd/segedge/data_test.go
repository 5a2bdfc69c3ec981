package main

import (
	"encoding/json"
	"image"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/segedge/segedge/dataset/collect"
	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/seg"
)

// blind finds no faces.
type blind struct{}

func (blind) Find(*frame.Frame) ([]image.Rectangle, error) { return nil, nil }

// dataOf is a folder with a picture for each age.
func dataOf(t *testing.T, ages ...time.Duration) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "data")
	s, err := collect.Open(dir, collect.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	for _, age := range ages {
		f := frame.New(16, 12)
		f.Captured = time.Now().Add(-age)
		m := seg.NewMask(16, 12, image.Rect(2, 2, 8, 8))
		for i := range m.Bits {
			m.Bits[i] = 1
		}
		sample := collect.Sample{Camera: "yard", Frame: f, Stage: collect.Assisted, Masks: []collect.Mask{{Mask: m, Verdict: collect.Confirmed, Name: "cup"}}}
		if _, err := collect.Keep(s, &sample, []collect.Finder{blind{}}); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestDataIsListedExportedAndErased(t *testing.T) {
	dir := dataOf(t, 50*time.Hour, 3*time.Hour, time.Hour)
	out, problem := said(t, "data", "list", "--dir", dir, "--json")
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	var first dataLine
	if problem != "" || len(lines) != 3 || json.Unmarshal([]byte(lines[0]), &first) != nil || first.Right != 1 || first.Camera != "yard" {
		t.Fatalf("%s %s", out, problem)
	}
	for _, form := range []string{"coco", "coco-polygons", "sa1b", "davis", "mots", "yolo", "label-studio", "cvat"} {
		to := filepath.Join(t.TempDir(), form)
		if out, problem := said(t, "data", "export", "--dir", dir, "--form", form, to); !strings.Contains(string(out), "3 pictures with 3 objects") {
			t.Errorf("%s: %s %s", form, out, problem)
		}
	}
	for _, c := range []struct{ args, want string }{
		{"", "say what to erase"},
		{"--all --camera yard", "--all is everything"},
		{"--since yesterday", "no time such as"},
		{"--camera nowhere", "0 pictures erased"},
		{"--until 48h", "1 pictures erased"},
		{"--since 2h", "1 pictures erased"},
		{"--all", "1 pictures erased"},
	} {
		out, problem := said(t, append([]string{"data", "erase", "--dir", dir}, strings.Fields(c.args)...)...)
		if !strings.Contains(string(out)+problem, c.want) {
			t.Errorf("erase %s: %s %s, want %s", c.args, out, problem, c.want)
		}
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("%d files are left", len(left))
	}
}

func TestMoments(t *testing.T) {
	day := time.Date(2026, 3, 5, 0, 0, 0, 0, time.Local)
	for _, c := range []struct {
		s    string
		end  bool
		want time.Time
	}{
		{"", true, time.Time{}},
		{"2026-03-05", false, day},
		{"2026-03-05", true, day.AddDate(0, 0, 1).Add(-time.Nanosecond)},
		{"2026-03-05T14:30", false, day.Add(14*time.Hour + 30*time.Minute)},
		{"2026-03-05 14:30", true, day.Add(14*time.Hour + 31*time.Minute - time.Nanosecond)},
		{"2026-03-05T14:30:10Z", false, time.Date(2026, 3, 5, 14, 30, 10, 0, time.UTC)},
	} {
		if got, err := moment("--since", c.s, c.end); err != nil || !got.Equal(c.want) {
			t.Errorf("%q: %v, %v, want %v", c.s, got, err, c.want)
		}
	}
	for _, bad := range []string{"yesterday", "-3h", "2026-13-05", "05.03.2026"} {
		if got, err := moment("--since", bad, false); err == nil {
			t.Errorf("%q is %v", bad, got)
		}
	}
}

// Nothing is imported without the cascades: nobody would be blurred.
func TestImportNeedsTheCascades(t *testing.T) {
	dir := dataOf(t, time.Hour)
	to := filepath.Join(t.TempDir(), "to")
	_, problem := said(t, "data", "import", "--dir", to, "--set", "data.cascades="+t.TempDir(), dir)
	if left, _ := os.ReadDir(to); !strings.Contains(problem, "opencv-data") || len(left) != 0 {
		t.Errorf("%q, %d files", problem, len(left))
	}
	cascades := os.Getenv("SEGEDGE_DATA_CASCADES")
	if _, err := os.Stat(filepath.Join(cascades, "haarcascade_profileface.xml")); err != nil {
		t.Skip("SKIPPED: SEGEDGE_DATA_CASCADES names no folder of OpenCV's cascades")
	}
	out, problem := said(t, "data", "import", "--dir", to, "--set", "data.cascades="+cascades, dir)
	if left, _ := os.ReadDir(to); !strings.Contains(string(out), "1 pictures imported") || len(left) != 2 {
		t.Errorf("%s %s, %d files", out, problem, len(left))
	}
}
