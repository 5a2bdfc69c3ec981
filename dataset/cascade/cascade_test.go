package cascade

import (
	"errors"
	"image"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/frame/picture"
)

// open loads the cascades of SEGEDGE_DATA_CASCADES or of Debian's package.
func open(t *testing.T) *Finder {
	t.Helper()
	f, err := Open(os.Getenv("SEGEDGE_DATA_CASCADES"))
	if errors.Is(err, ErrMissing) {
		t.Skipf("SKIPPED: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	return f
}

func TestMissingCascadesAreNamed(t *testing.T) {
	dir := t.TempDir()
	if _, err := Open(dir); !errors.Is(err, ErrMissing) || !strings.Contains(err.Error(), "opencv-data") {
		t.Errorf("%v: it does not say what to install", err)
	}
}

// OpenCV ends the process over a cascade that is none, so it never sees one.
func TestDamagedCascadesAreRefused(t *testing.T) {
	for what, text := range map[string]string{
		"empty": "", "empty storage": "<opencv_storage></opencv_storage>", "a web page": "<html><body>404</body></html>", "text": "hello",
		"cut off": "<?xml version=\"1.0\"?><opencv_storage><cascade><stages><_>",
	} {
		dir := t.TempDir()
		for _, d := range detectors {
			if err := os.WriteFile(filepath.Join(dir, d.file), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := Open(dir); err == nil || errors.Is(err, ErrMissing) || !strings.Contains(err.Error(), detectors[0].file) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestNoFaceInNothing(t *testing.T) {
	f := open(t)
	for _, size := range []image.Point{{2, 2}, {31, 7}, {640, 360}, {1500, 900}} {
		pic := frame.New(size.X, size.Y)
		for i := range pic.Pix {
			pic.Pix[i] = byte(i / 3 % size.X * 255 / size.X)
		}
		if found, err := f.Find(pic); err != nil || len(found) > 0 {
			t.Errorf("%v: %v, %v", size, found, err)
		}
	}
}

// TestMisses counts in how many pictures of SEGEDGE_TEST_FACES, each of one face in the middle, none of the finds covers the middle.
func TestMisses(t *testing.T) {
	dir := os.Getenv("SEGEDGE_TEST_FACES")
	if dir == "" {
		t.Skip("SKIPPED: SEGEDGE_TEST_FACES names no folder of pictures with a face in the middle of each")
	}
	f := open(t)
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: %v, %v", dir, files, err)
	}
	missed := 0
	for _, path := range files {
		pic, err := picture.Read(path)
		if err != nil {
			t.Fatal(err)
		}
		found, err := f.Find(pic)
		if err != nil {
			t.Fatal(err)
		}
		covered := false
		for _, r := range found {
			covered = covered || image.Pt(pic.Width/2, pic.Height/2).In(r)
		}
		if !covered {
			missed++
		}
	}
	t.Logf("%s: %d of %d faces missed, %.0f %%", dir, missed, len(files), 100*float64(missed)/float64(len(files)))
}
