package onnx

import (
	"errors"
	"image"
	_ "image/jpeg"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/models"
	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/testkit"
)

// shared is the one runtime of these tests: a process has one environment.
var shared = sync.OnceValues(func() (*Runtime, error) { return Open(Options{}) })

func testRuntime(t testing.TB) *Runtime {
	t.Helper()
	rt, err := shared()
	if errors.Is(err, ErrNoLibrary) {
		t.Skipf("SKIPPED, nothing about ONNX Runtime was tested: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return rt
}

func defaultModel(t testing.TB, o SessionOptions) inference.Segmenter {
	t.Helper()
	return defaultModelAs(t, o, inference.Options{Name: models.Name, Provider: inference.CPU})
}

func defaultModelAs(t testing.TB, o SessionOptions, io inference.Options) inference.Segmenter {
	t.Helper()
	s, err := inference.Open(testRuntime(t).Loader(o), "", io,
		inference.File{Name: "encoder", Data: models.Encoder()}, inference.File{Name: "decoder", Data: models.Decoder()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func load(t testing.TB, path string) *frame.Frame {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	im, _, err := image.Decode(file)
	if err != nil {
		t.Fatal(err)
	}
	f := frame.New(im.Bounds().Dx(), im.Bounds().Dy())
	for y := range f.Height {
		for x := range f.Width {
			r, g, b, _ := im.At(x, y).RGBA()
			copy(f.Pix[y*f.Stride()+3*x:], []byte{byte(b >> 8), byte(g >> 8), byte(r >> 8)})
		}
	}
	return f
}

func TestDefaultModelFindsAnObject(t *testing.T) {
	testkit.Long(t)
	s := defaultModel(t, SessionOptions{})
	dir := testkit.Shared(t, "data", "davis")
	images, err := filepath.Glob(filepath.Join(dir, "*", "*", "*", "00000.jpg"))
	if err != nil || len(images) == 0 {
		images, _ = filepath.Glob(filepath.Join(dir, "*", "*", "00000.jpg"))
	}
	if len(images) == 0 {
		t.Fatalf("no first frames under %s", dir)
	}
	for _, path := range images[:1] {
		f := load(t, path)
		e, err := s.Embed(t.Context(), f)
		if err != nil {
			t.Fatal(err)
		}
		box := seg.Box{X0: .3, Y0: .3, X1: .7, Y1: .7}
		a, err := e.Decode(t.Context(), []seg.Prompt{
			{Clicks: []seg.Click{{Point: seg.Point{X: .5, Y: .5}, Label: 1}}}, {Box: &box},
		})
		if err != nil {
			t.Fatal(err)
		}
		for i, p := range a {
			for _, c := range p.Candidates {
				t.Logf("%s prompt %d: area %.3f score %.2f stability %.2f", filepath.Base(filepath.Dir(path)), i,
					c.Logits.Cut(f.Width, f.Height, 0).Area(), c.PredictedIoU, c.Stability)
			}
		}
		if a[0].Best() == nil || a[1].Best() == nil {
			t.Error("no mask")
		}
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestLibraryIsFoundWhereItIsPromised(t *testing.T) {
	has := func(paths ...string) func(string) error {
		return func(p string) error {
			if slices.Contains(paths, p) {
				return nil
			}
			return os.ErrNotExist
		}
	}
	for name, c := range map[string]struct {
		p    place
		want string
	}{
		"variable":       {place{variable: "/opt/x.so", executable: "/a/bin/p", exists: has("/opt/x.so", "/a/lib/segedge/"+libraryName)}, "/opt/x.so"},
		"beside program": {place{executable: "/a/bin/p", working: "/w", exists: has("/a/lib/segedge/"+libraryName, "/w/lib/segedge/"+libraryName)}, "/a/lib/segedge/" + libraryName},
		"working":        {place{executable: "/a/bin/p", working: "/w/deep/er", exists: has("/w/lib/segedge/" + libraryName)}, "/w/lib/segedge/" + libraryName},
		"system":         {place{executable: "/a/bin/p", working: "/w", exists: has()}, libraryName},
	} {
		if got, err := c.p.find(); err != nil || got != c.want {
			t.Errorf("%s: %q, %v; want %q", name, got, err, c.want)
		}
	}
	_, err := place{variable: "/gone.so", exists: has()}.find()
	if err == nil || !strings.Contains(err.Error(), "SEGEDGE_ORT_LIB=/gone.so: no such file") {
		t.Errorf("a variable that names nothing: %v", err)
	}
}
