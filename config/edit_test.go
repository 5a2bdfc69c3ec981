package config

import (
	"strings"
	"testing"
)

// Settings are changed in the text, and everything else stays as it was written.
func TestEditKeepsEverythingElse(t *testing.T) {
	for name, c := range map[string]struct{ in, key, value, want string }{
		"a value":             {"# mine\nhttp:\n  listen: :80  # the page\nlog:\n  level: info\n", "log.level", `"debug"`, "# mine\nhttp:\n  listen: :80  # the page\nlog:\n  level: \"debug\"\n"},
		"before a comment":    {"log:\n  level: info  # why\n", "log.level", `"warn"`, "log:\n  level: \"warn\"  # why\n"},
		"quoted":              {"log:\n  level: \"a # b\" # why\n", "log.level", `"warn"`, "log:\n  level: \"warn\" # why\n"},
		"without a value":     {"log:\n  level: # why\nvideo:\n  bitrate: 100000\n", "log.level", `"warn"`, "log:\n  level: \"warn\" # why\nvideo:\n  bitrate: 100000\n"},
		"a new key":           {"cameras:\n- name: a # door\n  source: synthetic\n", "cameras.0.fps", "5", "cameras:\n- name: a # door\n  fps: 5\n  source: synthetic\n"},
		"a new section":       {"# mine\nlog:\n  level: info", "video.bitrate", "500000", "# mine\nlog:\n  level: info\nvideo:\n  bitrate: 500000\n"},
		"an empty section":    {"video:\n  # bitrate: 1\nlog:\n  level: info\n", "video.bitrate", "500000", "video:\n  bitrate: 500000\n  # bitrate: 1\nlog:\n  level: info\n"},
		"an empty file":       {"", "log.level", `"warn"`, "log:\n  level: \"warn\"\n"},
		"comments only":       {"# log:\n", "log.level", `"warn"`, "# log:\nlog:\n  level: \"warn\"\n"},
		"a mapping in a line": {"cameras:\n- {name: a, source: synthetic} # door\n", "cameras.0.fps", "5", "cameras:\n- {fps: 5, name: a, source: synthetic} # door\n"},
		"a value in a line":   {"cameras:\n- {name: a, fps: 7, source: synthetic}\n", "cameras.0.fps", "5", "cameras:\n- {name: a, fps: 5, source: synthetic}\n"},
		"beside empty text":   {"model:\n  family: \"\"\n  name: default\n", "model.provider", "cpu", "model:\n  family: \"\"\n  provider: cpu\n  name: default\n"},
		"beside a block":      {"model:\n  family: |\n    a\n  name: default\n", "model.provider", "cpu", "model:\n  family: |\n    a\n  name: default\n  provider: cpu\n"},
		"a list in a line":    {"cameras:\n- name: a\n  source: synthetic\n  prompts: [\"point:0.5,0.5\"] # mug\n", "cameras.0.prompts", "[]", "cameras:\n- name: a\n  source: synthetic\n  prompts: [] # mug\n"},
		"a list below": {"cameras:\n- name: a\n  prompts:\n  - point:0.5,0.5\n  - point:0.1,0.1\n\n  # rate\n  fps: 5\n  source: synthetic\n", "cameras.0.prompts", `["text:cup"]`,
			"cameras:\n- name: a\n  prompts: [\"text:cup\"]\n\n  # rate\n  fps: 5\n  source: synthetic\n"},
		"shapes below": {"cameras:\n- name: a\n  source: synthetic\n  zones:\n    - name: g\n      points: [[0, 0], [1, 0], [1, 1]]\n- name: b\n  source: synthetic\n", "cameras.0.zones", "[]",
			"cameras:\n- name: a\n  source: synthetic\n  zones: []\n- name: b\n  source: synthetic\n"},
		"of the second camera": {"cameras:\n- name: a\n  source: synthetic\n  fps: 1\n- name: b\n  source: synthetic\n  fps: 2\n", "cameras.1.fps", "9", "cameras:\n- name: a\n  source: synthetic\n  fps: 1\n- name: b\n  source: synthetic\n  fps: 9\n"},
	} {
		got, err := Edit([]byte(c.in), map[string]string{c.key: c.value})
		if err != nil || string(got) != c.want {
			t.Errorf("%s: %v\n%s\nwant\n%s", name, err, got, c.want)
			continue
		}
		var after Config
		if err := after.Parse(got); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestEditRefusesWhatItCannotDoSafely(t *testing.T) {
	for in, key := range map[string]string{
		"cameras:\n- &a {name: a, source: synthetic}\n- *a\n": "cameras.1.fps", "log: &l\n  level: info\n": "log.level.x",
		"cameras: [{name: a,\n  source: synthetic}]\n": "cameras.0.nix.x", "log: {level: \"info\n  \"}\n": "log.level", "": "cameras.0.fps", "a: [\n": "log.level",
		"\rlog: {level: info}\n": "log.level", "a: 1\rlog:\n  level: info\n": "log.level", // to YAML, a line ends at \r too
	} {
		if got, err := Edit([]byte(in), map[string]string{key: "1"}); err == nil {
			t.Errorf("%q %s: %s", in, key, got)
		} else if strings.Contains(err.Error(), "panic") {
			t.Error(err)
		}
	}
}

func FuzzEdit(f *testing.F) {
	f.Add("cameras:\n- name: a\n  fps: 1\n", "cameras.0.fps")
	f.Add("log:\n", "log.level")
	f.Fuzz(func(t *testing.T, in, key string) {
		_, _ = Edit([]byte(in), map[string]string{key: "1"})
	})
}
