package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// file writes a configuration.
func file(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "segedge.yaml")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// What is not written, or only as a comment, keeps its default: in the whole file as in a section.
func TestNothingWrittenIsTheDefault(t *testing.T) {
	want := Default()
	want.Agent.Name = hostName()
	text, _ := want.YAML()
	for name, in := range map[string]string{
		"empty": "", "comments": "# http:\n#   listen: :80\n", "dashes": "---\n", "dashes and comments": "---\n# a\n", "bom": "\ufeff", "ended": "---\n...\n",
		"bom and comments": "\ufeff# a\n", "null": "null\n", "tilde": "~", "section": "http:\n  # listen: :80\nmodel:\n", "key": "http:\n  listen:\n",
		"list": "cameras:\n#  - name: door\n", "bom and key": "\ufeffmodel:\n  name: default\n", "crlf": "# a\r\nhttp:\r\n  # b\r\n",
		"directive": "%YAML 1.2\n---\n# a\n", "directive and key": "# a\n%YAML 1.2\n---\nmodel:\n  name: default\n",
	} {
		c, err := Load(file(t, in), nil, nil)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got, _ := c.YAML(); string(got) != string(text) {
			t.Errorf("%s: got\n%s", name, got)
		}
	}
}

// Everything that is wrong is told at once, each with its place and a caret under it.
func TestEveryMistakeIsShown(t *testing.T) {
	_, err := Load(file(t, `http:
  lisen: 127.0.0.1:80   # mistyped
  ice_port: many
cameras:
  - name: a
    source: synthetic
    zones: 3
    fps: [1, 2]
mqtt: tcp://h
`), nil, nil)
	if err == nil {
		t.Fatal("nothing was found")
	}
	for _, want := range []string{
		"segedge.yaml:2:3: http.lisen: no such setting; did you mean listen?", ">    2 |   lisen: 127.0.0.1:80", "           ^",
		"segedge.yaml:3:13: http.ice_port: \"many\" is no whole number", "segedge.yaml:7:12: cameras.0.zones: a list is wanted here, not \"3\"",
		"segedge.yaml:8:10: cameras.0.fps: one value is wanted here, not a list", "mqtt: keys with values are wanted here",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in\n%v", want, err)
		}
	}
}

// What makes no sense together is shown in the file too.
func TestEveryNonsenseIsShown(t *testing.T) {
	c, err := Read(Inputs{File: file(t, `cameras:
  - name: a
    source: rtsp://user:geheim@h/x
    zones:
      - {name: gate, points: [[0, 0], [1, 0], [1, 1]]}
      - name: gate
        points: [[0, 0], [1, 0], [1, 1]]
        classes: ["-"]
    crop: [0.5, 0, 0.2, 1]
    rotate: 45
    privacy:
      - points: [[0, 0], [2, 0], [1, 1]]
  - name: a
    source: synthetic
    password: geheim
  - source: synthetic
http:
  listen: 127.0.0.1:99999
  tokens:
    - {name: wall, role: guest, token: geheim-0123456789}
mqtt:
  embedded: 0.0.0.0:1883
  prefix: /a
debug:
  listen: :6060
`), Settings: []string{"log.level=loud"}, Environ: []string{"SEGEDGE_VIDEO_BITRATE=5"}})
	if err != nil {
		t.Fatal(err)
	}
	got := c.Explain(c.Check()).Error()
	for _, want := range []string{
		`segedge.yaml:6:15: cameras.0.zones.1.name: "gate" is there twice`, `cameras.0.zones.1.classes: "-": a class is`, "segedge.yaml:9:11: cameras.0.crop", `segedge.yaml:10:13: cameras.0.rotate: "45" is none of 0, 90, 180, 270`,
		"segedge.yaml:12:17: cameras.0.privacy.0.points: [2, 0]: coordinates lie outside 0..1: they are shares of", `segedge.yaml:13:11: cameras.1.name: "a" names two cameras`, "cameras.1.username",
		"segedge.yaml:16:5: cameras.2.name: a camera needs a name, such as name: door",
		"segedge.yaml:18:11: http.listen", "segedge.yaml:20:26: http.tokens.0.role", "segedge.yaml:22:13: mqtt.embedded: 0.0.0.0:1883 is open to the network",
		"segedge.yaml:23:11: mqtt.prefix", "segedge.yaml:25:11: debug.listen", "--set: log.level", "environment SEGEDGE_VIDEO_BITRATE: video.bitrate", "            ^",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q", want)
		}
	}
	if strings.Contains(got, "geheim") {
		t.Error("a secret is shown")
	}
	if t.Failed() {
		t.Log(got)
	}
}

func TestDocumentsThatAreNone(t *testing.T) {
	for text, want := range map[string]string{
		"http:\n  listen: :1\n---\nhttp:\n  listen: :2\n": "segedge.yaml:4:1: a second YAML document",
		"- a\n":                     "keys with values are wanted here, not a list",
		"just words":                "keys with values",
		"http: [\n":                 "segedge.yaml",
		"a: &a [*a]\n":              "a: no such setting",
		"http: &h\n  <<: *h\n":      "",
		"http:\n  token: geheim: x": "segedge.yaml",
		"http:\n\tlisten: :1\n":     "segedge.yaml:2:1: a tab stands here",
		"cameras:\n- name: x\n\tsource: synthetic\n":     "segedge.yaml:3:1: a tab stands here",
		"cameras:\n-\tname: x\n\tsource: synthetic\n":    "segedge.yaml:2:2: a tab stands here",
		"log:\n  level: info\n \tformat: text\n":         "segedge.yaml:3:2: a tab stands here",
		"http:\n  token: geheim\n\t\nlog:\n\tlevel: x\n": "segedge.yaml:3:1: a tab stands here, and YAML takes spaces alone in front of a setting: put spaces in its place\n     2 |   token: ",
	} {
		_, err := Load(file(t, text), nil, nil)
		if want == "" {
			continue // it ends
		}
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "geheim") {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	if c, err := Load(file(t, "cameras:\n- &a {name: a, source: synthetic, fps: 7}\n- <<: *a\n  name: b\n"), nil, nil); err != nil || len(c.Cameras) != 2 || c.Cameras[1].FPS != 7 || c.Cameras[1].Name != "b" {
		t.Errorf("merged: %+v, %v", c.Cameras, err)
	}
}

func TestMistypedVariablesAreTold(t *testing.T) {
	for name, want := range map[string]string{
		"SEGEDGE_HTTP_LISEN": "did you mean SEGEDGE_HTTP_LISTEN?", "SEGEDGE_HTP_LISTEN": "SEGEDGE_HTTP_LISTEN?", "SEGEDGE_CAMERAS_0_SORCE": "no such setting",
		"SEGEDGE_LISTEN": "no such setting", "SEGEDGE_HTTP": "no such setting", "SEGEDGE_": "no such setting",
	} {
		if _, err := Load("", []string{name + "=x"}, nil); err == nil || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, name := range []string{"SEGEDGE_ORT_LIB", "SEGEDGE_PORT", "SEGEDGE_PORT_8080_TCP_ADDR", "SEGEDGE_SERVICE_HOST", "SEGEDGED_X", "segedge_http_lisen"} {
		if _, err := Load("", []string{name + "=x"}, nil); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A credential is a setting by its name; who gives it may keep it out of the file and of the environment.
func TestCredentials(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"http.token": "a-token-of-some-length\n", "cameras.0.password": "p w", "other": "x"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c, err := Read(Inputs{Credentials: dir, File: file(t, "http:\n  token: of-the-file-0123456789\n")})
	if err != nil || c.HTTP.Token != "a-token-of-some-length" || c.Cameras[0].Password != "p w" {
		t.Errorf("%+v, %v", c, err)
	}
	if err := os.WriteFile(filepath.Join(dir, "http.tokn"), []byte("geheim"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(Inputs{Credentials: dir}); err == nil || !strings.Contains(err.Error(), "http.tokn") || strings.Contains(err.Error(), "geheim") {
		t.Errorf("%v", err)
	}
	if _, err := Read(Inputs{Credentials: filepath.Join(dir, "none")}); err == nil {
		t.Error("a folder that is missing must be told")
	}
	for name, text := range map[string]string{"empty": "\n", "large": strings.Repeat("x", maxSecret+1)} {
		f := filepath.Join(dir, name)
		if err := os.WriteFile(f, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadSecret(f); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTokensAreChecked(t *testing.T) {
	c := Default()
	c.HTTP.Listen, c.HTTP.Token = "0.0.0.0:80", "short"
	c.HTTP.Tokens = []Token{{Name: "a", Role: "view", Token: "0123456789abcdef"}, {Name: "b", Role: "admin", Token: "0123456789abcdef"}, {Name: "c", Role: "view"}}
	got := c.CheckTokens(true).Error()
	for _, want := range []string{"http.token: the token is too short", "http.tokens.1.token: the same token", "http.tokens.2.token: it is empty"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in %s", want, got)
		}
	}
	c.HTTP.Token, c.HTTP.Tokens = "", nil
	if got := c.CheckTokens(true).Error(); !strings.Contains(got, "http.listen") || !strings.Contains(got, "no token") {
		t.Error(got)
	}
}

func TestUsersAreChecked(t *testing.T) {
	c := Default()
	c.MQTT.Embedded = "0.0.0.0:1883"
	c.MQTT.Users = []User{{"a", "view", "01234567", ""}, {"a", "admin", "0123", ""}, {"", "guest", "", ""}, {"segedge/agent", "view", "01234567", "/x"}}
	got := append(c.Check(), c.CheckPasswords()...).Error()
	for _, want := range []string{
		`users.1.name: "a" is there twice`, "users.1.password: the password is too short", `users.2.name: ""`, `users.2.role: "guest" is none of view, prompt, admin`,
		"users.2: it needs password or password_file", "users.3.name: this is the agent's own", "users.3: it needs",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in %s", want, got)
		}
	}
	if strings.Contains(got, "mqtt.embedded") {
		t.Error("with users the embedded broker may be open to the network")
	}
	c.MQTT.Broker = "tcp://h:1883"
	if got := c.Check().Error(); !strings.Contains(got, "mqtt.users: these are the embedded broker's") {
		t.Error(got)
	}
}

func TestNamesOfHosts(t *testing.T) {
	for _, c := range []struct{ host, id, want string }{
		{"kitchen", "x", "kitchen"}, {"box.example.org", "", "box.example.org"}, {"a b", "", "a-b"}, {"localhost", "", "edge"},
		{"", "", "edge"}, {strings.Repeat("x", 70), "", strings.Repeat("x", 64)},
	} {
		if got := nameOf(c.host, c.id); got != c.want {
			t.Errorf("%+v: %q", c, got)
		}
	}
	a, b := nameOf("localhost", "0123"), nameOf("", "4567")
	if a == b || !strings.HasPrefix(a, "edge-") || strings.Contains(a, "0123") {
		t.Errorf("%q, %q", a, b)
	}
}

// A secret is not shown where its key is mistyped, its shape is wrong or it stands in a line of its own; what is beside it still is.
func TestMistakesShowNoSecrets(t *testing.T) {
	for in, want := range map[string]string{
		"mqtt:\n  passwrod: geheim": "  passwrod: ***", "mqtt:\n  pass: geheim": "  pass: ***", "cameras:\n- pw: geheim": "- pw: ***", "mqtt:\n  pasword_file: /x": "  pasword_file: /x", "mqtt:\n  Password: geheim": "  Password: ***",
		"mqtt:\n  passwrod:\n    geheim": "did you mean password?", "mqtt:\n  passwrod: [geheim, geheim]": "  passwrod: ***",
		"mqtt:\n  passwrod: !!str geheim": "  passwrod: ***", "mqtt: {brokr: tcp://h, passwrod: geheim}": "mqtt: {brokr: tcp://h, passwrod: ***",
		"mqtt: {passwrod: \"a\n  geheim\", brokr: tcp://h}": "mqtt.brokr", "mqtt:\n  passwrod: |\n    a\n\n    geheim\n  brokr: tcp://h": ">    6 |   brokr: tcp://h",
		"mqtt:\n  passwrod: >-\n    geheim\nlgo:\n  level: info": ">    4 | lgo:", "mqqt:\n  passwrod: geheim\nlgo: 1": ">    3 | lgo: 1",
		"mqtt:\n  passwrod: a\n    geheim\n  brokr: tcp://h": "brokr: tcp://h", "mqtt:\n  passwrod geheim": "not one value", "mqtt:\n  password: {a: geheim}": "not keys",
		"http:\n  tokens: geheim-0123456789abcdef": "http.tokens: a list is wanted here, not one value", "http:\n  tokens:\n  - geheim-0123456789abcdef": "  - ***",
		"http:\n  tokens: {geheim: admin}": "not keys", "http:\n  tokens:\n  - geheim: admin": "http.tokens.0.***: no such setting",
		"http:\n  tokens:\n  - nmae: wall\n    tokn: geheim": "    tokn: ***", "http:\n  tokens: [\n    geheim,\n    geheim\n  ]\n  lisen: x": "  lisen: x",
		"http:\n  token:\n  - geheim": "not a list", "http:\n  tokn: geheim # schlüssel": "  tokn: ***", "cameras:\n- name: ä\n  passwort: geheim": "  passwort: ***",
		"mqtt: {broker: tcp://alice:geheim, geheim@h:1883}": "mqtt.***: no such setting", "mqtt: {broker: tcp://alice:a, geheim, b@h}": "mqtt.***: no such setting",
		"http:\r\n  tokn: geheim\r\n  lisen: x": "  lisen: x", "http:\n  tokn:\n    geheim": "did you mean token?",
	} {
		err := new(Config).Parse([]byte(in))
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "geheim") {
			t.Errorf("%q: want %q\n%v", in, want, err)
		}
	}
}

// What the check finds is shown in the file, but not a secret that stands in a line of its own.
func TestTheCheckShowsNoSecrets(t *testing.T) {
	const text = "http:\n  listen: 127.0.0.1:8080\n  tokens:\n  - name: wall\n    token:\n      geheim\n    role: guest\n"
	l, err := Read(Inputs{File: file(t, text)})
	if err != nil {
		t.Fatal(err)
	}
	got := l.Explain(l.Check()).Err()
	if got == nil || !strings.Contains(got.Error(), "     6 |       ***") || strings.Contains(got.Error(), "geheim") {
		t.Errorf("%v", got)
	}
	for _, text := range []string{
		"mqtt:\n  broker: tcp://alice:geheim #geheim@h:1883\n", "mqtt:\n  broker: tcp://alice:geheim\n", "mqtt:\n  broker: tcp://alice:gehe/geheim\n",
		"model:\n  remote:\n    address: http://u:geheim\n", "telemetry:\n  otlp: http://u:geheim\n", "webhooks:\n- url: http://u:geheim #geheim@h\n",
	} {
		l, err := Read(Inputs{File: file(t, text)})
		if err == nil {
			err = l.Explain(l.Check()).Err()
		}
		if err == nil || !strings.Contains(err.Error(), "***") || strings.Contains(err.Error(), "geheim") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// In a file that is no YAML nobody can tell where a secret ends: names of settings are shown, values are not.
func TestFilesThatAreNoYAMLShowNoSecrets(t *testing.T) {
	for in, want := range map[string]string{
		"http:\n  token: 'geheim\n": ":2:10: could not find end character", "mqtt:\n  password: |geheim\n": "***", "mqtt:\n  password: \"a\n    geheim\\q\"\n": "unknown escape character",
		"token geheim": "segedge.yaml:1:1: keys with values are wanted here, not one value", "- token: geheim\n": "not a list",
		"http:\n  tokens: [{token: geheim\n": "tokens: ***", "http:\n  token: >\n    geheim: x\n\tlisten: a\n": "***", "http:\n  token: geheim: x\n": "  token: ***",
		"http:\n  tokens:\n    geheim: a\n    geheim: b\n": `mapping key "***" already defined`, "http:\n  listen: a\n  listen: b\n": `mapping key "listen" already defined`,
		"cameras:\n- password: geheim\n source: x\n": "***", "mqtt:\n  broker: tcp://u:geheim@h\n  - x\n": "***", "%YAML geheim\n---\n": "***", "http: {token: geheim\nmqtt: [geheim}\n": "***",
		"geheim: &\n": "***", "- - token: @geheim\n": "- - token: ***", "mqtt:\n  passwrod: `geheim`\n": "***",
	} {
		_, err := Load(file(t, in), nil, nil)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "geheim") || !strings.Contains(err.Error(), "segedge.yaml:") {
			t.Errorf("%q: want %q\n%v", in, want, err)
		}
	}
}

func TestFilesThatAreNoText(t *testing.T) {
	for _, in := range []string{"\xff\xfeg\x00e\x00", "http:\n  token: \x80geheim\n", "http:\n  token: geheim\x00\n"} {
		if _, err := Load(file(t, in), nil, nil); err == nil || !strings.Contains(err.Error(), "no text in UTF-8") || strings.Contains(err.Error(), "geheim") {
			t.Errorf("%q: %v", in, err)
		}
	}
}

// A setting without its equals sign may be a secret without its key.
func TestSettingsWithoutAValue(t *testing.T) {
	for in, want := range map[string]string{
		"geheim": "--set ***: write", "http.token:geheim": "--set http.token***: write", "http.token geheim": "--set http.token***", "cameras.0.password: geheim": "--set cameras.0.password***",
		"http.listen": "--set http.listen: write", "": "--set ***", "http.geheim": "--set ***", "http": "--set http: write",
	} {
		if _, err := Load("", nil, []string{in}); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "geheim") {
			t.Errorf("%q: want %q, %v", in, want, err)
		}
	}
}

// The schema knows every setting, its choices and bounds, and which are secret.
func TestSchemaKnowsEverySetting(t *testing.T) {
	text, err := JSONSchema()
	if err != nil {
		t.Fatal(err)
	}
	type node struct {
		Type                 any
		Description          string
		Properties           map[string]*node
		Items                *node
		Enum                 []any
		Minimum, Maximum     *int
		WriteOnly            bool
		AdditionalProperties *bool
	}
	var s node
	if err := json.Unmarshal(text, &s); err != nil {
		t.Fatal(err)
	}
	cam := s.Properties["cameras"].Items
	if r := cam.Properties["rotate"]; len(r.Enum) != 5 || r.Enum[2] != 90.0 {
		t.Errorf("rotate %+v", r)
	}
	if f := cam.Properties["fps"]; *f.Maximum != 240 || f.Description == "" {
		t.Errorf("fps %+v", f)
	}
	if !s.Properties["http"].Properties["token"].WriteOnly || *s.AdditionalProperties || cam.Properties["zones"].Items.Properties["points"].Items.Items == nil {
		t.Error("tokens are secret, unknown keys are refused, points have two numbers")
	}
}

// TestAnErrorIsToldWhole: settings' names are ordinary words too, and what is hidden is another setting in the value alone.
func TestAnErrorIsToldWhole(t *testing.T) {
	t.Parallel()
	for _, k := range []struct{ value, err, want string }{
		{"x", "not an ONNX model: sam.pt is a PyTorch checkpoint: weights", "model.name: not an ONNX model: sam.pt is a PyTorch checkpoint: weights"},
		{"x", `model.name "x" is none of the names: there is no key: look at the source: token: none`, `model.name: "x" is none of the names: ` +
			"there is no key: look at the source: token: none"},
		{"x", "model.name: the file: empty", "model.name: the file: empty"},
		{"x token: geheim", `"x token: geheim" is no name: the name: x`, `model.name: "x ***" is no name: the name: x`},
		{"x\ttoken: geh\"eim", fmt.Sprintf("%q is no model: it is none", "x\ttoken: geh\"eim"), `model.name: "x ***" is no model: it is none`},
		{"x", "rtsp://user:geheim@host/y: token=geheim", "model.name: rtsp://***@host/y: token=***"},
	} {
		var ps Problems
		ps.AddError("model.name", k.value, errors.New(k.err))
		if ps.Error() != k.want {
			t.Errorf("%q: %s", k.value, ps)
		}
	}
}
