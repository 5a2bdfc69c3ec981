package main

import (
	"bytes"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/segedge/segedge/capture/opencv"
	"github.com/segedge/segedge/capture/worker"
	"github.com/segedge/segedge/testkit"
)

// TestMain lets the test's program read a pipeline for itself, as segedge does.
func TestMain(m *testing.M) {
	if worker.Asked() {
		os.Exit(worker.Serve(opencv.Opener))
	}
	os.Exit(m.Run())
}

// mark is in every secret of the sweep, and in nothing else.
const mark = "geheim"

// everySecret is a configuration with a secret in each place that can hold one. Nothing listens where its sources and broker are.
func everySecret(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"desk": "geheim-desk-0123456789", "cam": "geheim/@#%", "ice": "user:geheim"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return strings.ReplaceAll(`log: {level: debug}
http:
  token: geheim-http-0123456789
  tokens:
    - {name: wall, role: view, token: geheim-wall-0123456789}
    - {name: desk, role: prompt, token_file: DIR/desk}
  ice_servers: ["turn:127.0.0.1:1"]
  ice_credentials_file: DIR/ice
cameras:
  - {name: scene, source: synthetic, width: 160, height: 120, fps: 4}
  - name: url
    source: rtsp://user:geheim@127.0.0.1:1/x
  - name: query
    source: http://127.0.0.1:1/x?password=geheim&token=geheim
  - name: login
    source: rtsp://127.0.0.1:1/x
    username: user
    password: "geheim/@#% x"
  - name: file
    source: http://127.0.0.1:1/x
    username: user
    password_file: DIR/cam
  - name: pipeline
    source: "gst: rtspsrc location=rtsp://u:geheim@127.0.0.1:1/x user-id=u user-pw=geheim ! nonsense"
mqtt:
  broker: tcp://user:geheim@127.0.0.1:1
  username: user
  password: geheim
`, "DIR", dir)
}

// breaks are ways in which a person, or an editor, may break that file.
var breaks = map[string]func(string) string{
	"a quotation mark is missing": func(s string) string { return strings.Replace(s, `% x"`, `% x`, 1) },
	"a brace is missing":          func(s string) string { return strings.Replace(s, "wall-0123456789}", "wall-0123456789", 1) },
	"a tab":                       func(s string) string { return strings.Replace(s, "  password: geheim", "\tpassword: geheim", 1) },
	"an indent":                   func(s string) string { return strings.Replace(s, "  token: geheim-http", "   token: geheim-http", 1) },
	"keys run together": func(s string) string {
		return strings.Replace(s, "username: user\n  password:", "username: user password:", 1)
	},
	"a comma is missing after a role":   commaless("role: view, token", "role: view token"),
	"a comma is missing after a name":   commaless("name: wall, role: view, token", "role: view, name: wall token"),
	"a comma is missing after a number": commaless("fps: 4}", "fps: 4 password: geheim}"),
	"a comma is missing after a duration": func(s string) string {
		return s + "events: {update_interval: 1s password: geheim}\n"
	},
	"a comma and a colon are missing":    commaless("fps: 4}", "fps: 4 password geheim}"),
	"a comma and a colon after a name":   commaless("name: scene,", "name: scene password geheim,"),
	"a comma is missing after a camera":  commaless("name: scene,", "name: scene password: geheim,"),
	"a comma is missing after the agent": func(s string) string { return s + "agent: {name: box token: geheim}\n" },
	"a comma is missing in the broker": func(s string) string {
		return before(s, "mqtt:") + "mqtt: {username: user password: geheim, prefix: a/#}\n"
	},
	"a comma is missing among users": func(s string) string {
		return before(s, "mqtt:") + "mqtt: {users: [{name: a, role: view password: geheim-0123}]}\n"
	},
	"quoted together":     commaless("role: view, token: geheim-wall-0123456789", `role: "view token: geheim"`),
	"a mistyped key":      func(s string) string { return strings.Replace(s, "  password: geheim", "  passwrod: geheim", 1) },
	"a colon is missing":  func(s string) string { return strings.Replace(s, "  token: geheim", "  token geheim", 1) },
	"a key twice":         func(s string) string { return s + "  password: geheim\n" },
	"a wrong role":        func(s string) string { return strings.Replace(s, "role: view", "role: guest", 1) },
	"a short token":       func(s string) string { return strings.Replace(s, "geheim-http-0123456789", "geheim", 1) },
	"a list in its place": func(s string) string { return strings.Replace(s, "password: geheim", "password: [geheim]", 1) },
	"a value of lines": func(s string) string {
		return strings.Replace(s, "password: geheim", "password: |geheim\n    geheim", 1)
	},
	"an unencoded password": func(s string) string { return strings.Replace(s, "user:geheim@", "user:geheim/9@", 1) },
	"a relay's password":    func(s string) string { return strings.Replace(s, "turn:127", "turn:user:geheim@127", 1) },
	"users beside a broker": func(s string) string { return s + "  users: [{name: a, role: view, password: geheim-0123}]\n" },
	"an unknown scheme":     func(s string) string { return strings.Replace(s, "rtsp://user", "rstp://user", 1) },
	"a second document":     func(s string) string { return s + "---\nhttp: {token: geheim}\n" },
	"cut off":               func(s string) string { return s[:strings.Index(s, "geheim-wall")+3] },
}

// commaless writes one thing in another's place.
func commaless(whole, broken string) func(string) string {
	return func(s string) string { return strings.Replace(s, whole, broken, 1) }
}

// Whatever a person does to a file with secrets in it, no command shows one.
func TestBrokenFilesShowNoSecret(t *testing.T) {
	testkit.Long(t)
	whole, state := everySecret(t), t.TempDir()
	for name, with := range breaks {
		file := filepath.Join(t.TempDir(), "segedge.yaml")
		broken := with(whole)
		if broken == whole {
			t.Fatalf("%s: nothing is broken", name)
		}
		if err := os.WriteFile(file, []byte(broken), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, args := range [][]string{{"config", "check", file}, {"run", "--config", file, "--state", state}, {"doctor", "--config", file}} {
			var out bytes.Buffer
			if code := execute(t.Context(), args, &out, &out); code == 0 || strings.Contains(out.String(), mark) {
				t.Errorf("%s: %s ends with %d: %s", name, args[0], code, &out)
			}
		}
	}
}

// An agent that holds secrets in every place, whose sources and broker all fail, and whose file is then broken in every way, shows none:
// at its doors, in its metrics, in its log of every level, in the lines at start, in what it keeps.
func TestSecretsAreShownNowhere(t *testing.T) {
	testkit.Long(t)
	whole := everySecret(t)
	l := startAgent(t, whole, "--set", "mqtt.password=geheim-set")
	ask := func(path, token string) string { return askWith(t, l.page+path, token) }
	read := func(path string) string { return ask(path, "geheim-http-0123456789") }
	l.until("every failure is told", func() bool {
		ready := read("readyz")
		return strings.Contains(read("metrics"), `segedge_events_total{camera="url"}`) && strings.Count(ready, `"ok":false`) >= 6 && !strings.Contains(ready, `"opening"`)
	})
	for _, wrong := range []string{"geheim-wrong-0123456789", "geheim-wall", ""} {
		ask("api/v1/info?token="+wrong, "")
		ask("api/v1/info", wrong)
	}
	ask("api/v1/cameras/scene/pause", "geheim-wall-0123456789")
	for i, name := range slices.Sorted(maps.Keys(breaks)) {
		if i%2 == 1 {
			continue // a change is looked for every two seconds
		}
		told := strings.Count(l.log.String(), "nothing changes")
		l.rewrite(breaks[name](whole))
		l.until(name+" is told", func() bool { return strings.Count(l.log.String(), "nothing changes") > told })
	}
	l.rewrite(strings.Replace(whole, "geheim-wall", "geheim-hall", 1))
	l.until("another token is asked for", func() bool { return strings.Contains(l.log.String(), "http.tokens") })
	var shown strings.Builder
	for _, path := range []string{"readyz", "healthz", "metrics", "api/v1/info", "api/v1/cameras", "api/v1/schema", "", "whep/scene"} {
		shown.WriteString(read(path))
	}
	for _, camera := range []string{"scene", "url", "query", "login", "file", "pipeline"} {
		shown.WriteString(read("api/v1/cameras/"+camera+"/state") + read("api/v1/cameras/"+camera+"/objects"))
	}
	l.stop()
	code := <-l.ended
	l.ended <- code
	shown.WriteString(l.out.String() + l.log.String() + kept(t, filepath.Join(filepath.Dir(l.file), "state")))
	for line := range strings.Lines(shown.String()) {
		if strings.Contains(line, mark) {
			t.Errorf("shown: %s", line)
		}
	}
	if !strings.Contains(shown.String(), "rtsp://***@127.0.0.1:1/x") {
		t.Error("the sweep does not see what it should be masked in")
	}
}

// kept is all that a state folder holds, the events that wait for the broker among it.
func kept(t *testing.T, dir string) string {
	t.Helper()
	var all strings.Builder
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		all.Write(data)
		return err
	})
	if err != nil || !strings.Contains(all.String(), "camera.stalled") {
		t.Errorf("no events are kept: %v", err)
	}
	return all.String()
}

// askWith reads an address with a token.
func askWith(t *testing.T, url, token string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// before is what of a file stands before a setting.
func before(file, setting string) string {
	head, _, _ := strings.Cut(file, setting)
	return head
}
