package web

import (
	"net/http"
	"net/http/pprof"
)

// Profiles serves Go's profiles under /debug/pprof/, to this machine's own names only. It has no token: listen on loopback.
func Profiles() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !isLoopback(hostname(r.Host)) {
			refuse(w, http.StatusMisdirectedRequest, "profiles are for this machine only")
			return
		}
		mux.ServeHTTP(w, r)
	})
}
