package systemd

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// analyze runs systemd-analyze on the unit, with the GPU drop-in where gpu is set, and with a program that exists in
// place of the installed one.
func analyze(t *testing.T, gpu bool, args ...string) string {
	t.Helper()
	tool, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("SKIPPED: systemd-analyze is not installed, so the unit was not checked")
	}
	dir := t.TempDir()
	unit, err := os.ReadFile("segedge.service")
	if err != nil {
		t.Fatal(err)
	}
	here := strings.Replace(string(unit), "/usr/local/bin/segedge", "/bin/true", 1)
	write(t, filepath.Join(dir, "segedge.service"), here)
	if gpu {
		drop, err := os.ReadFile("segedge-gpu.conf")
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, "segedge.service.d", "gpu.conf"), string(drop))
	}
	cmd := exec.Command(tool, append(args, filepath.Join(dir, "segedge.service"))...)
	cmd.Env = append(os.Environ(), "SYSTEMD_UNIT_PATH="+dir+":")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("systemd-analyze %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestUnitIsCorrect(t *testing.T) {
	for _, gpu := range []bool{false, true} {
		out := analyze(t, gpu, "verify", "--recursive-errors=no", "--man=no")
		for line := range strings.SplitSeq(out, "\n") {
			if strings.Contains(line, "segedge") {
				t.Errorf("with GPU drop-in %t: %s", gpu, line)
			}
		}
	}
}

// A minimal Debian has no /bin/kill: what the unit runs must be there.
func TestUnitRunsNothingThatMayBeMissing(t *testing.T) {
	unit, err := os.ReadFile("segedge.service")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.SplitSeq(string(unit), "\n") {
		key, value, _ := strings.Cut(line, "=")
		if program, _, _ := strings.Cut(
			value,
			" ",
		); strings.HasPrefix(key, "Exec") && program != "/usr/local/bin/segedge" &&
			program != "/bin/sh" {
			t.Errorf("%s needs %s", key, program)
		}
	}
}

// TestUnitIsHardened holds the exposure (0 best, 10 worst): at most 2.0, and 3.0 with a GPU.
func TestUnitIsHardened(t *testing.T) {
	analyze(t, false, "security", "--offline=true", "--threshold=20")
	out := strings.TrimSpace(analyze(t, true, "security", "--offline=true", "--threshold=30"))
	t.Log(out[strings.LastIndexByte(out, '\n')+1:])
}

func TestUnitSaysWhatTheAgentNeeds(t *testing.T) {
	unit, err := os.ReadFile("segedge.service")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"Type=notify", "WatchdogSec=", "ExecStart=/usr/local/bin/segedge run --config /etc/segedge/segedge.yaml", "User=segedge",
		"StateDirectory=segedge", "EnvironmentFile=-/etc/segedge/segedge.env", "Restart=on-failure", "StartLimitIntervalSec=0", "RestartPreventExitStatus=78", "DevicePolicy=closed", "WantedBy=multi-user.target",
	} {
		if !strings.Contains(string(unit), "\n"+want) {
			t.Errorf("the unit lacks %s", want)
		}
	}
}

// The configuration holds passwords: nobody but the service reads it.
func TestTheConfigurationIsTheServicesOwn(t *testing.T) {
	text, err := os.ReadFile("segedge.tmpfiles")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), "\nd /etc/segedge 0750 segedge segedge") {
		t.Error("the folder is not the service's")
	}
	for file, want := range map[string]string{"../packaging/postinstall.sh": "install -m 640 -o segedge -g segedge /usr/share/segedge/segedge.yaml", "../Makefile": "chown -R segedge:segedge /etc/segedge"} {
		if text, err := os.ReadFile(file); err != nil || !strings.Contains(string(text), want) {
			t.Errorf("%s does not give the file to the service: %v", file, err)
		}
	}
}

// The folder is the service's, and what stands in it may be a link that the service has put there: root gives nothing in it away.
func TestRootFollowsNothingOfTheServices(t *testing.T) {
	text, err := os.ReadFile("../packaging/postinstall.sh")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.SplitSeq(string(text), "\n") {
		if what := strings.TrimSpace(line); strings.HasPrefix(what, "ch") && what != "chown segedge:segedge /etc/segedge" {
			t.Errorf("the package's script changes more than the folder: %s", what)
		}
	}
}
