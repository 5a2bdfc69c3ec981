package libav

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/segedge/segedge/capture"
)

// answer is a server that says one thing to whoever connects.
func answer(t *testing.T, say func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go say(c)
		}
	}()
	return l.Addr().String()
}

// rtspAnswer answers every RTSP request with a status.
func rtspAnswer(status string) func(net.Conn) {
	return func(c net.Conn) {
		defer c.Close()
		buf := make([]byte, 4096)
		for n := 1; ; n++ {
			if _, err := c.Read(buf); err != nil {
				return
			}
			fmt.Fprintf(c, "RTSP/1.0 %s\r\nCSeq: %d\r\nWWW-Authenticate: Basic realm=\"cam\"\r\n\r\n", status, n)
		}
	}
}

// The reason is the reason: what a person has to do differs.
func TestReasonsAreToldApart(t *testing.T) {
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/401":
			w.WriteHeader(http.StatusUnauthorized)
		case "/403":
			w.WriteHeader(http.StatusForbidden)
		case "/503":
			w.WriteHeader(http.StatusServiceUnavailable)
		case "/page":
			fmt.Fprint(w, "<html>log in, please</html>")
		default:
			http.NotFound(w, r)
		}
	}))
	defer web.Close()
	safe := httptest.NewTLSServer(web.Config.Handler)
	defer safe.Close()
	for address, want := range map[string]string{
		"rtsp://u:geheim@" + answer(t, rtspAnswer("401 Unauthorized")) + "/a":     "password is wrong, or missing (401)",
		"rtsp://u:geheim@" + answer(t, rtspAnswer("404 Stream Not Found")) + "/a": "nothing under this path (404)",
		"rtsp://u:geheim@" + freeAddress(t) + "/a":                                "connection refused",
		"rtsp://u:geheim@" + answer(t, func(c net.Conn) { c.Close() }) + "/a":     "",
		"http://u:geheim@" + web.Listener.Addr().String() + "/401":                "(401)",
		web.URL + "/403":                         "(403)",
		web.URL + "/404":                         "(404)",
		web.URL + "/503":                         "(5xx)",
		web.URL + "/page":                        "not a video",
		safe.URL + "/page":                       "not a video", // a goodbye is said, after the opening has failed
		"http://" + freeAddress(t) + "/a":        "connection refused",
		"rtsp://u:geheim@no-such-host.invalid/a": "",
	} {
		spec, err := capture.ParseSource(address)
		if err != nil {
			t.Fatal(err)
		}
		_, err = Open(t.Context(), spec)
		if err == nil || errors.Is(err, capture.ErrPermanent) || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "geheim") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want %q", address, err, want)
		}
		t.Log(err)
	}
}

// A server that takes the connection and then says nothing holds nobody for longer than the context lasts.
func TestASilentServerEndsWithTheContext(t *testing.T) {
	address := answer(t, func(c net.Conn) {
		_, _ = c.Read(make([]byte, 4096)) // the first request, for which it has no answer
	})
	for _, scheme := range []string{"rtsp", "http"} {
		spec, err := capture.ParseSource(scheme + "://" + address + "/a")
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() {
			_, err := Open(ctx, spec)
			ended <- err
		}()
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", scheme, err)
		}
	}
}
