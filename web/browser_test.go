package web

import (
	"context"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/web/webtest"
)

// browser is a page on a fake agent, in a real Chromium.
type browser struct {
	*testing.T
	agent  *fakeAgent
	whep   *fakeWHEP
	server *httptest.Server
	tab    context.Context
	watch  *webtest.Watch
}

func openPage(t *testing.T, cameras ...string) *browser {
	t.Helper()
	if webtest.Find() == "" {
		t.Skip("no Chromium on this machine: install the package chromium, or set SEGEDGE_CHROMIUM")
	}
	if len(cameras) == 0 {
		cameras = []string{"cam"}
	}
	b := &browser{T: t, agent: newFakeAgent(cameras...)}
	b.whep = newFakeWHEP(t, b.agent)
	door, err := New(Options{Service: b.agent, WHEP: b.whep})
	if err != nil {
		t.Fatal(err)
	}
	b.server = httptest.NewServer(door)
	t.Cleanup(b.server.Close)
	b.tab, _ = webtest.Chromium(t)
	if b.watch, err = webtest.NewWatch(b.tab, strings.TrimPrefix(b.server.URL, "http://")); err != nil {
		t.Fatal(err)
	}
	b.do(chromedp.Navigate(b.server.URL))
	return b
}

func (b *browser) do(steps ...chromedp.Action[chromedp.Void]) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.tab, 30*time.Second)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		b.Fatalf("%v; problems: %q", err, b.watch.Problems())
	}
}

func eval[T any](b *browser, js string) T {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.tab, 30*time.Second)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](js, chromedp.EvalAwaitPromise))
	if err != nil {
		b.Fatalf("%s: %v", js, err)
	}
	return v
}

// until waits for a condition in the page.
func (b *browser) until(what, js string) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.tab, 20*time.Second)
	defer cancel()
	if _, err := chromedp.Run(ctx, chromedp.Poll[chromedp.Void](js, chromedp.WithPollingInterval(30*time.Millisecond))); err != nil {
		b.Fatalf("waiting until %s: %v; page: %s; problems: %q", what, err, eval[string](b, "document.body.innerText"), b.watch.Problems())
	}
}

func (b *browser) live() {
	b.Helper()
	b.until("the page is live", `document.body.dataset.link === "live"`)
}

// command waits for the agent's nth command.
func (b *browser) command(n int) api.Command {
	b.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for time.Now().Before(deadline) {
		if c := b.agent.asked(); len(c) >= n {
			return c[n-1]
		}
		b.do(chromedp.Sleep(20 * time.Millisecond))
	}
	b.Fatalf("command %d never came; so far: %s; problems: %q", n, b.agent.verbs(), b.watch.Problems())
	return api.Command{}
}

// requested waits until the browser reports a request: its reports come after the fact.
func (b *browser) requested(want string) {
	b.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for !slices.Contains(b.watch.Requests(), want) {
		if time.Now().After(deadline) {
			b.Fatalf("no %q among\n%s", want, strings.Join(b.watch.Requests(), "\n"))
		}
		b.do(chromedp.Sleep(20 * time.Millisecond))
	}
}

type spot struct{ X, Y float64 }

// at is where a normalised point of the picture is on the screen.
func (b *browser) at(x, y float64) spot {
	b.Helper()
	return eval[spot](b, fmt.Sprintf(`(() => { const v = document.getElementById("video"), r = v.getBoundingClientRect();
		const s = Math.min(r.width / v.videoWidth, r.height / v.videoHeight), w = v.videoWidth * s, h = v.videoHeight * s;
		return {X: r.left + (r.width - w) / 2 + %g * w, Y: r.top + (r.height - h) / 2 + %g * h}; })()`, x, y))
}

func (b *browser) click(x, y float64, opts ...chromedp.MouseOption) {
	b.Helper()
	p := b.at(x, y)
	b.do(chromedp.MouseClickXY(p.X, p.Y, opts...))
}

func (b *browser) shot(name string) {
	b.Helper()
	dir := os.Getenv("SEGEDGE_SHOTS")
	if dir == "" {
		return
	}
	png, err := chromedp.Run(b.tab, chromedp.CaptureScreenshot())
	if err != nil {
		b.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), png, 0o644); err != nil {
		b.Fatal(err)
	}
}

func (b *browser) clean() {
	b.Helper()
	if p := b.watch.Problems(); len(p) > 0 {
		b.Errorf("the page did what it must not: %q", p)
	}
}
