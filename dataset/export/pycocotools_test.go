package export

import (
	"bytes"
	"encoding/json"
	"image/color"
	"image/jpeg"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"image"

	"github.com/segedge/segedge/seg"
)

func jpegOf(t *testing.T, w, h int) []byte {
	t.Helper()
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	for i := range w * h {
		m.Set(i%w, i/w, color.RGBA{R: uint8(i), G: 90, B: 30, A: 255})
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, m, nil); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// pythonWith is a Python with some modules: SEGEDGE_TEST_PYTHON, else python3.
func pythonWith(t *testing.T, modules ...string) string {
	t.Helper()
	path := os.Getenv("SEGEDGE_TEST_PYTHON")
	if path == "" {
		path = "python3"
	}
	if out, err := exec.Command(path, "-c", "import "+strings.Join(modules, ", ")).CombinedOutput(); err != nil {
		t.Skipf("SKIPPED: %s has no %s, or there is none (SEGEDGE_TEST_PYTHON names one): %v: %.200s", path, modules[0], err, out)
	}
	return path
}

// asked is what pycocotools makes of the annotations: for each its IoU with the true bitmap.
const asked = `
import json, sys, numpy as np
from pycocotools.coco import COCO
import contextlib, io
truth = json.load(open(sys.argv[2]))
with contextlib.redirect_stdout(io.StringIO()):
    c = COCO(sys.argv[1])
out = {}
for a in c.loadAnns(c.getAnnIds()):
    name = c.cats[a["category_id"]]["name"]
    t = np.array(truth[name], dtype=bool)
    m = c.annToMask(a).astype(bool)
    out[name] = [float((m & t).sum() / max(1, (m | t).sum())), float(a["area"]), float(t.sum()), c.imgs[a["image_id"]]["file_name"]]
print(json.dumps(out))
`

// pycocotools, not this project, says what the exported annotations are.
func TestPycocotoolsReadsTheSameMasks(t *testing.T) {
	py := pythonWith(t, "pycocotools.coco", "numpy")
	masks := shapes(320, 240)
	for name, m := range shapes(64, 48) {
		masks["small "+name] = m
	}
	truth := map[string][][]int{}
	for name, m := range masks {
		truth[name] = bitmap(m)
	}
	data, err := json.Marshal(truth)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "truth.json"), data, 0o600); err != nil {
		t.Fatal(err)
	}
	for form, least := range map[string]float64{"coco": 1, "coco-polygons": 0.99} {
		out := filepath.Join(dir, form)
		if _, err := Write(out, form, sequenceOf(set(masks))); err != nil {
			t.Fatal(err)
		}
		var got map[string][4]any
		answer(t, &got, py, asked, filepath.Join(out, "instances.json"), filepath.Join(dir, "truth.json"))
		if len(got) != len(masks) {
			t.Fatalf("%d of %d masks were read", len(got), len(masks))
		}
		for name, v := range got {
			if v[0].(float64) < least || v[1] != v[2] {
				t.Errorf("%s, %s: IoU %v, at least %v is right; area %v of %v", form, name, v[0], least, v[1], v[2])
			}
		}
	}
}

func bitmap(m *seg.Mask) [][]int {
	out := make([][]int, m.H)
	for y := range out {
		out[y] = make([]int, m.W)
		for x := range out[y] {
			out[y][x] = int(m.At(x, y))
		}
	}
	return out
}
