package web

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
	"testing"
)

// A cookie cannot be computed of a token that is guessed: guesses at tokens are counted, cookies are not.
func TestACookieCannotBeMadeOfATokenAlone(t *testing.T) {
	mac := hmac.New(sha256.New, []byte(token))
	mac.Write([]byte("segedge page cookie"))
	guess := hex.EncodeToString(mac.Sum(nil))
	login := func(door *Server) string {
		res := ask(door, "GET", "/?token="+token, "", "Host: box.lan:8080")
		if len(res.Cookies()) != 1 {
			t.Fatalf("login: %s", res.Status)
		}
		return res.Cookies()[0].Value
	}
	enter := func(door *Server, cookies ...string) int {
		line := "Cookie: segedge_8080=" + strings.Join(cookies, "; segedge_8080=")
		return ask(door, "GET", "/api/v1/info", "", "Host: box.lan:8080", line).StatusCode
	}
	open := func(key string) *Server { return newDoor(t, Options{Token: token, CookieKey: []byte(key)}) }
	door, restarted, other := open("a secret"), open("a secret"), open("another")
	unkept, unkeptToo := open(""), open("")
	good := login(door)
	for name, c := range map[string]struct {
		door    *Server
		cookies []string
		want    int
	}{
		"own":                        {door, []string{good}, http.StatusOK},
		"made of the token":          {door, []string{guess}, http.StatusUnauthorized},
		"made of the token, no key":  {unkept, []string{guess}, http.StatusUnauthorized},
		"after a restart":            {restarted, []string{good}, http.StatusOK},
		"another agent's":            {other, []string{good}, http.StatusUnauthorized},
		"no key is a key of its own": {unkeptToo, []string{login(unkept)}, http.StatusUnauthorized},
		"the fourth":                 {door, []string{"a", "b", "c", good}, http.StatusOK},
		"the fifth is not looked at": {door, []string{"a", "b", "c", "d", good}, http.StatusUnauthorized},
	} {
		if got := enter(c.door, c.cookies...); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
	if err := door.SetTokens(token, []Token{callers[0]}); err != nil {
		t.Fatal(err)
	}
	if got := enter(door, good); got != http.StatusOK {
		t.Errorf("who is in after another token was added: %d", got)
	}
}
