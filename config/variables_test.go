package config

import (
	"cmp"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	quotedVariable = regexp.MustCompile(`"(SEGEDGE_[A-Z0-9_]+)"`)
	readVariable   = regexp.MustCompile(`(?:Getenv|LookupEnv|python\(t,) ?\(?"(SEGEDGE_[A-Z0-9_]+)"`) // tests also name some that are wrong
	setVariable    = regexp.MustCompile(`export (SEGEDGE_[A-Z0-9_]+)`)
)

// TestEveryVariableReadIsKnown: one that the code reads, or a script sets, may be in the environment of any command.
func TestEveryVariableReadIsKnown(t *testing.T) {
	t.Parallel()
	found := map[string]string{}
	err := filepath.WalkDir("..", func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() && (e.Name() == ".git" || e.Name() == "build") {
			return cmp.Or(err, filepath.SkipDir)
		}
		if pattern := variablesOf(e.Name()); pattern != nil {
			data, err := os.ReadFile(path)
			for _, m := range pattern.FindAllSubmatch(data, -1) {
				found[string(m[1])] = path
			}
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, path := range found {
		if _, err := Load("", []string{name + "=1"}, nil); err != nil && strings.Contains(err.Error(), errUnknownKey.Error()) {
			t.Errorf("%s reads or sets %s, which is refused: put it into the list of variables", path, name)
		}
	}
	if len(found) < len(variables) {
		t.Errorf("only %d variables found: %v", len(found), found)
	}
}

// variablesOf is how a file that is called so names the variables that it reads; nil where it is not looked at.
func variablesOf(name string) *regexp.Regexp {
	switch {
	case strings.HasSuffix(name, "_test.go"):
		return readVariable
	case strings.HasSuffix(name, ".go"):
		return quotedVariable
	case strings.HasSuffix(name, ".sh"):
		return setVariable
	}
	return nil
}

// TestVariablesHaveAUse: each is told of once, and is no setting.
func TestVariablesHaveAUse(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, v := range variables {
		if v.use == "" || seen[v.name] {
			t.Errorf("%s: said %t before, for %q", v.name, seen[v.name], v.use)
		}
		seen[v.name] = true
		if _, err := Load("", []string{envPrefix + v.name + "=1"}, nil); err != nil {
			t.Errorf("%s: %v", v.name, err)
		}
	}
}
