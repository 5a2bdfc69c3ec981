// Package archtest holds the house rules as tests: which package may import which, where C may be called from, and
// that every package says what it is. It has no code of its own.
package archtest

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/segedge/segedge/"

// ranks of the packages: a package imports only packages of a lower rank. A folder that is not named has its parent's rank, and
// may import it and be imported by it.
var ranks = map[string]int{
	"atomicfile": 0, "frame": 0, "seg": 0, "spelling": 0, "supervise": 0, "secret": 0, "testkit": 0, "throttle": 0, "malloc": 0, "thermal": 0, "state": 1,
	"api": 1, "capture": 1, "inference": 1, "overlay": 1, "config": 1, "systemd": 1, "models": 1, "tracker/motion": 1, "zones": 1, "telemetry": 1,
	"capture/opencv": 2, "capture/libav": 2, "inference/onnx": 2, "tracker/lk": 2, "tracker/flow": 2, "tracker/mil": 2, "tracker/nanotrack": 2,
	"grounding": 2, "video": 2, "mqtt": 2, "stream": 2, "web": 2, "dataset": 2, "tracker/shape": 2,
	"tracker/look": 3, "dataset/review": 3, "rtsp": 3, "webhook": 3, "tracker": 4, "pipeline": 5,
	"agent": 6, "offline": 6, "eval": 6, "record": 6, "soak": 6,
	"cmd": 7, "e2e": 7, "archtest": 7,
}

// leaves are the packages that call C, or import what does.
var leaves = []string{
	"capture/opencv", "capture/libav", "inference/onnx", "tracker/flow", "tracker/mil", "video/opencv", "video/openh264", "eval/grabcut", "malloc", "dataset/cascade", "cmd/segedge",
}

// only names the packages that may import a third-party module.
var only = map[string][]string{
	"gocv.io/x/gocv":                      {"capture/opencv", "tracker/flow", "tracker/mil", "video/opencv", "eval/grabcut", "dataset/cascade", "cmd/segedge"},
	"github.com/yalue/onnxruntime_go":     {"inference/onnx"},
	"github.com/eclipse/paho.mqtt.golang": {"mqtt"},
	"github.com/eclipse/paho.golang":      {"mqtt"},
	"github.com/mochi-mqtt/server":        {"mqtt/broker"},
	"github.com/pion/":                    {"stream", "stream/watcher", "video/openh264"},
	"github.com/bluenviron/gortsplib":     {"rtsp"},
	"github.com/alecthomas/kong":          {"cmd/segedge"},
	"github.com/goccy/go-yaml":            {"config"},
	"go.opentelemetry.io/":                {"telemetry"},
}

// pkg is what go list tells of a package.
type pkg struct {
	ImportPath string
	Dir        string
	Doc        string
	Imports    []string
	Standard   bool
	CgoFiles   []string
	GoFiles    []string
	Export     string // file with what it exports, where that was asked for
}

func list(t *testing.T) []pkg {
	t.Helper()
	return listed(t, module+"...")
}

// listed is what go list tells with these arguments.
func listed(t *testing.T, args ...string) []pkg {
	t.Helper()
	args = append([]string{"list", "-json=ImportPath,Dir,Doc,Imports,Standard,CgoFiles,GoFiles,Export"}, args...)
	out, err := exec.Command("go", args...).Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []pkg
	d := json.NewDecoder(strings.NewReader(string(out)))
	for {
		var p pkg
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	if len(all) < 10 {
		t.Fatalf("go list found only %d packages", len(all))
	}
	return all
}

// rank is the rank of the nearest named folder.
func rank(path string) (int, bool) {
	for {
		if r, ok := ranks[path]; ok {
			return r, true
		}
		i := strings.LastIndexByte(path, '/')
		if i < 0 {
			return 0, false
		}
		path = path[:i]
	}
}

func TestImportsGoOneWay(t *testing.T) {
	for _, p := range list(t) {
		from := strings.TrimPrefix(p.ImportPath, module)
		r, ok := rank(from)
		if !ok {
			t.Errorf("package %s has no rank: say in this test where it belongs", from)
			continue
		}
		for _, imp := range p.Imports {
			to, ours := strings.CutPrefix(imp, module)
			if !ours {
				continue
			}
			if to == "config" && !strings.HasPrefix(from, "cmd/") {
				t.Errorf("%s imports config: only the command does", from)
			}
			if tr, _ := rank(to); tr > r || tr == r && !family(from, to) {
				t.Errorf("%s (rank %d) imports %s (rank %d): imports go to lower ranks only", from, r, to, tr)
			}
		}
	}
}

// family reports a child that imports its parent, or a parent that imports its own child (an algorithm kept apart): within one rank both may.
func family(from, to string) bool {
	return strings.HasPrefix(from, to+"/") || strings.HasPrefix(to, from+"/")
}

func TestThirdPartiesStayInTheirRooms(t *testing.T) {
	for _, p := range list(t) {
		from := strings.TrimPrefix(p.ImportPath, module)
		for _, imp := range p.Imports {
			for prefix, rooms := range only {
				if strings.HasPrefix(imp, prefix) && !slices.Contains(rooms, from) {
					t.Errorf("%s imports %s, which belongs in %s", from, imp, strings.Join(rooms, ", "))
				}
			}
			if imp == "C" && !slices.Contains(leaves, from) {
				t.Errorf("%s calls C: only the leaves may", from)
			}
		}
	}
}

func TestEveryPackageSaysWhatItIs(t *testing.T) {
	for _, p := range list(t) {
		if len(p.GoFiles)+len(p.CgoFiles) > 0 && len(p.Doc) < 40 {
			t.Errorf("package %s has no doc comment that says what it is", p.ImportPath)
		}
	}
}

// A clock that jumps, as on a box that starts in 1970 until it hears the time, must not make what is young look old: ages are taken
// between readings that keep Go's monotonic clock, which time.Unix has not.
func TestNoAgeIsTakenFromTheWallClock(t *testing.T) {
	for _, p := range list(t) {
		for _, name := range slices.Concat(p.GoFiles, p.CgoFiles) {
			text, err := os.ReadFile(filepath.Join(p.Dir, name))
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(text), "time.Since(time.Unix") {
				t.Errorf("%s/%s takes an age from the wall clock", p.ImportPath, name)
			}
		}
	}
}

// What testkit.Long leaves out of make race must have nothing for the race detector to see: a pipeline has goroutines all the way through.
func TestPipelinesAreWatchedForRaces(t *testing.T) {
	files, err := filepath.Glob("../pipeline/*_test.go")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "testkit.Long(") {
			t.Errorf("%s keeps a test from the race detector", name)
		}
	}
}
