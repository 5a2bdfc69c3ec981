package main

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/segedge/segedge/inference"
)

func TestRequire(t *testing.T) {
	for _, c := range []struct {
		wanted providerName
		info   inference.Info
		ok     bool
	}{
		{"", inference.Info{Provider: "cpu"}, true},
		{"cpu", inference.Info{Provider: "cpu"}, true},
		{"cuda", inference.Info{Provider: "cpu"}, false},
		{"cuda", inference.Info{Provider: "cuda"}, true},
		{"cuda", inference.Info{Provider: "tensorrt"}, true},
		{"cuda", inference.Info{Provider: "remote"}, false},
		{"tensorrt", inference.Info{Provider: "cuda"}, false},
		{"tensorrt", inference.Info{Provider: "cuda", Building: "tensorrt"}, true},
		{"tensorrt", inference.Info{Provider: "cpu", Building: "tensorrt"}, true},
		{"cuda", inference.Info{Provider: "cpu", Building: "tensorrt"}, false},
	} {
		if err := require(c.wanted, c.info); (err == nil) != c.ok {
			t.Errorf("%q of %q, building %q: %v", c.wanted, c.info.Provider, c.info.Building, err)
		}
	}
}

func TestDegraded(t *testing.T) {
	for _, c := range []struct{ configured, runs, want string }{
		{"auto", "cpu", ""}, {"", "cpu", ""}, {"cpu", "cpu", ""}, {"cuda", "cuda", ""},
		{"cuda", "cpu", "NOT ON cuda, which model.provider names, but on cpu: it needs libcuda"},
		{"tensorrt", "cuda", "NOT ON tensorrt, which model.provider names, but on cuda: it needs libcuda"},
	} {
		if got := degraded(c.configured, c.runs, "it needs libcuda"); got != c.want {
			t.Errorf("%q on %q: %q", c.configured, c.runs, got)
		}
	}
}

// TestRunRequiresAProvider: an agent, or a check, that must have CUDA ends with a code of its own and the reason where there is none.
func TestRunRequiresAProvider(t *testing.T) {
	t.Setenv("STATE_DIRECTORY", t.TempDir())
	for _, args := range [][]string{
		{"run", "--source", "synthetic", "--duration", "1s", "--listen", "127.0.0.1:0", "--require-provider", "cuda",
			"--set", "mqtt.embedded=127.0.0.1:0", "--set", "model.provider=cpu"},
		{"models", "check", "--require-provider", "cuda", "--set", "model.provider=cpu"},
	} {
		var out, problem bytes.Buffer
		if code := execute(t.Context(), args, &out, &problem); code != exitProvider {
			t.Errorf("%v: exit code %d: %s", args, code, problem.String())
		}
		if s := problem.String(); !strings.Contains(s, "--require-provider cuda: the model runs on cpu, as configured") {
			t.Errorf("%v: %s", args, s)
		}
	}
	var out, problem bytes.Buffer
	if code := execute(t.Context(), []string{"run", "--require-provider", "gpu"}, &out, &problem); code != exitUsage {
		t.Errorf("a provider that is none: exit code %d: %s", code, problem.String())
	}
}

// TestProvidersAreNamed: in the help and where another is asked for, without a name for none.
func TestProvidersAreNamed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"models", "check", "--help"}, "as good as this: cpu, cuda, tensorrt; without it, the best that works here"},
		{[]string{"run", "--help"}, "as good as this: cpu, cuda, tensorrt; without it, the best that works here"},
		{[]string{"models", "check", "--require-provider", "npu"}, `--require-provider: "npu" is none of cpu, cuda, tensorrt`},
		{[]string{"run", "--require-provider", ""}, `--require-provider: "" is none of cpu, cuda, tensorrt`},
	} {
		var out bytes.Buffer
		execute(t.Context(), c.args, &out, &out)
		if text := strings.Join(strings.Fields(out.String()), " "); !strings.Contains(text, c.want) {
			t.Errorf("%s: %s", c.args, text)
		}
	}
}

// TestDoctorFailsWithoutTheProviderThatIsNamed: it serves all the same, on less than what somebody counts on.
func TestDoctorFailsWithoutTheProviderThatIsNamed(t *testing.T) {
	if _, err := os.Stat("/dev/nvidiactl"); err == nil {
		t.Skip("SKIPPED: this machine has a GPU")
	}
	t.Setenv("STATE_DIRECTORY", t.TempDir())
	for named, fails := range map[string]bool{"cuda": true, "tensorrt": true, "auto": false, "cpu": false} {
		var out, problem bytes.Buffer
		execute(t.Context(), []string{"doctor", "--source", "synthetic", "--set", "model.provider=" + named}, &out, &problem)
		if failed := strings.Contains(out.String(), "NOT ON "+named+", which model.provider names, but on cpu: "); failed != fails {
			t.Errorf("%s: %s", named, out.String())
		}
	}
}
