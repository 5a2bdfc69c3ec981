package web

import (
	"encoding/json"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

var metricName = regexp.MustCompile(`\b(segedge|process|go)_[a-z0-9_]+\b`)

// known are the names of the metrics of an agent that has done a bit of everything, with those of summaries' parts.
func known(t *testing.T) map[string]bool {
	t.Helper()
	door := newDoor(t, Options{Vitals: someVitals})
	ask(door, "POST", "/api/v1/cameras/cam/clear", "", asJSON)
	names := map[string]bool{}
	for line := range strings.SplitSeq(scrape(t, door), "\n") {
		name, _, _ := strings.Cut(line, " ")
		name, _, _ = strings.Cut(name, "{")
		names[name] = true
	}
	return names
}

// A panel or an alert over a metric that does not exist shows nothing and says nothing.
func TestDashboardAndAlertsNameMetricsThatExist(t *testing.T) {
	names := known(t)
	for _, file := range []string{"../deploy/grafana/segedge.json", "../deploy/prometheus/segedge.rules.yaml", "../deploy/prometheus/segedge.rules_test.yaml"} {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		found := metricName.FindAllString(string(data), -1)
		if len(found) < 5 {
			t.Errorf("%s names %d metrics", file, len(found))
		}
		for _, name := range found {
			if !names[name] {
				t.Errorf("%s: there is no metric %s", file, name)
			}
		}
	}
}

func TestDashboardIsSound(t *testing.T) {
	data, err := os.ReadFile("../deploy/grafana/segedge.json")
	if err != nil {
		t.Fatal(err)
	}
	var board struct {
		Title  string
		Panels []struct {
			ID      int
			Title   string
			GridPos struct{ H, W, X, Y int }
			Targets []struct{ Expr, RefID string }
		}
	}
	if err := json.Unmarshal(data, &board); err != nil {
		t.Fatal(err)
	}
	ids := map[int]bool{}
	for _, p := range board.Panels {
		if ids[p.ID] || p.Title == "" || len(p.Targets) == 0 || p.GridPos.X+p.GridPos.W > 24 {
			t.Errorf("panel %d %q", p.ID, p.Title)
		}
		ids[p.ID] = true
		for _, target := range p.Targets {
			if strings.Count(target.Expr, "(") != strings.Count(target.Expr, ")") || strings.Count(target.Expr, "{") != strings.Count(target.Expr, "}") {
				t.Errorf("panel %q: %s", p.Title, target.Expr)
			}
		}
	}
}

func TestAlertsFireWhenTheyShould(t *testing.T) {
	tool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("SKIPPED: promtool is not installed, so the alert rules were not run")
	}
	for _, args := range [][]string{{"check", "rules", "../deploy/prometheus/segedge.rules.yaml"}, {"test", "rules", "../deploy/prometheus/segedge.rules_test.yaml"}} {
		if out, err := exec.Command(tool, args...).CombinedOutput(); err != nil {
			t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	check := exec.Command(tool, "check", "metrics")
	check.Stdin = strings.NewReader(scrape(t, newDoor(t, Options{Vitals: someVitals})))
	if out, err := check.CombinedOutput(); err != nil {
		t.Errorf("promtool check metrics: %v\n%s", err, out)
	}
}
