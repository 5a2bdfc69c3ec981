package testkit

import (
	"os"
	"path/filepath"
	"testing"
)

func TestSharedIsWhereItIsSaid(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "data"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SEGEDGE_SHARED", dir)
	if got, want := Shared(t, "data", "clips"), filepath.Join(dir, "data", "clips"); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got := Shared(t); got != dir {
		t.Errorf("%s, want %s", got, dir)
	}
	if !skips(t, func(t *testing.T) { Shared(t, "models") }) {
		t.Error("a folder that is not there skips no test")
	}
}

func TestTheRepositoryIsAboveItsPackages(t *testing.T) {
	if _, err := os.Stat(filepath.Join(Repository(t), "testkit", "testkit.go")); err != nil {
		t.Error(err)
	}
}

func TestLongTestsAreLeftOutWhereTheyAreShort(t *testing.T) {
	if got := skips(t, func(t *testing.T) { Long(t) }); got != testing.Short() {
		t.Errorf("left out: %v; short: %v", got, testing.Short())
	}
}

// skips reports whether a test skips itself.
func skips(t *testing.T, test func(t *testing.T)) (skipped bool) {
	t.Run("inner", func(t *testing.T) {
		defer func() { skipped = t.Skipped() }()
		test(t)
	})
	return skipped
}
