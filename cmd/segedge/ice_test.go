package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestCredentials(t *testing.T) {
	for content, ok := range map[string]bool{"joe:se:cret\n": true, "joe": false, ":x": false, "a:b\nc:d": false, "": false} {
		file := filepath.Join(t.TempDir(), "turn")
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		user, password, err := credentials(file)
		if (err == nil) != ok || ok && (user != "joe" || password != "se:cret") {
			t.Errorf("%q: %q, %q, %v", content, user, password, err)
		}
	}
	if _, _, err := credentials(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("a file that is not there was read")
	}
}
