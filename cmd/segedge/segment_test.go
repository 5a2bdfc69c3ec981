package main

import (
	"encoding/json"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/segedge/segedge/inference/onnx"
	"github.com/segedge/segedge/testkit"
)

// ball is a picture of a red disc in the middle of a grey ground, or with no radius of the ground alone.
func ball(w, h, radius int) *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			c := color.NRGBA{120, 128, 132, 255}
			if dx, dy := x-w/2, y-h/2; dx*dx+dy*dy < radius*radius {
				c = color.NRGBA{200, 50, 40, 255}
			}
			m.SetNRGBA(x, y, c)
		}
	}
	return m
}

func saved(t *testing.T, name string, m image.Image) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := writeFile(path, func(w io.Writer) error {
		if filepath.Ext(name) == ".jpg" {
			return jpeg.Encode(w, m, nil)
		}
		return png.Encode(w, m)
	}); err != nil {
		t.Fatal(err)
	}
	return path
}

// segmented is what segment --json says; it skips where there is no ONNX Runtime.
func segmented(t *testing.T, args ...string) (segmentation, string) {
	t.Helper()
	t.Setenv("STATE_DIRECTORY", t.TempDir())
	out, problem := said(t, append([]string{"segment", "--json", "--set", "model.provider=cpu"}, args...)...)
	if strings.Contains(problem, onnx.ErrNoLibrary.Error()) {
		t.Skipf("SKIPPED: %s", problem)
	}
	var s segmentation
	if err := json.Unmarshal(out, &s); err != nil {
		t.Fatalf("no JSON: %v: %s %s", err, out, problem)
	}
	return s, problem
}

// TestAnOddPictureIsSegmentedWhole: the run lengths have the picture's own size.
func TestAnOddPictureIsSegmentedWhole(t *testing.T) {
	testkit.Long(t)
	s, problem := segmented(t, saved(t, "odd.png", ball(335, 241, 60)), "--point", "0.5,0.5")
	if problem != "" || len(s.Candidates) == 0 || s.Candidates[0].RLE.Size != [2]int{241, 335} {
		t.Errorf("%+v %s", s, problem)
	}
}

// TestNothingFoundIsStillJSON: that nothing was found has an exit code of its own, and a sentence; the JSON says it too.
func TestNothingFoundIsStillJSON(t *testing.T) {
	mask := filepath.Join(t.TempDir(), "m.png")
	s, problem := segmented(t, saved(t, "flat.png", ball(320, 240, 0)), "--point", "0.5,0.5", "--mask", mask)
	if s.Candidates == nil || len(s.Candidates) != 0 || s.Family == "" || !strings.Contains(problem, "nothing was found there: no mask to write") {
		t.Errorf("%+v %s", s, problem)
	}
	if _, err := os.Stat(mask); err == nil {
		t.Error("a mask was written")
	}
	if s, problem = segmented(t, saved(t, "flat.jpg", ball(321, 240, 0)), "--everything"); problem != "nothing was found there" || len(s.Candidates) != 0 {
		t.Errorf("a flat picture has %d objects: %s", len(s.Candidates), problem)
	}
	if code, stdout, _ := command(t, "segment", saved(t, "flat.png", ball(320, 240, 0)), "--point", "0.5,0.5", "--set", "model.provider=cpu"); code != exitNothing || stdout != "" {
		t.Errorf("exit code %d, %s", code, stdout)
	}
}

// TestInspectAFolder takes a folder, both its files, or a name in the state folder; a folder of something else is named.
func TestInspectAFolder(t *testing.T) {
	testkit.Long(t)
	fixtures := filepath.Join("..", "..", "inference", "testdata", "fixtures")
	state := t.TempDir()
	if err := os.CopyFS(filepath.Join(state, "models", "mine"), os.DirFS(filepath.Join(fixtures, "sam2"))); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{filepath.Join(fixtures, "sam2")}, {"mine", "--state", state}} {
		out, problem := said(t, append([]string{"models", "inspect", "--json"}, args...)...)
		var i inspection
		if err := json.Unmarshal(out, &i); err != nil || problem != "" || i.Family != "sam2" || len(i.Files) != 2 {
			t.Fatalf("%v: %s %s, %v", args, out, problem, err)
		}
		roles := []string{i.Files[0].Role, i.Files[1].Role}
		if slices.Sort(roles); !slices.Equal(roles, []string{"decoder", "encoder"}) {
			t.Errorf("%v: roles %v", args, roles)
		}
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "sam.pt"), []byte("PK\x03\x04"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, verb := range []string{"inspect", "check"} {
		if _, problem := said(t, "models", verb, dir); !strings.Contains(problem, "sam.pt is a") || !strings.Contains(problem, "Export it to ONNX") {
			t.Errorf("%s: %s", verb, problem)
		}
	}
}

// TestUnreadPicturesAreNamed on the doors where a picture is read.
func TestUnreadPicturesAreNamed(t *testing.T) {
	testkit.Long(t)
	dir := t.TempDir()
	path := filepath.Join(dir, "IMG_0001.HEIC")
	if err := os.WriteFile(path, []byte("\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"segment", path, "--point", "0.5,0.5"}, {"run", "--source", path, "--state", dir, "--set", "model.provider=cpu", "--listen", "127.0.0.1:0"}, {"run", "--source", dir, "--state", dir, "--set", "model.provider=cpu", "--listen", "127.0.0.1:0"},
	} {
		if _, problem := said(t, args...); !strings.Contains(problem, "HEIC picture") || !strings.Contains(problem, "JPEG or PNG") {
			t.Errorf("%v: %s", args, problem)
		}
	}
}

// TestWordsOutOfTheBox asks the built-in detector: a phrase that it cannot understand is refused with what can be said, and one of which there is
// nothing finds nothing.
func TestWordsOutOfTheBox(t *testing.T) {
	testkit.Long(t)
	picture := saved(t, "ball.png", ball(320, 240, 60))
	if s, problem := segmented(t, picture, "--text", "two dogs"); problem != "nothing was found there" || len(s.Candidates) != 0 {
		t.Errorf("%+v %s", s, problem)
	}
	for phrase, want := range map[string]string{"not a person": "what the thing is not", "the cup behind the table": "behind the table", "bycicle": "closest are bicycle"} {
		if _, problem := said(t, "segment", picture, "--text", phrase, "--set", "model.provider=cpu"); !strings.Contains(problem, want) {
			t.Errorf("%q: %s", phrase, problem)
		}
	}
	if out, problem := said(t, "words"); problem != "" || !strings.Contains(string(out), "\nteddy bear: ") {
		t.Errorf("%s %s", out, problem)
	}
}
