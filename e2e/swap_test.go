package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/testkit"
)

// followed is an object as the API lists it.
type followed struct {
	ID    string     `json:"id"`
	Name  string     `json:"name"`
	State string     `json:"state"`
	Box   [4]float64 `json:"box"`
	Area  float64    `json:"area"`
}

// TestModelIsSwappedWhileAnObjectIsFollowed changes the model of a running camera by command, to another one and back: the object keeps its
// id and its mask.
func TestModelIsSwappedWhileAnObjectIsFollowed(t *testing.T) {
	dir := t.TempDir()
	const other = "mobilesam" // a command names a model of the store, and recognises it by its graphs
	give(t, testkit.Shared(t, "models", "default"), filepath.Join(dir, "models", other))
	r := start(t, "--source", still(t), "--state", dir)
	r.await("the first frames", func(s state) bool { return s.Processed > 2 })
	if status, reply := r.post("prompt", `{"points":[{"x":0.5,"y":0.5,"label":1}]}`); status != 200 {
		t.Fatalf("%d %v", status, reply)
	}
	var before followed
	r.await("the object", func(state) bool {
		before = r.object()
		return before.State == "tracking"
	})
	for _, model := range []struct{ name, is string }{{other, other}, {"default", "segedge-tiny"}} {
		if status, reply := r.post("model", `{"name":"`+model.name+`"}`); status != 200 {
			t.Fatalf("%s: %d %v", model.name, status, reply)
		}
		var info struct {
			Model string `json:"model"`
		}
		if r.get("api/v1/info", &info); info.Model != model.is {
			t.Errorf("info says that %q runs, want %q", info.Model, model.is)
		}
		var first uint64
		r.await("two keyframes of "+model.name, func(s state) bool {
			if first == 0 {
				first = s.Keyframes
			}
			after := r.object()
			if after.ID != before.ID || after.State != "tracking" && after.State != "uncertain" {
				t.Fatalf("%s: %+v, was %+v", model.name, after, before)
			}
			return s.Keyframes > first+1
		})
		after := r.object()
		if box(after).IoU(box(before)) < 0.85 || after.Area < before.Area*0.8 || after.Area > before.Area*1.25 {
			t.Errorf("%s: the object is %+v, was %+v", model.name, after, before)
		}
	}
	if status, reply := r.post("model", `{"name":"`+filepath.Join(dir, "models", other)+`"}`); status == 200 {
		t.Errorf("a command named a path of this machine: %v", reply)
	}
}

// TestModelIsSwappedByConfiguration writes another model into the configuration and says so with SIGHUP: the object is followed on, and a
// configuration that is wrong changes nothing.
func TestModelIsSwappedByConfiguration(t *testing.T) {
	config := filepath.Join(t.TempDir(), "segedge.yaml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("model:\n  name: default\n")
	folder := t.TempDir()
	r := start(t, "--source", still(t), "--config", config, "--state", folder)
	r.await("the first frames", func(s state) bool { return s.Processed > 2 })
	if status, reply := r.post("prompt", `{"points":[{"x":0.5,"y":0.5,"label":1}]}`); status != 200 {
		t.Fatalf("%d %v", status, reply)
	}
	var before followed
	r.await("the object", func(state) bool {
		before = r.object()
		return before.State == "tracking"
	})
	for _, c := range []struct{ config, says, model string }{
		{"model:\n  name: " + testkit.Shared(t, "models", "default") + "\n", "the model was changed", "default"},
		{"model:\n  nonsense: 1\n", "is wrong; nothing changes", "default"},
		{"model:\n  name: " + t.TempDir() + "\n", "has no ONNX files", "default"},
		{"model:\n  name: default\n", "model=segedge-tiny", "segedge-tiny"},
	} {
		write(c.config)
		if err := r.cmd.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		var info struct {
			Model string `json:"model"`
		}
		r.await(c.says, func(state) bool { return r.said(c.says) })
		if r.get("api/v1/info", &info); info.Model != c.model {
			t.Errorf("after %q, %s runs", c.says, info.Model)
		}
	}
	// The configuration is what it was, but a command has changed the model since.
	give(t, testkit.Shared(t, "models", "default"), filepath.Join(folder, "models", "mobilesam"))
	if status, reply := r.post("model", `{"name":"mobilesam"}`); status != 200 {
		t.Fatalf("%d %v", status, reply)
	}
	for _, want := range []string{"mobilesam", "segedge-tiny"} {
		r.await(want, func(state) bool {
			var info struct {
				Model string `json:"model"`
			}
			r.get("api/v1/info", &info)
			return info.Model == want
		})
		if err := r.cmd.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
	}
	after := r.object()
	if after.ID != before.ID || box(after).IoU(box(before)) < 0.85 {
		t.Errorf("the object is %+v, was %+v", after, before)
	}
}

// said reports whether the agent has written this to its log.
func (r *running) said(text string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Contains(r.log.String(), text)
}

func box(o followed) seg.Box {
	return seg.Box{X0: o.Box[0], Y0: o.Box[1], X1: o.Box[2], Y1: o.Box[3]}
}

// object is the one object of the camera.
func (r *running) object() followed {
	r.t.Helper()
	var list struct {
		Objects []followed `json:"objects"`
	}
	r.get("api/v1/cameras/camera/objects", &list)
	if len(list.Objects) != 1 {
		r.t.Fatalf("%d objects: %+v", len(list.Objects), list.Objects)
	}
	return list.Objects[0]
}

// give copies the two graphs of a model.
func give(t *testing.T, from, to string) {
	t.Helper()
	if err := os.MkdirAll(to, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"encoder.onnx", "decoder.onnx"} {
		data, err := os.ReadFile(filepath.Join(from, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(to, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// pairs goes from each of n things to each of the others, once, in one way that begins and ends at the first. n is prime.
func pairs(n int) []int {
	var way []int
	for step := 1; step < n; step++ {
		for i := 1; i <= n; i++ {
			way = append(way, i*step%n)
		}
	}
	return way
}

// TestEveryFamilyTakesOverFromEveryOther changes from each family of models to each other one, by command and by configuration, while two objects
// are followed, one of them with a point that not all families take: the agent goes on, the objects keep their ids, and nothing fails.
func TestEveryFamilyTakesOverFromEveryOther(t *testing.T) {
	graphs := func(encoder, decoder string) [2]string {
		fixtures := filepath.Join(root(t), "inference", "testdata", "fixtures")
		return [2]string{filepath.Join(fixtures, encoder), filepath.Join(fixtures, decoder)}
	}
	families := []struct {
		name  string
		files [2]string
	}{
		{"segedge", graphs("segedge/encoder.onnx", "segedge/decoder.onnx")},
		{"sam", graphs("sam/encoder.onnx", "sam/decoder.onnx")},
		{"nanosam", graphs("nanosam/encoder-512.onnx", "nanosam/decoder.onnx")},
		{"sam2", graphs("sam2/encoder.onnx", "sam2/decoder.onnx")},
		{"efficientsam", graphs("efficientsam/encoder.onnx", "efficientsam/decoder.onnx")},
	}
	folder := t.TempDir()
	config := filepath.Join(folder, "segedge.yaml")
	configure := func(files [2]string) {
		text := "model:\n  encoder: " + files[0] + "\n  decoder: " + files[1] + "\n"
		if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	configure(families[0].files)
	r := start(t, "--source", still(t), "--config", config, "--state", folder)
	r.await("the first frames", func(s state) bool { return s.Processed > 2 })
	for _, prompt := range []string{`{"points":[{"x":0.42,"y":0.36,"label":1},{"x":0.9,"y":0.1,"label":0}]}`, `{"points":[{"x":0.57,"y":0.62,"label":1}]}`} {
		if status, reply := r.post("prompt", prompt); status != 200 {
			t.Fatalf("%d %v", status, reply)
		}
	}
	runs := func() (family string) {
		var info struct {
			Family string `json:"family"`
		}
		r.get("api/v1/info", &info)
		return info.Family
	}
	at := families[0].name
	for _, byCommand := range []bool{true, false} {
		for _, k := range pairs(len(families)) {
			next := families[k]
			if byCommand { // a command names a model of the store, and recognises it by its graphs
				giveFiles(t, next.files, filepath.Join(folder, "models", "mobilesam"))
				if status, reply := r.post("model", `{"name":"mobilesam"}`); status != 200 {
					t.Fatalf("%s to %s: %d %v", at, next.name, status, reply)
				}
			} else {
				configure(next.files)
				if err := r.cmd.Process.Signal(syscall.SIGHUP); err != nil {
					t.Fatal(err)
				}
			}
			r.await(next.name, func(state) bool { return runs() == next.name })
			from := r.await("a state", func(state) bool { return true }).Keyframes
			s := r.await("two keyframes of "+next.name+" after "+at, func(s state) bool { return s.Keyframes > from+1 })
			if s.Objects != 2 || s.ModelErrors+s.Refused+s.Panics != 0 {
				t.Fatalf("%s to %s: %+v", at, next.name, s)
			}
			at = next.name
		}
	}
}

// giveFiles puts an encoder and a decoder where a model of the store lies.
func giveFiles(t *testing.T, files [2]string, to string) {
	t.Helper()
	for i, name := range []string{"encoder.onnx", "decoder.onnx"} {
		data, err := os.ReadFile(files[i])
		if err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(to, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(to, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
