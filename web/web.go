package web

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/api/dispatch"
	"github.com/segedge/segedge/throttle"
)

// Options are the parts that the door leads to. Only Service is needed.
type Options struct {
	Service  api.Service
	Commands *dispatch.Dispatcher // shared with the other doors; nil makes one of its own
	WHEP     http.Handler         // mounted under /whep/ with its whole path; nil answers 503 there
	Review   http.Handler         // the page that judges what is kept to learn from, mounted under /review/ without that; nil answers 404
	Health   func() []Check       // nil: ready as soon as it listens
	Vitals   func() Vitals        // for /metrics; may be nil
	Schema   json.RawMessage      // the JSON Schema document; nil answers 404
	Token    string               // of every right; without any token: loopback only
	Tokens   []Token              // further ones
	// CookieKey is the secret that the page's cookies are made with: who is in stays in as long as it is the same. Empty is a random one,
	// and who is in has to log in again after a restart.
	CookieKey []byte
	// Picture is a JPEG of what a camera shows now and the frame's sequence, with the overlay or without, reduced to a width unless that
	// is 0. Nil answers 404.
	Picture func(ctx context.Context, camera string, overlay bool, width int) (jpeg []byte, frame uint64, err error)
	// Clips are the recordings; nil is none.
	Clips Clips
	// BasePath is the path that a proxy in front serves the agent below, such as /cam/yard, where it does not take it off itself.
	BasePath string
	// TrustedProxies are the addresses and networks of proxies whose X-Forwarded-Host, -Proto and -For are believed.
	TrustedProxies []string
	Version        string           // shown by /healthz and the page
	Logger         *slog.Logger     // nil discards
	Now            func() time.Time // for tests; nil is time.Now
}

// Server is the door. Safe for concurrent use; it starts nothing.
type Server struct {
	opts    Options
	guard   *guard
	metrics *metrics
	handler http.Handler
	readers chan struct{} // of clips
}

// New builds the door.
func New(o Options) (*Server, error) {
	if o.Service == nil {
		return nil, errors.New("web: no service to hand commands to")
	}
	if len(o.CookieKey) == 0 {
		o.CookieKey = newCookieKey()
	}
	ks, err := newKeys(o.CookieKey, o.Token, o.Tokens)
	if err != nil {
		return nil, err
	}
	o.Logger = cmp.Or(o.Logger, slog.New(slog.DiscardHandler))
	if o.Commands == nil {
		o.Commands = dispatch.New(dispatch.Options{Service: o.Service, Logger: o.Logger})
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	front, err := newFront(o.BasePath, o.TrustedProxies)
	if err != nil {
		return nil, err
	}
	page, err := newPage()
	if err != nil {
		return nil, err
	}
	door := &guard{anyone: newKey(api.Caller{}, "", ""), path: front.base + "/", tries: throttle.New(o.Now), log: o.Logger}
	s := &Server{opts: o, guard: door, metrics: newMetrics(&o), readers: make(chan struct{}, mostReaders)}
	s.guard.hold(ks)
	s.handler = secure(front.wrap(s.guard.wrap(s.routes(page))))
	return s, nil
}

// Local is a page for this machine alone, without a token: it answers to loopback names and to no other site's pages.
func Local(next http.Handler) http.Handler {
	g := &guard{anyone: newKey(api.Caller{}, "", "")}
	return secure(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { g.local(next, w, r) }))
}

// SetTokens changes who may come in. Who is in with a token that is gone is out. A door that has tokens keeps at least one: where it may
// be reached from was decided with them.
func (s *Server) SetTokens(token string, more []Token) error {
	ks, err := newKeys(s.opts.CookieKey, token, more)
	switch {
	case err != nil:
		return err
	case len(ks) == 0 && len(s.guard.keys()) > 0:
		return errors.New("web: to take the last token away needs a restart")
	}
	s.guard.hold(ks)
	return nil
}

// ServeHTTP answers a request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

func (s *Server) routes(page http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", page)
	mux.HandleFunc("GET /api/v1/info", s.info)
	mux.HandleFunc("GET /api/v1/schema", s.schema)
	mux.HandleFunc("GET /api/v1/cameras", s.cameras)
	mux.HandleFunc("GET /api/v1/cameras/{camera}/state", s.state)
	mux.HandleFunc("GET /api/v1/cameras/{camera}/objects", s.objects)
	mux.HandleFunc("GET /api/v1/cameras/{camera}/snapshot.jpg", s.snapshot)
	mux.HandleFunc("GET /api/v1/cameras/{camera}/clips", s.clips)
	mux.HandleFunc("GET /api/v1/cameras/{camera}/clips/{name}", s.clip)
	mux.HandleFunc("POST /api/v1/cameras/{camera}/{verb}", s.command)
	mux.HandleFunc("GET /api/v1/cameras/{camera}/{verb}", s.wrongMethod)
	mux.HandleFunc("GET /api/", s.nothing)
	mux.Handle("/whep/", s.whep())
	if s.opts.Review != nil {
		mux.HandleFunc("GET /review", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "review/") // relative: a proxy may have the agent below a path
			w.WriteHeader(http.StatusMovedPermanently)
		})
		mux.Handle("/review/", http.StripPrefix("/review", s.opts.Review))
	}
	mux.Handle("GET /metrics", s.metrics.handler())
	mux.HandleFunc("GET "+healthPath, s.healthz)
	mux.HandleFunc("GET /readyz", s.readyz)
	return mux
}

func (s *Server) whep() http.Handler {
	if s.opts.WHEP != nil {
		return s.opts.WHEP
	}
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "5")
		s.reply(w, api.Refuse("", api.NotReady, "this agent streams no video"))
	})
}

// secure sets the headers that every answer carries: a page that loads nothing from outside, runs no script but its
// own, sits in nobody's frame and tells nobody its address.
func secure(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", contentSecurityPolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
		next.ServeHTTP(w, r)
	})
}
