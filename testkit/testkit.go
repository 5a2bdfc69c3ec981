// Package testkit is what the tests of several packages need: the folder of test material beside the repository, a word for tests that are
// long, and a buffer for what several goroutines write. For tests only.
package testkit

import (
	"os"
	"path/filepath"
	"testing"
)

// Long leaves a test out under -short, which is how make race runs, so that only make unit runs it: one whose work is long and done by
// one goroutine, or by a browser. The race detector has nothing to see there, and makes it up to ten times as long.
// scripts/test-packages.sh finds its package by this call.
func Long(t testing.TB) {
	t.Helper()
	if testing.Short() {
		t.Skip("long, and nothing for the race detector to see: not under -short")
	}
}

// Shared is a file or folder of the test material: that which SEGEDGE_SHARED names, else the folder shared beside the repository. The
// test is skipped where the first folder of the path is not there.
func Shared(t testing.TB, path ...string) string {
	t.Helper()
	root := os.Getenv("SEGEDGE_SHARED")
	if root == "" {
		root = filepath.Join(Repository(t), "..", "shared")
	}
	if _, err := os.Stat(filepath.Join(append([]string{root}, path[:min(1, len(path))]...)...)); err != nil {
		t.Skipf("SKIPPED: no test material: %v; SEGEDGE_SHARED names another folder", err)
	}
	return filepath.Join(append([]string{root}, path...)...)
}

// Repository is the folder of the repository: the one of this or the nearest folder above that has a go.mod.
func Repository(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("the tests do not run in the repository: no folder above has a go.mod")
		}
		dir = filepath.Dir(dir)
	}
}
