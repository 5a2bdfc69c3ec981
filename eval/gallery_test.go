package eval

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/jpeg"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/segedge/segedge/dataset"
	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/inference/inferencetest"
	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/testkit"
)

// list writes a list of clicks.
func list(t *testing.T, dir, text string) string {
	t.Helper()
	path := filepath.Join(dir, "clicks.txt")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestShotsAreRead(t *testing.T) {
	dir := t.TempDir()
	shots, err := ReadShots(list(t, dir, "# where to click\n\n cat.jpg   0.5,0.25\ndog.png 0,1\n"))
	want := []Shot{{filepath.Join(dir, "cat.jpg"), seg.Point{X: 0.5, Y: 0.25}}, {filepath.Join(dir, "dog.png"), seg.Point{Y: 1}}}
	if err != nil || len(shots) != 2 || shots[0] != want[0] || shots[1] != want[1] {
		t.Errorf("%+v, %v", shots, err)
	}
	for text, part := range map[string]string{
		"cat.jpg":         "line 1",
		"\ncat.jpg 0.5":   "line 2",
		"cat.jpg 1.5,0":   "from 0 to 1",
		"cat.jpg NaN,0":   "line 1",
		"# nothing\n":     "no picture",
		"cat.jpg one,two": "line 1",
	} {
		if _, err := ReadShots(list(t, dir, text)); err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%q: %v, want %q", text, err, part)
		}
	}
	if _, err := ReadShots(filepath.Join(dir, "none.txt")); err == nil {
		t.Error("a list that is not there")
	}
}

func TestGallery(t *testing.T) {
	testkit.Long(t)
	dir := t.TempDir()
	f, _ := scene(0, mover{image.Rect(40, 30, 100, 90), 0, 0, red})
	var shots []Shot
	for _, name := range []string{"a", "b", "c", "d", "e", "f", "g", "h", "i"} {
		path := filepath.Join(dir, name+".jpg")
		create(t, path, func(w *os.File) error { return dataset.EncodeJPEG(w, f, 95) })
		shots = append(shots, Shot{path, seg.Point{X: 0.4, Y: 0.5}})
	}
	done := 0
	model := inferencetest.New(inferencetest.Options{Tolerance: 40})
	g, err := Click(t.Context(), model, shots, func(n int) { done = n })
	if err != nil || done != len(shots) || model.Live() != 0 {
		t.Fatalf("%d pictures, %d embeddings open, %v", done, model.Live(), err)
	}
	if got := g.tiles[2]; got.label != "c" || got.mask.IoU(square(sceneW, sceneH, image.Rect(40, 30, 100, 90))) < 0.9 {
		t.Errorf("%+v", got)
	}
	var b bytes.Buffer
	if err := g.JPEG(&b); err != nil {
		t.Fatal(err)
	}
	// Seven pictures of 160 and their gaps fit into 1240.
	img, err := jpeg.Decode(&b)
	if err != nil || img.Bounds() != image.Rect(0, 0, 7*sceneW+6*gap, 2*sceneH+gap) {
		t.Errorf("%v, %v", img.Bounds(), err)
	}
}

func TestGalleryFails(t *testing.T) {
	f, _ := scene(0)
	path := filepath.Join(t.TempDir(), "a.jpg")
	create(t, path, func(w *os.File) error { return dataset.EncodeJPEG(w, f, 95) })
	nothing := inferencetest.New(inferencetest.Options{Answer: func(seg.Prompt, seg.Prediction) seg.Prediction { return seg.Prediction{} }})
	g, err := Click(t.Context(), nothing, []Shot{{path, seg.Point{}}}, nil)
	if err != nil || g.tiles[0].mask != nil {
		t.Fatalf("a model that finds nothing: %v", err)
	}
	if err := g.JPEG(&bytes.Buffer{}); err != nil {
		t.Error(err)
	}
	blind := inferencetest.New(inferencetest.Options{Embed: func(context.Context, *frame.Frame) error { return errors.New("blind") }})
	for want, shot := range map[string]Shot{"none.jpg": {"none.jpg", seg.Point{}}, "a.jpg: embed: blind": {path, seg.Point{}}} {
		if _, err := Click(t.Context(), blind, []Shot{shot}, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
