package e2e

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/segedge/segedge/inference"
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

// pairs goes from each of n things to each of the others, once, in one way that begins and ends at the first.
func pairs(n int) []int {
	var way []int
	gone := make([]int, n) // to how many of the others, from each
	var walk func(from int)
	walk = func(from int) {
		for gone[from] < n-1 {
			gone[from]++
			walk((from + gone[from]) % n)
		}
		way = append(way, from)
	}
	walk(0)
	slices.Reverse(way)
	return way[1:]
}

// TestPairsAreEachOnce holds what the walk through the families rests on.
func TestPairsAreEachOnce(t *testing.T) {
	const n = 9
	seen, at := map[[2]int]bool{}, 0
	for _, to := range pairs(n) {
		if pair := [2]int{at, to}; seen[pair] || at == to {
			t.Errorf("%v is gone twice, or leads nowhere", pair)
		}
		seen[[2]int{at, to}], at = true, to
	}
	if len(seen) != n*(n-1) || at != 0 {
		t.Errorf("%d pairs, ending at %d", len(seen), at)
	}
}

// swapped are the families and the fixtures of each, by which it is recognised.
var swapped = []struct {
	name   string
	graphs []string
}{
	{"segedge", []string{"segedge/encoder", "segedge/decoder"}},
	{"sam", []string{"sam/encoder", "sam/decoder"}},
	{"sam-raw", []string{"sam-raw/encoder", "sam/decoder"}},
	{"nanosam", []string{"nanosam/encoder-512", "nanosam/decoder"}},
	{"edgesam", []string{"sam/encoder", "edgesam/decoder"}},
	{"efficientsam", []string{"efficientsam/encoder", "efficientsam/decoder"}},
	{"efficientsam-single", []string{"efficientsam-single/model"}},
	{"sam2", []string{"sam2/encoder", "sam2/decoder"}},
	{"sam2-sized", []string{"sam2-sized/encoder", "sam2-sized/decoder"}},
}

// TestEveryFamilyTakesOverFromEveryOther changes from each family of models to each other one by command, and once through all of them by
// configuration, while two objects are followed, one of them with a point that not all families take: the agent goes on, the objects keep
// their ids, and nothing fails. It prints the table of docs/models.md.
func TestEveryFamilyTakesOverFromEveryOther(t *testing.T) {
	if got := len(inference.Families()); got != len(swapped) {
		t.Errorf("%d families, of which %d are changed to", got, len(swapped))
	}
	folder := t.TempDir()
	for _, f := range swapped { // a command names a folder of the state's models, and recognises it by its graphs
		giveFamily(t, f.graphs, filepath.Join(folder, "models", f.name))
	}
	config := filepath.Join(folder, "segedge.yaml")
	configure := func(name string) {
		if err := os.WriteFile(config, []byte("model:\n  name: "+name+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	configure(swapped[0].name)
	r := start(t, "--source", still(t), "--config", config, "--state", folder)
	r.await("the first frames", func(s state) bool { return s.Processed > 2 })
	for _, prompt := range []string{`{"points":[{"x":0.42,"y":0.36,"label":1},{"x":0.9,"y":0.1,"label":0}]}`, `{"points":[{"x":0.57,"y":0.62,"label":1}]}`} {
		if status, reply := r.post("prompt", prompt); status != 200 {
			t.Fatalf("%d %v", status, reply)
		}
	}
	var ids []string
	r.await("both objects", func(s state) bool {
		ids = r.followedIDs()
		return len(ids) == 2
	})
	at, ways := 0, make([][]string, len(swapped))
	for i := range ways {
		ways[i] = slices.Repeat([]string{"–"}, len(swapped))
	}
	settle := func(k int, how string) {
		next := swapped[k].name
		r.await(next, func(state) bool { return r.family() == next })
		from := r.await("a state", func(state) bool { return true }).Keyframes
		s := r.await("two keyframes of "+next+" after "+swapped[at].name, func(s state) bool { return s.Keyframes > from+1 })
		if now := r.followedIDs(); !slices.Equal(now, ids) || s.Objects != 2 || s.ModelErrors+s.Refused+s.Panics != 0 {
			t.Fatalf("%s to %s: objects %v, were %v; %+v", swapped[at].name, next, now, ids, s)
		}
		ways[at][k] = strings.TrimPrefix(ways[at][k]+", "+how, "–, ")
		at = k
	}
	for _, k := range pairs(len(swapped)) {
		if status, reply := r.post("model", `{"name":"`+swapped[k].name+`"}`); status != 200 {
			t.Fatalf("%s to %s: %d %v", swapped[at].name, swapped[k].name, status, reply)
		}
		settle(k, "command")
	}
	for i := range swapped {
		k := (i + 1) % len(swapped)
		configure(swapped[k].name)
		if err := r.cmd.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		settle(k, "SIGHUP")
	}
	if took := r.metric(`segedge_model_load_seconds{provider="cpu"}`); took <= 0 {
		t.Errorf("the model that runs took %g s to load", took)
	}
	t.Log("from each family down to each across\n" + swapTable(ways))
}

// swapTable is the table of the ways that were gone, from the family of a row to that of a column.
func swapTable(ways [][]string) string {
	head, rule := "| from, to |", "| --- |"
	for _, f := range swapped {
		head += " `" + f.name + "` |"
		rule += " --- |"
	}
	lines := []string{head, rule}
	for i, row := range ways {
		lines = append(lines, "| `"+swapped[i].name+"` | "+strings.Join(row, " | ")+" |")
	}
	return strings.Join(lines, "\n")
}

// family is that of the model that runs.
func (r *running) family() string {
	r.t.Helper()
	var info struct {
		Family string `json:"family"`
	}
	r.get("api/v1/info", &info)
	return info.Family
}

// followedIDs are the ids of what the camera follows and has in sight.
func (r *running) followedIDs() []string {
	r.t.Helper()
	var list struct {
		Objects []followed `json:"objects"`
	}
	r.get("api/v1/cameras/camera/objects", &list)
	var out []string
	for _, o := range list.Objects {
		if o.State == "tracking" || o.State == "uncertain" {
			out = append(out, o.ID)
		}
	}
	slices.Sort(out)
	return out
}

// giveFamily puts fixtures where a model of the store lies.
func giveFamily(t *testing.T, graphs []string, to string) {
	t.Helper()
	if err := os.MkdirAll(to, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, g := range graphs {
		from := filepath.Join(root(t), "inference", "testdata", "fixtures", filepath.FromSlash(g)+".onnx")
		if err := os.Symlink(from, filepath.Join(to, filepath.Base(from))); err != nil {
			t.Fatal(err)
		}
	}
}
