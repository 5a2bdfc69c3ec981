package e2e

import (
	"path/filepath"
	"testing"
)

// TestACameraFollowsByMemory has the agent follow two things by a video model's memory, corrects one, ends it, and changes to the built-in
// model and back: how many objects are remembered is counted, and the other one keeps its id and its mask.
func TestACameraFollowsByMemory(t *testing.T) {
	dir := t.TempDir()
	const model = "remembers"
	giveFamily(t, []string{
		"sam2-video/image_encoder", "sam2-video/memory_attention", "sam2-video/mask_decoder", "sam2-video/memory_encoder",
	}, filepath.Join(dir, "models", model))
	r := start(t, "--source", still(t), "--state", dir, "--set", "model.name="+model)
	r.await("the first frames", func(s state) bool { return s.Processed > 2 })
	for _, prompt := range []string{`{"points":[{"x":0.42,"y":0.36,"label":1}]}`, `{"points":[{"x":0.57,"y":0.62,"label":1}]}`} {
		if status, reply := r.post("prompt", prompt); status != 200 {
			t.Fatalf("%d %v", status, reply)
		}
	}
	remembered := func(n float64) {
		t.Helper()
		from := r.await("a state", func(state) bool { return true }).Keyframes
		s := r.await("keyframes", func(s state) bool { return s.Keyframes > from+3 })
		if s.ModelErrors+s.Refused+s.Panics != 0 {
			t.Fatalf("%+v", s)
		}
		r.await("a memory", func(state) bool { return r.metric(`segedge_objects_remembered{camera="camera"}`) == n })
		if bytes := r.metric(`segedge_memory_bytes{camera="camera"}`); (bytes > 0) != (n > 0) {
			t.Errorf("%v bytes are remembered of %v objects", bytes, n)
		}
	}
	remembered(2)
	ids := r.followedIDs()
	if len(ids) != 2 {
		t.Fatal(ids)
	}
	if status, reply := r.post("prompt", `{"object":"`+ids[0]+`","points":[{"x":0.45,"y":0.4,"label":1}]}`); status != 200 {
		t.Fatalf("%d %v", status, reply)
	}
	remembered(2)
	if status, reply := r.post("remove", `{"object":"`+ids[1]+`"}`); status != 200 {
		t.Fatalf("%d %v", status, reply)
	}
	remembered(1)
	before := r.object()
	for _, c := range []struct {
		name, family string
		remembers    float64
	}{{"default", "segedge", 0}, {model, "sam2-video", 1}} {
		if status, reply := r.post("model", `{"name":"`+c.name+`"}`); status != 200 {
			t.Fatalf("%s: %d %v", c.name, status, reply)
		}
		r.await(c.family, func(state) bool { return r.family() == c.family })
		remembered(c.remembers)
		if after := r.object(); after.ID != before.ID || after.State != "tracking" && after.State != "uncertain" {
			t.Errorf("%s: the object is %+v, was %+v", c.name, after, before)
		}
	}
}
