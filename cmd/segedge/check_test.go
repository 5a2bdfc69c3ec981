package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// checkConfig is what config check says of a file.
func checkConfig(t *testing.T, yaml string) (int, string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "segedge.yaml")
	if err := os.WriteFile(file, []byte(yaml), 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	code := execute(t.Context(), []string{"config", "check", file}, &out, &out)
	return code, out.String()
}

// config check finds everything that run would refuse before it opens a device, with its line.
func TestConfigCheckFindsWhatRunRefuses(t *testing.T) {
	t.Setenv("STATE_DIRECTORY", t.TempDir())
	code, said := checkConfig(t, `http:
  listen: 0.0.0.0:8080
  cert: /none/cert.pem
  key: /none/key.pem
  tokens:
  - {name: wall, role: view, token_file: /none/token}
cameras:
- name: a
  source: rstp://host/x
- name: b
  source: /none/x.mp4
- name: c
  source: synthetic:none
  prompts: ["point:0.5,0.5", "disc:1"]
- name: d
  source: rtsp://user:geheim/x@host/y
- name: e
  source: rtsp://host/y
  username: u
  password_file: /none/password
model:
  name: none
  family: none
grounding:
  model: /none/yolox.onnx
mqtt:
  broker: tls://host:1
  ca: /none/ca.pem
  password_file: /none/password
`)
	for _, want := range []string{
		":3:9: http.cert: /none/cert.pem cannot be read", ":6:42: http.tokens.0.token_file", `:9:11: cameras.0.source: source "rstp://host/x": unknown scheme "rstp"`,
		":11:11: cameras.1.source: source \"/none/x.mp4\": no such file", ":13:11: cameras.2.source: synthetic scene: no preset", ":14:30: cameras.2.prompts.1: prompt \"disc:1\"",
		":16:11: cameras.3.source", "percent-encode it", ":20:18: cameras.4.password_file", ":22:9: model.name", ":23:11: model.family: \"none\"", ":25:10: grounding.model",
		":28:7: mqtt.ca", ":29:18: mqtt.password_file", "\n>   11 |   source: /none/x.mp4\n", "^",
	} {
		if !strings.Contains(said, want) {
			t.Errorf("no %q", want)
		}
	}
	if code != 1 || strings.Contains(said, "geheim") {
		t.Errorf("exit code %d", code)
	}
	if t.Failed() {
		t.Log(said)
	}
}

func TestConfigCheckOfOneFault(t *testing.T) {
	t.Setenv("STATE_DIRECTORY", t.TempDir())
	for yaml, want := range map[string]string{
		"http:\n  listen: 0.0.0.0:8080\n":                                         ":2:11: http.listen: 0.0.0.0:8080 can be reached from the network",
		"http:\n  listen: 127.0.0.1:99999\n":                                      ":2:11: http.listen",
		"http:\n  listen: :80\n  token: geheim\n":                                 ":3:10: http.token: the token is too short",
		"mqtt:\n  embedded: 0.0.0.0:1883\n":                                       ":2:13: mqtt.embedded",
		"http:\n  listen: :1\n---\nmodel:\n  name: x\n":                           "second YAML document",
		"model:\n  encoder: /none/e.onnx\n  decoder: /none/d.onnx\n":              "/none/e.onnx cannot be read",
		"cameras:\n- name: a\n  source: \"gst:\"\n":                               ":3:11: cameras.0.source",
		"agent:\n  nmae: x\n":                                                     "did you mean name?",
		"http:\n  ice_servers: [\"turn:h:1\"]\n  ice_credentials_file: /none/c\n": ":3:25: http.ice_credentials_file: open /none/c: no such file",
		"model:\n  remote: {address: \"https://h\", encoder: e, ca: /none/ca}\n":  ":2:50: model.remote.ca: /none/ca cannot be read",
	} {
		code, said := checkConfig(t, yaml)
		if code != 1 || !strings.Contains(said, want) || strings.Contains(said, "geheim") {
			t.Errorf("%q: exit code %d, %s, want %q", yaml, code, said, want)
		}
	}
	for _, yaml := range []string{"", "# http:\n", "\ufeffcameras:\n- name: a\n  source: synthetic\n", "---\n"} {
		if code, said := checkConfig(t, yaml); code != 0 || !strings.Contains(said, "is fine") {
			t.Errorf("%q: exit code %d, %s", yaml, code, said)
		}
	}
	t.Setenv("SEGEDGE_HTTP_LISEN", ":80")
	if code, said := checkConfig(t, ""); code != 1 || !strings.Contains(said, "SEGEDGE_HTTP_LISTEN?") {
		t.Errorf("exit code %d, %s", code, said)
	}
}

func TestConfigSchemaIsPrinted(t *testing.T) {
	var out bytes.Buffer
	if code := execute(t.Context(), []string{"config", "schema"}, &out, &out); code != 0 || !strings.Contains(out.String(), "additionalProperties") {
		t.Errorf("exit code %d, %s", code, out.String())
	}
}

// The default file is what a person edits: it says what each key is, and it names no machine.
func TestDefaultFileNamesNoMachine(t *testing.T) {
	var out bytes.Buffer
	code := execute(t.Context(), []string{"config", "default"}, &out, &out)
	if code != 0 || !strings.Contains(out.String(), "name: \"\"") || !strings.Contains(out.String(), "# host:port") {
		t.Errorf("exit code %d, %s", code, out.String())
	}
	if code, said := checkConfig(t, out.String()); code != 0 {
		t.Errorf("it is not fine: %s", said)
	}
}

// TestConfigCheckTellsWholeErrors: a word of a sentence that is called like a setting is none, and a setting within a value is hidden.
func TestConfigCheckTellsWholeErrors(t *testing.T) {
	t.Setenv("STATE_DIRECTORY", t.TempDir())
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "sam.pt"), []byte("abc"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, k := range []struct {
		settings []string
		want     string
	}{
		{[]string{"model.name=" + folder}, "model.name: not an ONNX model: sam.pt is a PyTorch checkpoint: weights without a graph. Export it to ONNX"},
		{[]string{"model.name=x password: geheim"}, `model.name: "x ***" is neither default, nor a model that was pulled`},
		{[]string{"cameras.0.source=x password: geheim"}, `cameras.0.source: source "x ***": no such file; a source is`},
		{[]string{"cameras.0.prompts=x password: geheim"}, `cameras.0.prompts.0: prompt "x ***": write point:x,y[,label]`},
		{[]string{"http.ice_servers=turn:host:3478", "http.ice_credentials_file=" + folder + "/sam.pt"}, "sam.pt: the file must hold one line, user:password"},
	} {
		args := []string{"config", "check"}
		for _, s := range k.settings {
			args = append(args, "--set", s)
		}
		var out bytes.Buffer
		code := execute(t.Context(), args, &out, &out)
		if code == 0 || !strings.Contains(out.String(), k.want) || strings.Contains(out.String(), "geheim") {
			t.Errorf("%s: %d, %s", k.settings, code, out.String())
		}
	}
}
