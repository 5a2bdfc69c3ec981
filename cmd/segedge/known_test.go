package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/segedge/segedge/seg"
)

// What a program before this one wrote down (testdata/known-1.state, of the camera below) is understood: the object is there again. What is
// damaged, or of a program to come, is set aside with a sentence, and the agent begins without it.
func TestWhatEarlierProgramsKnew(t *testing.T) {
	before, err := os.ReadFile("testdata/known-1.state")
	if err != nil {
		t.Fatal(err)
	}
	const camera = "cameras:\n- {name: cam, source: \"synthetic:calm\", width: 160, height: 120, fps: 8, prompts: [\"point:0.2,0.5\"]}\n"
	damaged := bytes.Clone(before)
	damaged[len(damaged)-100] ^= 1
	for name, c := range map[string]struct {
		file []byte
		want string // in the log
	}{
		"of an earlier program": {before, ""}, "damaged": {damaged, "it is damaged"}, "cut off": {before[:len(before)/2], "it is damaged"}, "empty": {nil, "it is no state of segedge"},
		"of a program to come": {bytes.Replace(before, []byte(`"version":1`), []byte(`"version":9`), 1), "it is of version 9, and this program knows up to"},
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			if err := os.WriteFile(filepath.Join(folder, "known.state"), c.file, 0o600); err != nil {
				t.Fatal(err)
			}
			l := startAgent(t, camera, "--state", folder)
			l.until("the object", func() bool { return l.state("cam").Objects == 1 })
			aside, _ := filepath.Glob(filepath.Join(folder, "known.state.aside-*"))
			if c.want == "" {
				l.until("it is where it was", func() bool {
					return strings.Contains(l.get("api/v1/cameras/cam/objects"), `"state":"`+seg.Tracking.String())
				})
				if list := l.get("api/v1/cameras/cam/objects"); !strings.Contains(list, `"id":"cam-1"`) || len(aside) > 0 || strings.Contains(l.log.String(), "set aside") {
					t.Errorf("set aside: %v; %s", aside, list)
				}
				return
			}
			kept, err := os.ReadFile(strings.Join(aside, ""))
			if err != nil || !bytes.Equal(kept, c.file) || !strings.Contains(l.log.String(), c.want) {
				t.Errorf("%v is set aside, %v", aside, err)
			}
		})
	}
}
