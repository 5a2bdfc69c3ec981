package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A configuration that is wrong stays wrong: the unit does not start the agent again after 78. A file on the command line that does not
// exist is an ordinary failure.
func TestExitCodes(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	state := "--state=" + filepath.Join(dir, "state")
	for _, c := range []struct {
		name string
		args []string
		code int
		said string
	}{
		{"key", []string{"run", state, "--config", write("key.yaml", "http:\n  lisen: x\n")}, 78, "lisen"},
		{"value", []string{"run", state, "--config", write("value.yaml", "log:\n  level: loud\n")}, 78, "log.level"},
		{"open", []string{"run", state, "--config", write("open.yaml", "http:\n  listen: 0.0.0.0:0\n")}, 78, "http.token"},
		{"scheme", []string{"run", state, "--config", write("rstp.yaml", "cameras:\n- name: a\n  source: rstp://h/x\n")}, 78, "rstp"},
		{"file", []string{"run", state, "--listen", "127.0.0.1:0", "--source", filepath.Join(dir, "none.mp4")}, 1, "no such file"},
		{"flag", []string{"run", "--dance"}, 2, "dance"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv("STATE_DIRECTORY", "")
			var out, errs bytes.Buffer
			if code := execute(t.Context(), c.args, &out, &errs); code != c.code || !strings.Contains(errs.String(), c.said) {
				t.Errorf("exit code %d, want %d: %s", code, c.code, errs.String())
			}
		})
	}
}
