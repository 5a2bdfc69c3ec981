package web

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// front is what lies before the agent: the path that it is reached below, and the proxies whose word on the client is believed.
type front struct {
	base    string // "/cam/yard", empty at the root
	trusted []netip.Prefix
}

func newFront(base string, trusted []string) (front, error) {
	f := front{base: strings.TrimRight(base, "/")}
	if f.base != "" &&
		(f.base[0] != '/' || strings.ContainsAny(f.base, "?#%\\;\"' ") ||
			strings.Contains(f.base+"/", "/../") || strings.Contains(f.base, "//")) {
		return f, fmt.Errorf("web: base path %q: write it as /cam/yard", base)
	}
	for _, s := range trusted {
		p, err := netip.ParsePrefix(s)
		if err != nil {
			addr, bad := netip.ParseAddr(s)
			if bad != nil {
				return f, fmt.Errorf("web: trusted proxy %q is neither an address nor a network such as 10.0.0.0/8", s)
			}
			p = netip.PrefixFrom(addr, addr.BitLen())
		}
		f.trusted = append(f.trusted, p.Masked())
	}
	return f, nil
}

type secureKey struct{}

// isSecure reports whether the client came over TLS, to the agent or to the proxy before it.
func isSecure(r *http.Request) bool {
	forwarded, _ := r.Context().Value(secureKey{}).(bool)
	return r.TLS != nil || forwarded
}

// wrap lets the door see requests as their client sent them: below no path, and, where a trusted proxy says so, with the host that
// the client asked for, its own address, and whether that was TLS. What anybody else says of it stays unread.
func (f front) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path := r.URL.Path
		if f.base != "" && path == f.base {
			to := url.URL{Path: f.base + "/", RawQuery: r.URL.RawQuery} // the page's addresses are relative
			http.Redirect(w, r, to.String(), http.StatusPermanentRedirect)
			return
		}
		believed := f.trusts(r.RemoteAddr)
		below, ok := strings.CutPrefix(path, f.base+"/")
		if !believed && (!ok || f.base == "") {
			next.ServeHTTP(w, r)
			return
		}
		ctx := r.Context()
		if believed && r.Header.Get("X-Forwarded-Proto") == "https" {
			ctx = context.WithValue(ctx, secureKey{}, true)
		}
		q := r.WithContext(ctx)
		if ok && f.base != "" {
			q.URL = &url.URL{Path: "/" + below, RawQuery: r.URL.RawQuery}
		}
		if believed {
			f.believe(q, r.Header)
		}
		next.ServeHTTP(w, q)
	})
}

func (f front) trusts(addr string) bool {
	ip, err := netip.ParseAddr(hostname(addr))
	if err != nil {
		return false
	}
	for _, p := range f.trusted {
		if p.Contains(ip.Unmap().WithZone("")) {
			return true
		}
	}
	return false
}

// believe takes host and client from a trusted proxy's headers: of a chain the last client that is no trusted proxy. No header makes a
// request one for this machine itself: a page whose name was bound to a loopback address comes from a trusted one, and may send it.
func (f front) believe(r *http.Request, h http.Header) {
	if host := h.Get("X-Forwarded-Host"); host != "" && !strings.ContainsAny(host, ", /\\") && !isLoopback(hostname(host)) {
		r.Host = host
	}
	chain := strings.Split(strings.Join(h.Values("X-Forwarded-For"), ","), ",")
	for _, c := range slices.Backward(chain) {
		client := strings.TrimSpace(c)
		if _, err := netip.ParseAddr(hostname(client)); err != nil {
			return
		}
		r.RemoteAddr = net.JoinHostPort(hostname(client), "0")
		if !f.trusts(r.RemoteAddr) {
			return
		}
	}
}
