package onnx

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestADriverWithoutAGPUIsASentence asks stand-ins for the driver's library, built here.
func TestADriverWithoutAGPUIsASentence(t *testing.T) {
	const texts = `
int cuGetErrorString(int error, const char **text) { *text = error == 100 ? "no CUDA-capable device is detected" : (const char *)0; return 0; }`
	for name, c := range map[string]struct{ source, want string }{
		"two GPUs": {`int cuInit(unsigned int f) { return 0; } int cuDeviceGetCount(int *n) { *n = 2; return 0; }` + texts, ""},
		"no GPU":   {`int cuInit(unsigned int f) { return 0; } int cuDeviceGetCount(int *n) { *n = 0; return 0; }`, "knows of no GPU"},
		"no device": {`int cuInit(unsigned int f) { return 100; } int cuDeviceGetCount(int *n) { *n = 1; return 0; }` + texts,
			"gives no GPU: no CUDA-capable device is detected (error 100)"},
		"an error without a text": {`int cuInit(unsigned int f) { return 803; } int cuDeviceGetCount(int *n) { return 0; }` + texts, "gives no GPU: error 803"},
		"an old one":              {`int cuInit(unsigned int f) { return 0; } int cuDeviceGetCount(int *n) { return 3; }`, "gives no GPU: error 3"},
		"another library":         {`int nothing;`, "there is no NVIDIA driver here"},
	} {
		t.Run(name, func(t *testing.T) {
			err := needGPU(stub(t, c.source))
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("%v; want %q", err, c.want)
			}
		})
	}
	if err := needGPU("libno-such-driver.so.1"); err == nil || err.Error() != "there is no NVIDIA driver here (libno-such-driver.so.1)" {
		t.Errorf("no library: %v", err)
	}
}

// stub is a shared library of C source.
func stub(t *testing.T, source string) string {
	t.Helper()
	dir := t.TempDir()
	in, out := filepath.Join(dir, "stub.c"), filepath.Join(dir, "stub.so")
	if err := os.WriteFile(in, []byte(source), 0o644); err != nil {
		t.Fatal(err)
	}
	if text, err := exec.Command("cc", "-shared", "-fPIC", "-o", out, in).CombinedOutput(); err != nil {
		t.Skipf("SKIPPED: no stand-in for the driver could be built: %v\n%s", err, text)
	}
	return out
}
