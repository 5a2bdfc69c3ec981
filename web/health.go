package web

import (
	"net/http"
)

const healthPath = "/healthz"

// Check is one thing that must be well for the agent to be of use: a camera, the model, the broker.
type Check struct {
	Name   string `json:"name"`
	OK     bool   `json:"ok"`
	Reason string `json:"reason"` // in words, also when all is well
}

// healthz says that the process answers, nothing more: what it cannot reach is readyz's business, and restarting
// would not mend it.
func (s *Server) healthz(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write([]byte("ok\n"))
}

func (s *Server) readyz(w http.ResponseWriter, _ *http.Request) {
	answer := struct {
		Ready  bool    `json:"ready"`
		Checks []Check `json:"checks"`
	}{Ready: true, Checks: []Check{}}
	if s.opts.Health != nil {
		answer.Checks = append(answer.Checks, s.opts.Health()...)
	}
	status := http.StatusOK
	for _, c := range answer.Checks {
		if !c.OK {
			answer.Ready, status = false, http.StatusServiceUnavailable
		}
	}
	s.write(w, status, answer)
}
