package web

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"
)

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// start serves until the returned function is called, which gives Serve's error.
func start(t *testing.T, h http.Handler) (addr string, stop func() error) {
	t.Helper()
	l := listen(t)
	return l.Addr().String(), serveOn(t, l, h)
}

// serveOn is start on a listener of the test's.
func serveOn(t *testing.T, l net.Listener, h http.Handler) (stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- Serve(ctx, l, h) }()
	return func() error {
		cancel()
		select {
		case err := <-done:
			return err
		case <-time.After(20 * time.Second):
			return fmt.Errorf("Serve did not return")
		}
	}
}

func TestServeFinishesRequests(t *testing.T) {
	in, out := make(chan struct{}), make(chan struct{})
	addr, stop := start(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(in)
		<-out
		_, _ = io.WriteString(w, "done")
	}))
	got := make(chan string, 1)
	go func() {
		res, err := http.Get("http://" + addr)
		if err != nil {
			got <- err.Error()
			return
		}
		defer res.Body.Close()
		body, _ := io.ReadAll(res.Body)
		got <- string(body)
	}()
	<-in
	stopped := make(chan error, 1)
	go func() { stopped <- stop() }()
	for { // the listener closes first
		c, err := net.Dial("tcp", addr)
		if err != nil {
			break
		}
		c.Close()
		runtime.Gosched()
	}
	close(out)
	if s := <-got; s != "done" {
		t.Errorf("the request in progress got %q", s)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}

// A request that never ends is told to, and does not hold the shutdown up.
func TestServeIsBounded(t *testing.T) {
	in, told := make(chan struct{}), make(chan struct{})
	addr, stop := start(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(in)
		<-r.Context().Done()
		close(told)
	}))
	go func() { _, _ = http.Get("http://" + addr) }()
	<-in
	if err := stop(); err != nil {
		t.Error(err)
	}
	<-told
}

func TestServeLimitsHeaders(t *testing.T) {
	addr, stop := start(t, newDoor(t, Options{}))
	defer func() { _ = stop() }()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, _ = fmt.Fprintf(c, "GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: %s\r\n\r\n", strings.Repeat("x", 2*maxHeaderBytes))
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("%d, want 431", res.StatusCode)
	}
}

func TestServeSaysWhyItCannot(t *testing.T) {
	l := listen(t)
	l.Close()
	err := Serve(t.Context(), l, newDoor(t, Options{}))
	if err == nil || !strings.Contains(err.Error(), "web: serve on 127.0.0.1:") {
		t.Errorf("%v", err)
	}
}

// Serving leaves no goroutine behind.
func TestServeJoins(t *testing.T) {
	before := runtime.NumGoroutine()
	for range 5 {
		addr, stop := start(t, newDoor(t, Options{}))
		client := &http.Client{Transport: &http.Transport{}}
		for _, path := range []string{"/", "/metrics", "/api/v1/info"} {
			res, err := client.Get("http://" + addr + path)
			if err != nil {
				t.Fatal(err)
			}
			_, _ = io.Copy(io.Discard, res.Body)
			res.Body.Close()
		}
		client.CloseIdleConnections()
		if err := stop(); err != nil {
			t.Fatal(err)
		}
	}
	deadline := time.Now().Add(10 * time.Second)
	for runtime.NumGoroutine() > before && time.Now().Before(deadline) {
		runtime.Gosched() // connections say goodbye on goroutines of their own
	}
	if n := runtime.NumGoroutine(); n > before {
		buf := make([]byte, 1<<20)
		t.Errorf("%d goroutines, %d before:\n%s", n, before, buf[:runtime.Stack(buf, true)])
	}
}
