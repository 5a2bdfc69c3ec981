package web

import (
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/api/dispatch"
	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/testkit"
)

func newDoor(t *testing.T, o Options) *Server {
	t.Helper()
	if o.Service == nil {
		o.Service = newFakeAgent("cam")
	}
	if o.CookieKey == nil {
		o.CookieKey = cookieKey
	}
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// cookieKey is what the doors of tests make their cookies with.
var cookieKey = []byte("the secret of every test's door")

func cookieOf(token string) string { return cookieFor(cookieKey, token) }

// ask sends a request from this machine; headers are "Name: value" lines.
func ask(h http.Handler, method, target, body string, headers ...string) *http.Response {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.Host = "localhost:8080"
	for _, line := range headers {
		name, value, _ := strings.Cut(line, ": ")
		switch name {
		case "Host":
			r.Host = value
		case "Remote":
			r.RemoteAddr = value
		}
		r.Header.Add(name, value)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

const asJSON = "Content-Type: application/json"

func TestRoutes(t *testing.T) {
	whep := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusTeapot) })
	agent := newFakeAgent("cam", "back door")
	agent.objects = []seg.Object{{ID: 1, Name: "dog", State: seg.Tracking, Mask: disc(0.5, 0.5, 0.1)}}
	agent.next = 1
	door := newDoor(t, Options{Service: agent, WHEP: whep, Schema: json.RawMessage(`{"$id":"segedge"}`)})
	for _, c := range []struct {
		method, target, body string
		status               int
		contentType, want    string
	}{
		{"GET", "/", "", 200, "text/html", "<title>segedge</title>"},
		{"HEAD", "/", "", 200, "text/html", ""},
		{"POST", "/", "", 405, "text/plain", "only be read"},
		{"GET", "/js/app.js", "", 200, "text/javascript", "import"},
		{"GET", "/style.css", "", 200, "text/css", ":root"},
		{"GET", "/icon.svg", "", 200, "image/svg+xml", "<svg"},
		{"GET", "/site.webmanifest", "", 200, "application/manifest+json", "segedge"},
		{"GET", "/index.html", "", 404, "text/plain", ""},
		{"GET", "/js/", "", 404, "text/plain", ""},
		{"GET", "/web.go", "", 404, "text/plain", ""},
		{"GET", "/js/../../web.go", "", 307, "text/html", ""},
		{"GET", "/api/v1/info", "", 200, "application/json", `"model":"segedge-tiny"`},
		{"GET", "/api/v1/schema", "", 200, "application/json", `{"$id":"segedge"}`},
		{"GET", "/api/v1/cameras", "", 200, "application/json", `{"schema":1,"cameras":["cam","back door"]}`},
		{"GET", "/api/v1/cameras/cam/state", "", 200, "application/json", `"fps":29.97`},
		{"GET", "/api/v1/cameras/back%20door/state", "", 200, "application/json", `"camera":"back door"`},
		{"GET", "/api/v1/cameras/cam/objects", "", 200, "application/json", `"id":"cam-1","name":"dog","state":"tracking"`},
		{"GET", "/api/v1/cameras/attic/state", "", 404, "application/json", `"code":"unknown_camera"`},
		{"GET", "/api/v1/cameras/attic/objects", "", 404, "application/json", `there is no camera \"attic\"`},
		{"GET", "/api/v1/cameras/cam/prompt", "", 405, "application/json", "sent with POST"},
		{"GET", "/api/v1/cameras/cam/dance", "", 404, "application/json", "there is nothing at GET"},
		{"GET", "/api/v2/info", "", 404, "application/json", "there is nothing at GET /api/v2/info"},
		{"DELETE", "/api/v1/info", "", 405, "text/plain", ""},
		{"POST", "/api/v1/cameras/cam/prompt", `{"id":"7","points":[{"x":0.4,"y":0.5,"label":1}]}`, 200, "application/json", `{"schema":1,"id":"7","ok":true,"result":{"object":"cam-2"`},
		{"POST", "/api/v1/cameras/cam/rename", `{"id":"8","object":"cam-1","name":"Rex"}`, 200, "application/json", `{"schema":1,"id":"8","ok":true}`},
		{"POST", "/api/v1/cameras/cam/rename", `{"object":"cam-9","name":"Rex"}`, 404, "application/json", `"code":"unknown_object"`},
		{"POST", "/api/v1/cameras/attic/clear", ``, 404, "application/json", `"code":"unknown_camera"`},
		{"POST", "/api/v1/cameras/cam/dance", `{"id":"9"}`, 404, "application/json", `"id":"9","ok":false,"error":{"code":"unknown_verb"`},
		{"POST", "/api/v1/cameras/cam/prompt", `{"points":`, 400, "application/json", `"code":"bad_json"`},
		{"POST", "/api/v1/cameras/cam/prompt", `{"pionts":[]}`, 400, "application/json", `pionts`},
		{"POST", "/api/v1/cameras/cam/prompt", `{"points":[{"x":1.4,"y":0.5,"label":1}]}`, 422, "application/json", `outside 0..1`},
		{"POST", "/api/v1/cameras/cam/prompt", `{"id":"1","rtp_time":5}`, 422, "application/json", `viewer and rtp_time come together`},
		{"POST", "/api/v1/cameras/cam/clear", ``, 200, "application/json", `"ok":true`},
		{"POST", "/whep/cam", "v=0", 418, "", ""},
		{"PATCH", "/whep/cam/3f", "", 418, "", ""},
		{"OPTIONS", "/whep/cam", "", 418, "", ""},
		{"GET", "/metrics", "", 200, "text/plain", "segedge_fps"},
		{"GET", "/healthz", "", 200, "text/plain", "ok"},
		{"GET", "/readyz", "", 200, "application/json", `{"ready":true,"checks":[]}`},
	} {
		res := ask(door, c.method, c.target, c.body, asJSON)
		body, _ := io.ReadAll(res.Body)
		if res.StatusCode != c.status || !strings.HasPrefix(res.Header.Get("Content-Type"), c.contentType) || !strings.Contains(string(body), c.want) {
			t.Errorf("%s %s %s: %d %s %s; want %d %s with %s", c.method, c.target, c.body,
				res.StatusCode, res.Header.Get("Content-Type"), body, c.status, c.contentType, c.want)
		}
		for name, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "X-Frame-Options": "DENY", "Content-Security-Policy": contentSecurityPolicy,
		} {
			if got := res.Header.Get(name); got != want {
				t.Errorf("%s %s: %s is %q, want %q", c.method, c.target, name, got, want)
			}
		}
	}
}

func TestStatusOfEveryCode(t *testing.T) {
	for code, want := range statuses {
		if got := Status(api.Refuse("", code, "no")); got != want || got < 400 {
			t.Errorf("%s: %d, want %d", code, got, want)
		}
	}
	if got := Status(api.Done("", nil)); got != 200 {
		t.Errorf("done: %d", got)
	}
	if got := Status(api.Refuse("", "new_code", "no")); got != 500 {
		t.Errorf("a code of no known status: %d, want 500", got)
	}
	agent := newFakeAgent("cam")
	door := newDoor(t, Options{Service: agent})
	for code := range maps.Keys(statuses) {
		agent.set(func(f *fakeAgent) { f.refuse = &api.Error{Code: code, Message: "because"} })
		res := ask(door, "POST", "/api/v1/cameras/cam/clear", "", asJSON)
		retry := res.StatusCode == 503 || res.StatusCode == 429
		if res.StatusCode != statuses[code] || (res.Header.Get("Retry-After") != "") != retry {
			t.Errorf("%s: %d, Retry-After %q", code, res.StatusCode, res.Header.Get("Retry-After"))
		}
	}
}

func TestCommandBody(t *testing.T) {
	door := newDoor(t, Options{})
	big := `{"name":"` + strings.Repeat("x", api.MaxBody) + `"}`
	for _, c := range []struct {
		name, body, contentType string
		status                  int
		code                    string
	}{
		{"no body, no type", "", "", 200, ""},
		{"charset", `{}`, "application/json; charset=utf-8", 200, ""},
		{"a form", `{}`, "application/x-www-form-urlencoded", 415, "bad_request"},
		{"no type", `{}`, "", 415, "bad_request"},
		{"no type at all", `{}`, "Ω;", 415, "bad_request"},
		{"too large", big, "application/json", 413, "too_large"},
		{"a list", `[]`, "application/json", 400, "bad_json"},
		{"another schema", `{"schema":2}`, "application/json", 422, "bad_request"},
	} {
		res := ask(door, "POST", "/api/v1/cameras/cam/clear", c.body, "Content-Type: "+c.contentType)
		var reply api.Reply
		if err := json.NewDecoder(res.Body).Decode(&reply); err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		code := ""
		if reply.Error != nil {
			code = string(reply.Error.Code)
		}
		if res.StatusCode != c.status || code != c.code || reply.OK != (c.code == "") || res.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %q, want %d %q", c.name, res.StatusCode, code, c.status, c.code)
		}
	}
}

// TestACommandSentTwiceIsDoneOnce: who lost the connection sends the command again, and learns how it ended.
func TestACommandSentTwiceIsDoneOnce(t *testing.T) {
	agent := newFakeAgent("cam")
	door := newDoor(t, Options{Service: agent})
	const body = `{"id":"1","points":[{"x":0.4,"y":0.5}]}`
	agent.slow = make(chan struct{})
	ctx, leave := context.WithCancel(t.Context())
	first := make(chan struct{})
	go func() {
		defer close(first)
		r := httptest.NewRequest("POST", "/api/v1/cameras/cam/prompt", strings.NewReader(body)).WithContext(ctx)
		r.Host = "localhost"
		r.Header.Set("Content-Type", "application/json")
		door.ServeHTTP(httptest.NewRecorder(), r)
	}()
	leave()
	close(agent.slow)
	<-first
	for range 2 {
		res := ask(door, "POST", "/api/v1/cameras/cam/prompt", body, asJSON)
		got, _ := io.ReadAll(res.Body)
		if res.StatusCode != 200 || !strings.Contains(string(got), `"object":"cam-1"`) {
			t.Errorf("%d %s", res.StatusCode, got)
		}
	}
	if n := len(agent.asked()); n != 1 {
		t.Errorf("done %d times", n)
	}
}

// TestEveryVerbTwice: whatever the command, the second time it is only answered. A picture alone is taken anew.
func TestEveryVerbTwice(t *testing.T) {
	agent := newFakeAgent("cam")
	door := newDoor(t, Options{Service: agent})
	for _, verb := range api.Verbs() {
		was, first := len(agent.asked()), ""
		for range 2 {
			res := ask(door, "POST", "/api/v1/cameras/cam/"+verb, testkit.With(api.ExampleCommand(verb), map[string]any{"id": "the " + verb, "reply": nil}), asJSON)
			got, _ := io.ReadAll(res.Body)
			if first != "" && string(got) != first || strings.Contains(string(got), "bad_json") {
				t.Errorf("%s: %s, then %s", verb, first, got)
			}
			first = string(got)
		}
		want := 1
		if verb == "snapshot" {
			want = 2
		}
		if n := len(agent.asked()) - was; n != want {
			t.Errorf("%s was done %d times, want %d", verb, n, want)
		}
	}
}

type snapshots struct{}

func (snapshots) Snapshot(_ context.Context, camera string, _ api.Shot) ([]byte, error) {
	return []byte("jpeg of " + camera), nil
}

func TestSnapshot(t *testing.T) {
	agent := newFakeAgent("cam")
	door := newDoor(t, Options{Service: agent, Commands: dispatch.New(dispatch.Options{Service: agent, Snapshot: snapshots{}})})
	for accept, want := range map[string]string{
		"image/jpeg": "jpeg of cam", "image/*": "jpeg of cam",
		"*/*": `{"schema":1,"id":"1","ok":true,"result":{"bytes":11,"jpeg":"anBlZyBvZiBjYW0="}}` + "\n",
	} {
		res := ask(door, "POST", "/api/v1/cameras/cam/snapshot", `{"id":"1"}`, asJSON, "Accept: "+accept)
		got, _ := io.ReadAll(res.Body)
		isPicture := res.Header.Get("Content-Type") == "image/jpeg"
		if res.StatusCode != 200 || string(got) != want || isPicture != strings.HasPrefix(accept, "image/") {
			t.Errorf("%s: %d %s %s", accept, res.StatusCode, res.Header.Get("Content-Type"), got)
		}
	}
}

func TestCommandHasItsTime(t *testing.T) {
	agent := newFakeAgent("cam")
	agent.slow = make(chan struct{})
	door := newDoor(t, Options{Service: agent, Commands: dispatch.New(dispatch.Options{Service: agent, Timeout: 10 * time.Millisecond})})
	if res := ask(door, "POST", "/api/v1/cameras/cam/clear", "", asJSON); res.StatusCode != http.StatusGatewayTimeout {
		t.Errorf("%d, want 504", res.StatusCode)
	}
}

func TestReadiness(t *testing.T) {
	checks := []Check{{"camera cam", true, "running at 30 fps"}, {"broker", false, "mqtt: connect to 127.0.0.1:1883: connection refused"}}
	door := newDoor(t, Options{Health: func() []Check { return checks }})
	res := ask(door, "GET", "/readyz", "")
	body, _ := io.ReadAll(res.Body)
	if res.StatusCode != 503 || !strings.Contains(string(body), `{"name":"broker","ok":false,"reason":"mqtt: connect`) {
		t.Errorf("%d %s", res.StatusCode, body)
	}
	if res := ask(door, "GET", "/healthz", ""); res.StatusCode != 200 {
		t.Errorf("healthz %d: it says only that the process answers", res.StatusCode)
	}
	checks[1].OK = true
	if res := ask(door, "GET", "/readyz", ""); res.StatusCode != 200 {
		t.Errorf("%d with all well", res.StatusCode)
	}
}

func TestWithoutParts(t *testing.T) {
	if _, err := New(Options{}); err == nil {
		t.Error("no service: no error")
	}
	if _, err := New(Options{Service: newFakeAgent(), Token: "short"}); err == nil {
		t.Error("a token of five letters: no error")
	}
	door := newDoor(t, Options{Service: newFakeAgent()})
	for target, want := range map[string]int{"/whep/cam": 503, "/api/v1/schema": 404} {
		if res := ask(door, "GET", target, ""); res.StatusCode != want {
			t.Errorf("%s: %d, want %d", target, res.StatusCode, want)
		}
	}
	body, _ := io.ReadAll(ask(door, "GET", "/api/v1/cameras", "").Body)
	if got := strings.TrimSpace(string(body)); got != `{"schema":1,"cameras":[]}` {
		t.Errorf("no cameras: %s", got)
	}
}
