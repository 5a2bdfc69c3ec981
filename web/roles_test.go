package web

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/throttle"
)

// callers are three people with a role each.
var callers = []Token{{"wall", api.RoleView, "view-0123456789abcdef"}, {"desk", api.RolePrompt, "prompt-0123456789abcd"}, {"boss", api.RoleAdmin, "admin-0123456789abcde"}}

func TestRolesOfTokens(t *testing.T) {
	var log bytes.Buffer
	whep := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, api.CallerOf(r.Context()).Name) })
	door := newDoor(t, Options{Tokens: callers, WHEP: whep, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	status := map[string][3]int{
		"GET /": {200, 200, 200}, "GET /metrics": {200, 200, 200}, "POST /whep/cam": {200, 200, 200},
		"POST /api/v1/cameras/cam/clear": {403, 200, 200}, "POST /api/v1/cameras/cam/pause": {403, 403, 200},
	}
	for request, want := range status {
		method, target, _ := strings.Cut(request, " ")
		for i, c := range callers {
			for _, header := range []string{"Authorization: Bearer " + c.Token, "Cookie: segedge_8080=" + cookieOf(c.Token)} {
				if res := ask(door, method, target, "", asJSON, "Host: box.lan:8080", header); res.StatusCode != want[i] {
					t.Errorf("%s as %s: %d, want %d", request, c.Name, res.StatusCode, want[i])
				}
			}
		}
	}
	text := log.String()
	for _, want := range []string{`msg="a command was refused" door=http camera=cam verb=clear id="" who=wall code=forbidden`, `msg="a command was done" door=http camera=cam verb=pause id="" who=boss`} {
		if !strings.Contains(text, want) {
			t.Errorf("the log lacks %s in\n%s", want, text)
		}
	}
}

func TestTokensThatAreNone(t *testing.T) {
	for _, tokens := range [][]Token{{{"a", api.RoleView, "short"}}, {{"a", "guest", "0123456789abcdefg"}}, {{"a", api.RoleView, ""}}} {
		if _, err := New(Options{Service: newFakeAgent("cam"), Tokens: tokens}); err == nil {
			t.Errorf("%+v", tokens)
		}
	}
}

// Who holds back the body of a command keeps no rights by it: a token that is taken away, or has another role, ends the request at once.
// Others' requests go on, and so do commands that were given whole.
func TestRightsEndWhileABodyIsHeldBack(t *testing.T) {
	change := map[string][]Token{
		"gone": callers[:2], "of another role": {callers[0], callers[1], {"boss", api.RoleView, callers[2].Token}}, "of another name": {callers[0], callers[1], {"chef", api.RoleAdmin, callers[2].Token}},
		"the same": callers, "in another order": {callers[2], callers[0]},
	}
	for name, next := range change {
		agent := newFakeAgent("cam")
		door, err := New(Options{Service: agent, Tokens: callers})
		if err != nil {
			t.Fatal(err)
		}
		entered := make(chan struct{}, 1)
		box := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r.Body = told{r.Body, entered}
			door.ServeHTTP(w, r)
		}))
		body, rest := io.Pipe()
		answer := make(chan int, 1)
		go func() {
			req, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, box.URL+"/api/v1/cameras/cam/pause", body)
			req.Header.Set("Authorization", "Bearer "+callers[2].Token)
			req.Header.Set("Content-Type", "application/json")
			res, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Error(err)
				answer <- 0
				return
			}
			res.Body.Close()
			answer <- res.StatusCode
		}()
		<-entered // the body is being read
		if err := door.SetTokens("", next); err != nil {
			t.Fatal(err)
		}
		want := http.StatusUnauthorized
		if strings.HasPrefix(name, "the same") || strings.HasPrefix(name, "in another") {
			want = http.StatusOK
			_, _ = io.WriteString(rest, "{}")
			rest.Close()
		}
		got := <-answer
		agent.mu.Lock()
		done := len(agent.commands)
		agent.mu.Unlock()
		if got != want || (done > 0) != (want == http.StatusOK) {
			t.Errorf("a token that is %s: %d, want %d; %d commands", name, got, want, done)
		}
		rest.Close()
		box.Close()
	}
}

// told says when a body is read.
type told struct {
	io.ReadCloser
	begun chan struct{}
}

func (b told) Read(p []byte) (int, error) {
	select {
	case b.begun <- struct{}{}:
	default:
	}
	return b.ReadCloser.Read(p)
}

// 200 guesses are not 200 answers; who is in stays in, other addresses too, and time mends it.
func TestFailedLoginsAreThrottled(t *testing.T) {
	now := time.Unix(0, 0)
	door := newDoor(t, Options{Token: token, Now: func() time.Time { return now }})
	try := func(from string, headers ...string) *http.Response {
		return ask(door, "GET", "/api/v1/info", "", append([]string{"Host: box.lan:8080", "Remote: " + from}, headers...)...)
	}
	answered := 0
	for i := range 200 {
		if res := try("10.0.0.9:1", fmt.Sprintf("Authorization: Bearer guess-%d", i)); res.StatusCode == http.StatusUnauthorized {
			answered++
		} else if res.StatusCode != http.StatusTooManyRequests || res.Header.Get("Retry-After") == "" {
			t.Fatalf("guess %d: %d", i, res.StatusCode)
		}
	}
	if answered != throttle.Burst {
		t.Errorf("%d of 200 guesses were answered", answered)
	}
	if res := try("10.0.0.9:2", "Authorization: Bearer "+token); res.StatusCode != 429 {
		t.Errorf("the right one among guesses: %d", res.StatusCode)
	}
	if res := try("10.0.0.9:2", "Cookie: segedge_8080="+cookieOf(token)); res.StatusCode != 200 {
		t.Errorf("who is in: %d", res.StatusCode)
	}
	if res := try("10.0.0.8:1", "Authorization: Bearer "+token); res.StatusCode != 200 {
		t.Errorf("another address: %d", res.StatusCode)
	}
	now = now.Add(throttle.Every)
	if res := try("10.0.0.9:3", "Authorization: Bearer "+token); res.StatusCode != 200 {
		t.Errorf("after a while: %d", res.StatusCode)
	}
}
