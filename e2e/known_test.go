package e2e

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestObjectsOutliveTheProcess ends the agent with SIGTERM and with SIGKILL: each time the object is there again under its id and name, on the
// same thing, and a new one gets an id that none has had.
func TestObjectsOutliveTheProcess(t *testing.T) {
	folder, source := t.TempDir(), still(t)
	r := start(t, "--source", source, "--state", folder)
	r.await("the first frames", func(s state) bool { return s.Processed > 2 })
	if status, reply := r.post("prompt", `{"name":"brick","points":[{"x":0.5,"y":0.5,"label":1}]}`); status != 200 {
		t.Fatalf("%d %v", status, reply)
	}
	var before followed
	r.await("the object", func(state) bool {
		before = r.object()
		return before.State == "tracking"
	})
	known := filepath.Join(folder, "known.state")
	written := func() time.Time {
		st, err := os.Stat(known)
		if err != nil {
			return time.Time{}
		}
		return st.ModTime()
	}
	r.await("what is known on disk", func(state) bool { return !written().IsZero() })
	for _, end := range []string{"kill", "stop", "kill"} {
		if end == "kill" {
			r.kill()
		} else {
			r.stop()
		}
		r = start(t, "--source", source, "--state", folder)
		var after followed
		r.await("the object after "+end, func(s state) bool {
			if s.Objects == 0 {
				return false
			}
			after = r.object()
			return after.State == "tracking"
		})
		if after.ID != before.ID || after.Name != "brick" || box(after).IoU(box(before)) < 0.85 {
			t.Errorf("after %s: %+v, was %+v", end, after, before)
		}
	}
	_, reply := r.post("prompt", `{"points":[{"x":0.1,"y":0.1,"label":1}]}`)
	result, _ := reply["result"].(map[string]any)
	if id, _ := result["object"].(string); id == before.ID || id == "" {
		t.Errorf("a new object is called %q: %v", id, reply)
	}
}
