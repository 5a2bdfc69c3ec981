package web

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"path"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/throttle"
)

// guard decides who may come in; the package comment says how.
type guard struct {
	changing sync.Mutex
	held     atomic.Pointer[keys]
	anyone   key    // who comes to a door without tokens
	path     string // that the cookie is for
	tries    *throttle.Throttle
	log      *slog.Logger
}

// hold asks for other keys from now on.
func (g *guard) hold(ks keys) {
	g.changing.Lock()
	defer g.changing.Unlock()
	if before := g.held.Load(); before != nil {
		if len(*before) == 0 && len(ks) > 0 {
			g.anyone.revoke()
		}
		ks.replace(*before)
	}
	g.held.Store(&ks)
}

func (g *guard) keys() keys { return *g.held.Load() }

// wrong answers who came with a wrong token.
func (g *guard) wrong(w http.ResponseWriter, r *http.Request) {
	g.tries.Failed(r.RemoteAddr)
	g.log.Warn("somebody came with a wrong token", "from", hostname(r.RemoteAddr))
	unauthorised(w, r, "this token is not the agent's")
}

func (g *guard) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == healthPath:
			next.ServeHTTP(w, r)
		case len(g.keys()) == 0:
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
		g.anyone.enter(next, w, r)
	}
}

// locked is the door with tokens.
func (g *guard) locked(next http.Handler, w http.ResponseWriter, r *http.Request) {
	bearer, given := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	shown := r.Method == http.MethodGet && r.URL.Query().Has("token")
	if cookie := g.keys().byCookie(r); cookie != nil && !given && !shown {
		if !sameSite(r) {
			refuse(w, http.StatusForbidden, foreign)
			return
		}
		cookie.enter(next, w, r)
		return
	}
	switch {
	case isPreflight(r):
		next.ServeHTTP(w, r) // the Fetch standard sends it without credentials
	case !given && !shown:
		unauthorised(w, r, "this agent needs its token: Authorization: Bearer …, or open the page with ?token=…")
	case g.tries.Wait(r.RemoteAddr) > 0:
		w.Header().Set("Retry-After", strconv.Itoa(int(g.tries.Wait(r.RemoteAddr)/time.Second)+1))
		refuse(w, http.StatusTooManyRequests, "too many wrong tokens came from this address: wait a while")
	case given:
		if k := g.keys().byToken(bearer); k != nil {
			k.enter(next, w, r) // whoever holds the token is no confused browser: players on other pages are welcome
			return
		}
		g.wrong(w, r)
	default:
		g.login(w, r)
	}
}

// login takes the token from the address, gives a cookie for it, and takes it out of the address, where histories
// and screenshots would keep it.
func (g *guard) login(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	k := g.keys().byToken(q.Get("token"))
	if k == nil {
		g.wrong(w, r)
		return
	}
	http.SetCookie(w, &http.Cookie{ // #nosec G124 -- Secure where the connection is; plain HTTP on a home network has none
		Name: cookieName(r), Value: k.cookie, Path: g.path, MaxAge: 365 * 24 * 3600,
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
const foreign = "the request comes from another site's page; if that is this page behind a proxy, " +
	"have the proxy keep the Host header, or set http.trusted_proxies"

func isPreflight(r *http.Request) bool {
	return r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != ""
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
	return fmt.Errorf("http.listen %s can be reached from the network and there is no token: give one of %d characters or more with "+
		"--token TOKEN or SEGEDGE_HTTP_TOKEN=TOKEN, or as http.token in the file; or listen on %s",
		addr, minToken, net.JoinHostPort("127.0.0.1", port))
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
	switch status {
	case http.StatusMisdirectedRequest:
		code = api.BadRequest
	case http.StatusTooManyRequests:
		code = api.Overloaded
	}
	body, _ := json.Marshal(api.Refuse("", code, sentence)) // two strings: it cannot fail
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n'))
}
