package web

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestProfilesAreForThisMachine(t *testing.T) {
	for host, status := range map[string]int{"localhost:6060": 200, "127.0.0.1": 200, "evil.example": 421} {
		r := httptest.NewRequest(http.MethodGet, "/debug/pprof/goroutine?debug=1", http.NoBody)
		r.Host = host
		w := httptest.NewRecorder()
		Profiles().ServeHTTP(w, r)
		body, _ := io.ReadAll(w.Body)
		if w.Code != status || status == 200 && !strings.Contains(string(body), "goroutine profile") {
			t.Errorf("%s: %d %s", host, w.Code, body)
		}
	}
}
