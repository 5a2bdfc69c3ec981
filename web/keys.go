package web

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

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

// mostCookies is how many cookies of one request are tried: a browser that has been at several agents of a host sends a few of one name.
const mostCookies = 4

// key is a token and what the cookie of who came in with it holds: derived from the token, so that it does not reveal it, and from a
// secret of the agent's, so that nobody can make it of a token that they guess.
type key struct {
	caller        api.Caller
	token, cookie string
	valid         context.Context // until the token is taken away, or means another caller
	revoke        context.CancelFunc
}

func newKey(caller api.Caller, token, cookie string) key {
	valid, revoke := context.WithCancel(context.Background())
	return key{caller, token, cookie, valid, revoke}
}

// keys are all tokens of a door.
type keys []key

// newKeys are one token of every right, none if empty, and further ones. Their cookies are made with a secret.
func newKeys(cookieKey []byte, token string, more []Token) (keys, error) {
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
		ks = append(ks, newKey(api.Caller{Name: t.Name, Role: t.Role}, t.Token, cookieFor(cookieKey, t.Token)))
	}
	return ks, nil
}

func cookieFor(cookieKey []byte, token string) string {
	mac := hmac.New(sha256.New, cookieKey)
	mac.Write([]byte("segedge page cookie " + token))
	return hex.EncodeToString(mac.Sum(nil))
}

// byToken finds the key of a token. It looks at all of them, whichever fits.
func (ks keys) byToken(token string) *key {
	return ks.find(func(k *key) bool { return same(token, k.token) })
}

// byCookie finds the key whose cookie a request carries.
func (ks keys) byCookie(r *http.Request) *key {
	cookies := r.CookiesNamed(cookieName(r))
	for _, c := range cookies[:min(len(cookies), mostCookies)] {
		if k := ks.find(func(k *key) bool { return same(c.Value, k.cookie) }); k != nil {
			return k
		}
	}
	return nil
}

// newCookieKey is a secret that no cookie has been made with.
func newCookieKey() []byte {
	b := make([]byte, sha256.Size)
	_, _ = rand.Read(b) // never fails (crypto/rand)
	return b
}

func (ks keys) find(fits func(*key) bool) (found *key) {
	for i := range ks {
		if fits(&ks[i]) {
			found = &ks[i]
		}
	}
	return found
}

// replace takes the place of keys that were valid before: what is the same stays valid, what is gone is so for requests under way too.
func (ks keys) replace(before keys) {
	for _, old := range before {
		same := func(k key) bool { return k.caller == old.caller && k.token == old.token }
		if i := slices.IndexFunc(ks, same); i >= 0 {
			ks[i].revoke()
			ks[i].valid, ks[i].revoke = old.valid, old.revoke
		} else {
			old.revoke()
		}
	}
}

// enter hands a request on as its caller's, for as long as the key is valid: who holds a body back keeps no rights by it. What ends the
// reads of this request has ended when enter returns, so that it never meets the connection's next.
func (k *key) enter(next http.Handler, w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	ended := make(chan struct{})
	leave := context.AfterFunc(k.valid, func() {
		defer close(ended)
		_ = http.NewResponseController(w).SetReadDeadline(time.Unix(1, 0)) // ends a read of the body that waits
		cancel()
	})
	defer func() {
		if !leave() {
			<-ended
		}
	}()
	ctx = context.WithValue(ctx, validKey{}, k.valid)
	next.ServeHTTP(w, r.WithContext(api.WithCaller(ctx, k.caller)))
}

type validKey struct{}

// revoked reports whether the key that a request came in with is valid no more.
func revoked(r *http.Request) bool {
	valid, ok := r.Context().Value(validKey{}).(context.Context)
	return ok && valid.Err() != nil
}

// same compares in a time that does not depend on where the two differ, nor on their lengths.
func same(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}
