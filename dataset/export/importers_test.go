package export

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// imported prints, for each object of a CVAT export that Datumaro, the library of CVAT's formats, has read, its IoU with the true bitmap.
const imported = `
import json, sys, logging, numpy as np
logging.disable(logging.CRITICAL)
import datumaro as dm
truth = json.load(open(sys.argv[2]))
data = dm.Dataset.import_from(sys.argv[1], "cvat")
names = data.categories()[dm.AnnotationType.label]
out = {}
for item in data:
    for a in item.annotations:
        name = names[a.label].name
        t, m = np.array(truth[name], dtype=bool), np.array(a.image, dtype=bool)
        out[name] = float((m & t).sum() / max(1, (m | t).sum())) if m.shape == t.shape else -1.0
print(json.dumps(out))
`

// Datumaro, not this project, says what CVAT's masks are.
func TestDatumaroReadsTheSameMasks(t *testing.T) {
	py := pythonWith(t, "datumaro", "numpy")
	masks := shapes(320, 240)
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
	if _, err := Write(filepath.Join(dir, "out"), "cvat", sequenceOf(set(masks))); err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	answer(t, &got, py, imported, filepath.Join(dir, "out"), filepath.Join(dir, "truth.json"))
	if len(got) != len(masks) {
		t.Errorf("%d of %d masks were read", len(got), len(masks))
	}
	for name, iou := range got {
		if iou != 1 {
			t.Errorf("%s: IoU %v, 1 is right", name, iou)
		}
	}
}

// judged prints what Label Studio's own library says of the tasks: how many there are, and what is wrong with any.
const judged = `
import json, sys
from label_studio_sdk.label_interface import LabelInterface
rules = LabelInterface(open(sys.argv[1] + "/config.xml").read())
rules.validate()
tasks = json.load(open(sys.argv[1] + "/tasks.json"))
bad = [t["data"] for t in tasks if not rules.validate_task({"data": t["data"]})]
bad += [a for t in tasks for a in t["annotations"] if not rules.validate_annotation(a)]
print(json.dumps({"tasks": len(tasks), "bad": bad}))
`

// Label Studio's own library takes the tasks, and every annotation by the labelling interface that is written beside them.
func TestLabelStudioTakesTheTasks(t *testing.T) {
	py := pythonWith(t, "label_studio_sdk")
	masks := shapes(320, 240)
	out := filepath.Join(t.TempDir(), "out")
	if _, err := Write(out, "label-studio", sequenceOf(set(masks))); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Tasks int
		Bad   []any
	}
	answer(t, &got, py, judged, out)
	if got.Tasks != len(masks) || len(got.Bad) > 0 {
		t.Errorf("%d tasks of %d; refused: %v", got.Tasks, len(masks), got.Bad)
	}
}

// answer runs a Python program and reads the JSON that it prints.
func answer(t *testing.T, into any, py, program string, args ...string) {
	t.Helper()
	cmd := exec.Command(py, append([]string{"-c", program}, args...)...)
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, said.String())
	}
	if err := json.Unmarshal(out, into); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}
