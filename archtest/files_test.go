package archtest

import (
	"bytes"
	"go/ast"
	"go/build"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestCallsGoDownInTheTracker: the files of each of the tracker's packages can be put in an order in which each uses only what stands below it.
// Where two files use each other, to read the one is to read both.
func TestCallsGoDownInTheTracker(t *testing.T) {
	exports, ours := map[string]string{}, []pkg(nil)
	for _, p := range listed(t, "-e", "-export", "-deps", module+"tracker/...") {
		exports[p.ImportPath] = p.Export
		if strings.HasPrefix(p.ImportPath, module+"tracker") {
			ours = append(ours, p)
		}
	}
	if len(ours) < 5 {
		t.Fatalf("%d packages", len(ours))
	}
	for _, p := range ours {
		if !build.Default.CgoEnabled && slices.ContainsFunc(p.Imports, func(path string) bool { return exports[path] == "" }) {
			continue // a leaf that calls C
		}
		if ring := ringOf(usesOf(t, &p, exports)); len(ring) > 0 {
			t.Errorf("%s: %s use each other: move what the lower one needs", p.ImportPath, strings.Join(ring, ", "))
		}
	}
}

// usesOf are the files that each file of a package uses something of.
func usesOf(t *testing.T, p *pkg, exports map[string]string) map[string][]string {
	t.Helper()
	fset := token.NewFileSet()
	var files []*ast.File
	for _, name := range p.GoFiles {
		f, err := parser.ParseFile(fset, filepath.Join(p.Dir, name), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	find := func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) }
	info := &types.Info{Uses: map[*ast.Ident]types.Object{}}
	conf := types.Config{Importer: importer.ForCompiler(fset, "gc", find), FakeImportC: true}
	checked, err := conf.Check(p.ImportPath, fset, files, info)
	if err != nil {
		t.Fatal(err)
	}
	uses := map[string][]string{}
	name := func(at token.Pos) string { return filepath.Base(fset.Position(at).Filename) }
	for id, of := range info.Uses {
		_, method := of.(*types.Func)
		from, to := name(id.Pos()), name(of.Pos())
		if of.Pkg() == checked && (method || of.Parent() == checked.Scope()) && from != to && !slices.Contains(uses[from], to) {
			uses[from] = append(uses[from], to)
		}
	}
	return uses
}

// ringOf takes away what uses nothing that is left, until nothing or a ring is left.
func ringOf(uses map[string][]string) (ring []string) {
	for {
		before := len(uses)
		for file, below := range uses {
			if below = slices.DeleteFunc(below, func(f string) bool { return uses[f] == nil }); len(below) == 0 {
				delete(uses, file)
			} else {
				uses[file] = below
			}
		}
		if len(uses) == before {
			break
		}
	}
	for file := range uses {
		ring = append(ring, file)
	}
	slices.Sort(ring)
	return ring
}

// longest is how many lines a file of code has at most: one idea a file.
const longest = 350

func TestFilesAreShort(t *testing.T) {
	err := filepath.WalkDir("..", func(path string, d os.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && slices.Contains([]string{"build", "testdata", ".git", "lib", "bin"}, d.Name()):
			return filepath.SkipDir
		case !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		text, err := os.ReadFile(path)
		if n := bytes.Count(text, []byte("\n")); n > longest {
			t.Errorf("%s has %d lines, and may have %d: each file is one idea", path, n, longest)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// mostFields is how many fields the tracker has at most: what more of them would hold has a room of its own.
const mostFields = 12

func TestTheTrackerIsSmall(t *testing.T) {
	f, err := parser.ParseFile(token.NewFileSet(), "../tracker/tracker.go", nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	ast.Inspect(f, func(node ast.Node) bool {
		spec, ok := node.(*ast.TypeSpec)
		if ok && spec.Name.Name == "Tracker" {
			n = spec.Type.(*ast.StructType).Fields.NumFields()
		}
		return true
	})
	if n == 0 || n > mostFields {
		t.Errorf("the tracker has %d fields, and may have %d", n, mostFields)
	}
}
