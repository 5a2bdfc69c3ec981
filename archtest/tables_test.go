package archtest

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// cells are those of a row; a bar behind a backslash divides none.
func cells(row string) int { return strings.Count(row, "|") - strings.Count(row, `\|`) - 1 }

// TestTablesHaveWholeRows: a row of a table has as many cells as its heading; a bar within a cell, in code too, stands behind a backslash.
func TestTablesHaveWholeRows(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../docs/*.md")
	if err != nil || len(files) < 5 {
		t.Fatal(files, err)
	}
	for _, file := range append(files, "../README.md", "../CHANGELOG.md") {
		heading := 0
		for n, line := range strings.Split(read(t, file), "\n") {
			switch {
			case !strings.HasPrefix(line, "|"):
				heading = 0
			case heading == 0:
				heading = cells(line)
			case cells(line) != heading:
				t.Errorf("%s:%d: %d cells under %d headings", file, n+1, cells(line), heading)
			}
		}
	}
}

// TestRowsOfTheGPUReport: what was not run has as many cells as the heading.
func TestRowsOfTheGPUReport(t *testing.T) {
	t.Parallel()
	script := read(t, "../scripts/gpu-report.sh")
	heading := regexp.MustCompile(`"(\| model \|.*\|)"`).FindStringSubmatch(script)
	row := regexp.MustCompile(`"(\| \$1 \| \$3 \| not run.*\|)"`).FindStringSubmatch(script)
	if heading == nil || row == nil || cells(heading[1]) != cells(row[1]) {
		t.Errorf("%q under %q", row, heading)
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
