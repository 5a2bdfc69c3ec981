package remote

import (
	"bytes"
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/inference/known"
)

// python is an interpreter that has a package, named by an environment variable.
func python(t *testing.T, variable, packages string) string {
	t.Helper()
	path := os.Getenv(variable)
	if path == "" {
		t.Skipf("SKIPPED: set %s to a Python with %s; this server was not tried", variable, packages)
	}
	return path
}

// freePort is a port that nobody listens on now.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// launch starts a server for the time of the test.
func launch(t *testing.T, dir, name string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...) //nolint:gosec // the interpreter that was named for it
	cmd.Dir = dir
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 20 * time.Second
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		<-ended
		if t.Failed() {
			t.Logf("%s said: %s", name, log.String()[max(0, log.Len()-3000):])
		}
	})
}

// graphsOf are the default model's files.
func graphsOf(t *testing.T) (encoder, decoder string) {
	t.Helper()
	dir, err := filepath.Abs("../../models/default")
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "encoder.onnx"), filepath.Join(dir, "decoder.onnx")
}

// proveAt asks the model known pictures that a server runs, as soon as it does.
func proveAt(t *testing.T, address string, p Parts) {
	t.Helper()
	s, err := New(Options{Address: address, Timeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for deadline := time.Now().Add(3 * time.Minute); ; {
		if err = s.Ready(t.Context(), p.Encoder); err == nil {
			err = s.Ready(t.Context(), p.Decoder)
		}
		if err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s does not come up: %v", address, err)
		}
		time.Sleep(time.Second)
	}
	m, err := s.Open(t.Context(), p, inference.Options{Name: "there"})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	answers, err := known.Ask(t.Context(), m, known.Quick(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range answers {
		if !a.Right() {
			t.Errorf("%s: %s: IoU %.2f", address, a.Name, a.IoU)
		}
	}
	tr := s.Traffic()
	t.Logf("%s, JPEG %v: %d known pictures right; %d calls, %d KiB there, %d KiB back", address, p.JPEG, len(answers), tr.Calls, tr.Sent>>10, tr.Received>>10)
}

// TestKServe runs the default model on KServe's Python server: HTTP with binary tensors and gRPC, the picture raw and as JPEG.
func TestKServe(t *testing.T) {
	interpreter := python(t, "SEGEDGE_KSERVE_PYTHON", "kserve, onnxruntime and pillow")
	encoder, decoder := graphsOf(t)
	script, err := filepath.Abs("testdata/kserve_server.py")
	if err != nil {
		t.Fatal(err)
	}
	http, grpc := freePort(t), freePort(t)
	launch(t, t.TempDir(), interpreter, script, "--http_port", http, "--grpc_port", grpc,
		"enc="+encoder, "enc-jpeg="+encoder, "dec="+decoder)
	for _, address := range []string{"http://127.0.0.1:" + http, "grpc://127.0.0.1:" + grpc} {
		for _, jpeg := range []bool{false, true} {
			p := Parts{Encoder: Model{Name: "enc"}, Decoder: Model{Name: "dec"}, JPEG: jpeg}
			if jpeg {
				p.Encoder.Name = "enc-jpeg"
			}
			proveAt(t, address, p)
		}
	}
}

// TestMLServer runs it on MLServer, which takes binary tensors over gRPC alone.
func TestMLServer(t *testing.T) {
	interpreter := python(t, "SEGEDGE_MLSERVER_PYTHON", "mlserver, onnxruntime and onnx")
	encoder, decoder := graphsOf(t)
	dir := t.TempDir()
	write := func(name string, v any) {
		t.Helper()
		text, isText := v.(string)
		if !isText {
			b, err := json.Marshal(v)
			if err != nil {
				t.Fatal(err)
			}
			text = string(b)
		}
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	code, err := os.ReadFile("testdata/mlserver_graph.py")
	if err != nil {
		t.Fatal(err)
	}
	write("mlserver_graph.py", string(code))
	http, grpc, metrics := freePort(t), freePort(t), freePort(t)
	write("settings.json", map[string]any{
		"host": "127.0.0.1", "http_port": json.Number(http), "grpc_port": json.Number(grpc), "metrics_port": json.Number(metrics),
		"parallel_workers": 0, "grpc_max_message_length": 64 << 20,
	})
	for name, path := range map[string]string{"enc": encoder, "dec": decoder} {
		write(name+"/model-settings.json", map[string]any{
			"name": name, "implementation": "mlserver_graph.Graph", "parameters": map[string]any{"uri": path},
		})
	}
	t.Setenv("PYTHONPATH", dir)
	launch(t, dir, interpreter, "-c", "from mlserver.cli import main; main()", "start", dir)
	p := Parts{Encoder: Model{Name: "enc"}, Decoder: Model{Name: "dec"}}
	proveAt(t, "grpc://127.0.0.1:"+grpc, p)
	s, err := New(Options{Address: "http://127.0.0.1:" + http, Timeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	m, err := s.Open(t.Context(), p, inference.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if err := known.Prove(t.Context(), m); err == nil || !strings.Contains(err.Error(), "the server answers 500") {
		t.Errorf("binary tensors over HTTP: %v", err)
	}
}
