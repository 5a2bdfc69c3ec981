package agent

import (
	"fmt"
	"reflect"
	"testing"

	"github.com/segedge/segedge/api"
)

// TestZonesAndLinesAreInTheState holds that every door sees what is configured and what was drawn since.
func TestZonesAndLinesAreInTheState(t *testing.T) {
	door := api.Zone{Name: "door", Points: [][2]float64{{0, 0}, {1, 0}, {1, 1}}}
	curb := api.Line{Name: "curb", Points: [][2]float64{{0, 0.5}, {1, 0.5}}}
	r := newRig(t, func(_ *Options, co *CameraOptions) { co.Zones, co.Lines = []api.Zone{door}, []api.Line{curb} })
	want := func(what string, zones []api.Zone, lines []api.Line) {
		t.Helper()
		s, _ := r.State("cam")
		if !reflect.DeepEqual(s.Zones, zones) || !reflect.DeepEqual(s.Lines, lines) {
			t.Errorf("%s: %+v and %+v, want %+v and %+v", what, s.Zones, s.Lines, zones, lines)
		}
	}
	want("from the configuration", []api.Zone{door}, []api.Line{curb})
	r.next(40)
	do := func(verb, body string) api.Code {
		t.Helper()
		if reply := r.do(verb, body); !reply.OK {
			return reply.Error.Code
		}
		return ""
	}
	moved := api.Zone{Name: "door", Points: [][2]float64{{0, 0}, {0.5, 0}, {0.5, 1}}}
	if code := do("zone", `{"name":"door","points":[[0,0],[0.5,0],[0.5,1]]}`); code != "" {
		t.Error(code)
	}
	if code := do("line", `{"name":"kerb","points":[[1,0],[0,1]]}`); code != "" {
		t.Error(code)
	}
	want("after two commands", []api.Zone{moved}, []api.Line{curb, {Name: "kerb", Points: [][2]float64{{1, 0}, {0, 1}}}})
	for _, c := range [][2]string{{"zone", `{"name":"door"}`}, {"line", `{"name":"kerb","points":[]}`}, {"line", `{"name":"never"}`}} {
		if code := do(c[0], c[1]); code != "" {
			t.Error(code)
		}
	}
	want("after the removals", []api.Zone{}, []api.Line{curb})
	for i := range maxShapes {
		if code := do("zone", fmt.Sprintf(`{"name":"z%d","points":[[0,0],[1,0],[1,1]]}`, i)); code != "" {
			t.Fatalf("zone %d: %s", i, code)
		}
	}
	if code := do("zone", `{"name":"one more","points":[[0,0],[1,0],[1,1]]}`); code != api.Overloaded {
		t.Errorf("beyond the bound: %q", code)
	}
	if code := do("zone", `{"name":"z3","points":[[0,0],[1,0],[1,1]]}`); code != "" {
		t.Errorf("one that is replaced: %q", code)
	}
}
