package config

import (
	"slices"
	"testing"
)

func TestWhatHasChanged(t *testing.T) {
	a, b := Default(), Default()
	if got := Changed(&a, &b); got != nil {
		t.Errorf("nothing: %v", got)
	}
	b.HTTP.Listen, b.Log.Level, b.HTTP.Tokens = ":1", "debug", []Token{{Name: "x"}}
	b.Cameras = append(slices.Clone(b.Cameras), Camera{Name: "two"})
	if got := Changed(&a, &b); !slices.Equal(got, []string{"http.listen", "http.tokens", "log.level"}) {
		t.Errorf("%v", got)
	}
	one, other := a.Cameras[0], a.Cameras[0]
	other.Zones, other.Prompts = []Shape{{Name: "z"}}, []string{"text:cup"}
	if !one.SameSource(&other) {
		t.Error("zones and prompts are not the source")
	}
	other.FPS = 5
	if one.SameSource(&other) {
		t.Error("another rate is another source")
	}
	if b.Camera("two") == nil || b.Camera("none") != nil {
		t.Error("cameras by name")
	}
}
