package web

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/segedge/segedge/api"
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
	if answered != loginBurst {
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
	now = now.Add(loginEvery)
	if res := try("10.0.0.9:3", "Authorization: Bearer "+token); res.StatusCode != 200 {
		t.Errorf("after a while: %d", res.StatusCode)
	}
}

func TestThrottleForgets(t *testing.T) {
	now := time.Unix(0, 0)
	s := newThrottle(func() time.Time { return now })
	for i := range 3 * maxStrange {
		s.failed(fmt.Sprintf("10.%d.%d.%d:1", i>>16, i>>8&255, i&255))
	}
	if len(s.owes) > maxStrange {
		t.Errorf("%d addresses are remembered", len(s.owes))
	}
	for range loginBurst {
		s.failed("[2001:db8::1]:1")
	}
	if s.wait("[2001:db8::ffff]:9") == 0 || s.wait("[2001:db8:0:1::1]:9") != 0 || s.wait("nonsense") != 0 {
		t.Error("one host has a network of 64 bits to itself")
	}
}
