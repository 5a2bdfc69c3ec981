package web

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"path"
	"strings"

	"github.com/segedge/segedge/api"
)

// minToken keeps out tokens that could be guessed over a network.
const minToken = 16

var errShortToken = fmt.Errorf("web: the token is too short to protect anything: use at least %d characters, or none to listen on loopback only", minToken)

// guard decides who may come in; the package comment says how.
type guard struct {
	token  string
	path   string // that the cookie is for
	cookie string // what the cookie holds: derived from the token, so that it does not reveal it
}

func newGuard(token, base string) *guard {
	mac := hmac.New(sha256.New, []byte(token))
	mac.Write([]byte("segedge page cookie"))
	return &guard{token: token, path: base + "/", cookie: hex.EncodeToString(mac.Sum(nil))}
}

func (g *guard) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == healthPath:
			next.ServeHTTP(w, r)
		case g.token == "":
			g.local(next, w, r)
		default:
			g.locked(next, w, r)
		}
	})
}

// local is the door without a token: loopback names only, and no other site's pages.
func (g *guard) local(next http.Handler, w http.ResponseWriter, r *http.Request) {
	switch {
	case !isLoopback(hostname(r.Host)):
		refuse(w, http.StatusMisdirectedRequest, fmt.Sprintf("this agent has no token and answers to localhost only, not to %q", r.Host))
	case !sameSite(r):
		refuse(w, http.StatusForbidden, foreign)
	default:
		next.ServeHTTP(w, r)
	}
}

// locked is the door with a token.
func (g *guard) locked(next http.Handler, w http.ResponseWriter, r *http.Request) {
	bearer, given := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	switch {
	case given && same(bearer, g.token):
		next.ServeHTTP(w, r) // whoever holds the token is no confused browser: players on other pages are welcome
	case isPreflight(r):
		next.ServeHTTP(w, r) // the Fetch standard sends it without credentials
	case r.Method == http.MethodGet && r.URL.Query().Has("token"):
		g.login(w, r)
	case !g.hasCookie(r):
		unauthorised(w, r, "this agent needs its token: Authorization: Bearer …, or open the page with ?token=…")
	case !sameSite(r):
		refuse(w, http.StatusForbidden, foreign)
	default:
		next.ServeHTTP(w, r)
	}
}

// login takes the token from the address, gives a cookie for it, and takes it out of the address, where histories
// and screenshots would keep it.
func (g *guard) login(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if !same(q.Get("token"), g.token) {
		unauthorised(w, r, "this token is not the agent's")
		return
	}
	http.SetCookie(w, &http.Cookie{
		Name: cookieName(r), Value: g.cookie, Path: g.path, MaxAge: 365 * 24 * 3600,
		HttpOnly: true, Secure: isSecure(r), SameSite: http.SameSiteStrictMode,
	})
	q.Del("token")
	// Relative to where the client is, which a proxy in front may have moved; "./" keeps a name with a colon from being a scheme.
	to := url.URL{Path: "./" + strings.TrimLeft(path.Base("/"+r.URL.Path), "/\\"), RawQuery: q.Encode()}
	if strings.HasSuffix(r.URL.Path, "/") {
		to.Path = "./"
	}
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Location", to.String())
	w.WriteHeader(http.StatusSeeOther)
}

func (g *guard) hasCookie(r *http.Request) bool {
	for _, c := range r.CookiesNamed(cookieName(r)) {
		if same(c.Value, g.cookie) {
			return true
		}
	}
	return false
}

// cookieName carries the port: cookies do not know ports, and two agents may share a host.
func cookieName(r *http.Request) string {
	if _, port, err := net.SplitHostPort(r.Host); err == nil {
		return "segedge_" + port
	}
	return "segedge"
}

// sameSite reports whether a request may carry the rights of the page: it reads only, or it comes from a page of this
// very origin, or from no page at all. The browser's own word on that (Fetch Metadata, Sec-Fetch-Site) goes before a comparison of
// Origin with Host, which a proxy in front may have rewritten; no page can forge either.
func sameSite(r *http.Request) bool {
	if r.Method == http.MethodGet || r.Method == http.MethodHead || r.Method == http.MethodOptions {
		return true
	}
	switch r.Header.Get("Sec-Fetch-Site") {
	case "same-origin", "none":
		return true
	case "":
	default:
		return false
	}
	origin := r.Header.Get("Origin")
	if origin == "" {
		return true
	}
	u, err := url.Parse(origin)
	return err == nil && u.Host != "" && strings.EqualFold(u.Host, r.Host)
}

// foreign says why a request was refused, and what to do where it came from this page after all.
const foreign = "the request comes from another site's page; if that is this page behind a proxy, have the proxy keep the Host header, or set http.trusted_proxies"

func isPreflight(r *http.Request) bool {
	return r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != ""
}

// same compares in a time that does not depend on where the two differ, nor on their lengths.
func same(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}

func hostname(host string) string {
	if h, _, err := net.SplitHostPort(host); err == nil {
		return h
	}
	return strings.Trim(host, "[]")
}

// isLoopback reports whether a host name means this machine by definition (RFC 6761, section 6.3), whatever a name
// server says.
func isLoopback(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

// CheckListen says, in one sentence, why an agent with this token may not listen on this address; nil when it may.
func CheckListen(addr, token string) error {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("http.listen %q is no host:port: write 127.0.0.1:8080, or :8080 for every interface", addr)
	}
	if token != "" {
		if len(token) < minToken {
			return errShortToken
		}
		return nil
	}
	if isLoopback(host) {
		return nil
	}
	return fmt.Errorf("http.listen %s can be reached from the network and there is no token: set http.token, or listen on %s",
		addr, net.JoinHostPort("127.0.0.1", port))
}

//go:embed login.html
var loginPage []byte

// unauthorised answers a person with a form and a program with JSON.
func unauthorised(w http.ResponseWriter, r *http.Request, sentence string) {
	w.Header().Set("WWW-Authenticate", `Bearer realm="segedge"`)
	if r.Method == http.MethodGet && strings.Contains(r.Header.Get("Accept"), "text/html") {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Content-Security-Policy", loginPolicy)
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = w.Write(loginPage)
		return
	}
	refuse(w, http.StatusUnauthorized, sentence)
}

func refuse(w http.ResponseWriter, status int, sentence string) {
	code := api.Unauthorised
	if status == http.StatusMisdirectedRequest {
		code = api.BadRequest
	}
	body, _ := json.Marshal(api.Refuse("", code, sentence)) // two strings: it cannot fail
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n'))
}
