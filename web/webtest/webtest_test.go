package webtest

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

func TestInside(t *testing.T) {
	for address, want := range map[string]bool{
		"http://127.0.0.1:8080/":     true,
		"http://127.0.0.1:8080/a?b":  true,
		"http://127.0.0.1:9090/":     false,
		"https://cdn.example/app.js": false,
		"data:image/png;base64,AA":   true,
		"blob:http://127.0.0.1/1":    true,
		"about:blank":                true,
		"://":                        false,
	} {
		if got := Inside(address, "127.0.0.1:8080"); got != want {
			t.Errorf("%s: %v, want %v", address, got, want)
		}
	}
}

// A bad page is caught at each of its sins.
func TestWatchSeesProblems(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte(`<link rel=icon href=data:,><img src="http://127.0.0.1:1/x.png"><script>console.error("sin", 2); setTimeout(() => { throw new Error("thrown") });</script>`))
	}))
	defer s.Close()
	tab, _ := Chromium(t)
	watch, err := NewWatch(tab, strings.TrimPrefix(s.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	if err := chromedp.Do(tab, chromedp.Navigate(s.URL)); err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Run(tab, chromedp.Evaluate[int](`new Promise((r) => setTimeout(() => r(1), 50))`, chromedp.EvalAwaitPromise)); err != nil {
		t.Fatal(err)
	}
	got := strings.Join(watch.Problems(), "\n")
	for _, want := range []string{"outside request: http://127.0.0.1:1/x.png", `console: "sin" 2`, "thrown"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in:\n%s", want, got)
		}
	}
	if len(watch.Requests()) < 2 {
		t.Errorf("requests: %q", watch.Requests())
	}
}
