package web

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"

	"github.com/segedge/segedge/api"
)

// minToken keeps out tokens that could be guessed over a network.
const minToken = 16

var errShortToken = fmt.Errorf("web: the token is too short to protect anything: use at least %d characters, "+
	"or none to listen on loopback only", minToken)

// Token is a way in with the rights of a role.
type Token struct {
	Name  string // who has it, for the log
	Role  api.Role
	Token string
}

// key is a token and what the cookie of who came in with it holds: derived from the token, so that it does not reveal it.
type key struct {
	caller        api.Caller
	token, cookie string
}

// keys are all tokens of a door.
type keys []key

// newKeys are one token of every right, none if empty, and further ones.
func newKeys(token string, more []Token) (keys, error) {
	var ks keys
	if token != "" {
		more = append([]Token{{Role: api.RoleAdmin, Token: token}}, more...)
	}
	for _, t := range more {
		if len(t.Token) < minToken {
			return nil, errShortToken
		}
		if !(api.Caller{Role: t.Role}).May("snapshot") {
			return nil, errors.New("web: a token's role is view, prompt or admin")
		}
		ks = append(ks, key{api.Caller{Name: t.Name, Role: t.Role}, t.Token, cookieOf(t.Token)})
	}
	return ks, nil
}

func cookieOf(token string) string {
	mac := hmac.New(sha256.New, []byte(token))
	mac.Write([]byte("segedge page cookie"))
	return hex.EncodeToString(mac.Sum(nil))
}

// byToken finds the key of a token. It looks at all of them, whichever fits.
func (ks keys) byToken(token string) *key {
	return ks.find(func(k *key) bool { return same(token, k.token) })
}

// byCookie finds the key whose cookie a request carries.
func (ks keys) byCookie(r *http.Request) *key {
	for _, c := range r.CookiesNamed(cookieName(r)) {
		if k := ks.find(func(k *key) bool { return same(c.Value, k.cookie) }); k != nil {
			return k
		}
	}
	return nil
}

func (ks keys) find(fits func(*key) bool) (found *key) {
	for i := range ks {
		if fits(&ks[i]) {
			found = &ks[i]
		}
	}
	return found
}

// enter hands a request on as its caller's.
func (k *key) enter(next http.Handler, w http.ResponseWriter, r *http.Request) {
	next.ServeHTTP(w, r.WithContext(api.WithCaller(r.Context(), k.caller)))
}

// same compares in a time that does not depend on where the two differ, nor on their lengths.
func same(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}
