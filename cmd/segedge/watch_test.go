package main

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/segedge/segedge/testkit"
)

// watching runs a watch until enough is printed, and returns what was.
func watching(t *testing.T, args []string, enough func(stdout, stderr string) bool) (stdout, stderr string) {
	t.Helper()
	var out, errs testkit.Buffer
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan int, 1)
	go func() { ended <- execute(ctx, append([]string{"watch"}, args...), &out, &errs) }()
	deadline := time.Now().Add(30 * time.Second)
	for !enough(out.String(), errs.String()) {
		if time.Now().After(deadline) {
			t.Fatalf("%v: waited in vain: %s%s", args, out.String(), errs.String())
		}
		time.Sleep(10 * time.Millisecond)
	}
	cancel()
	if code := <-ended; code != 0 {
		t.Errorf("%v: exit code %d: %s", args, code, errs.String())
	}
	return out.String(), errs.String()
}

// TestWatchPrintsJSONLines: with --json every line is an object, also the status, by either way.
func TestWatchPrintsJSONLines(t *testing.T) {
	_, ways, _ := newObedient(t)
	for way, flags := range ways {
		stdout, _ := watching(t, append([]string{"status", "info", "state", "objects", "--json"}, flags...), func(stdout, _ string) bool {
			return strings.Contains(stdout, `{"status":"online"}`) && strings.Contains(stdout, `"agent":"box"`) && strings.Count(stdout, `"camera":"camera"`) > 1
		})
		for line := range strings.Lines(stdout) {
			var object map[string]any
			if err := json.Unmarshal([]byte(line), &object); err != nil {
				t.Errorf("%s: %v: %s", way, err, line)
			}
		}
	}
}

// TestWatchOfACameraThatIsNotThere says so, and which there are; over MQTT it waits for it.
func TestWatchOfACameraThatIsNotThere(t *testing.T) {
	_, ways, _ := newObedient(t)
	const says = `the agent has no camera "nope"; there are camera`
	for _, kinds := range []string{"events", "status info"} {
		args := append(append(strings.Fields(kinds), "--camera", "nope"), ways["MQTT"]...)
		stdout, stderr := watching(t, args, func(_, stderr string) bool { return strings.Contains(stderr, says) })
		if strings.Count(stderr, "\n") != 1 || kinds == "events" && stdout != "" {
			t.Errorf("%s: %s%s", kinds, stdout, stderr)
		}
	}
	if code, _, stderr := command(t, append([]string{"watch", "state", "--camera", "nope"}, ways["HTTP"]...)...); code == 0 || !strings.Contains(stderr, says) {
		t.Errorf("over HTTP: %d %s", code, stderr)
	}
	_, stderr := watching(t, append([]string{"objects", "--camera", "camera"}, ways["MQTT"]...), func(stdout, _ string) bool { return stdout != "" })
	if stderr != "" {
		t.Errorf("of a camera that is there: %s", stderr)
	}
	if got, want := noCamera("gait", []string{"door", "yard", "gate"}), `the agent has no camera "gait"; there are gate, `; !strings.HasPrefix(got, want) {
		t.Errorf("%s, want %s first", got, want)
	}
}
