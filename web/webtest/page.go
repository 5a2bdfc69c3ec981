package webtest

import (
	"context"
	"fmt"
	"net/url"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// Page is segedge's page in a tab, driven as a person would. Its methods fail the test when something does not come.
type Page struct {
	T     testing.TB
	Tab   context.Context
	Watch *Watch
}

// Wait bounds each step: a safety net, generous because browsers are slow on busy machines.
const Wait = 90 * time.Second

// Open starts a browser and loads address. It skips the test where there is no Chromium.
func Open(t testing.TB, address string) *Page {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	p := &Page{T: t}
	p.Tab, _ = Chromium(t)
	if p.Watch, err = NewWatch(p.Tab, u.Host); err != nil {
		t.Fatal(err)
	}
	p.Do(chromedp.Navigate(address))
	return p
}

// Do runs steps.
func (p *Page) Do(steps ...chromedp.Action[chromedp.Void]) {
	p.T.Helper()
	ctx, cancel := context.WithTimeout(p.Tab, Wait)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		p.T.Fatalf("%v; problems: %q", err, p.Watch.Problems())
	}
}

// Eval is the value of a JavaScript expression; a promise is awaited.
func Eval[V any](p *Page, js string) V {
	p.T.Helper()
	ctx, cancel := context.WithTimeout(p.Tab, Wait)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[V](js, chromedp.EvalAwaitPromise))
	if err != nil {
		p.T.Fatalf("%s: %v", js, err)
	}
	return v
}

// Until waits for a condition in the page.
func (p *Page) Until(what, js string) {
	p.T.Helper()
	ctx, cancel := context.WithTimeout(p.Tab, Wait)
	defer cancel()
	if _, err := chromedp.Run(ctx, chromedp.Poll[chromedp.Void](js, chromedp.WithPollingInterval(30*time.Millisecond))); err != nil {
		p.T.Fatalf("waiting until %s: %v; page: %s; problems: %q", what, err, Eval[string](p, "document.body.innerText"), p.Watch.Problems())
	}
}

// Live waits for the moving picture.
func (p *Page) Live() {
	p.T.Helper()
	p.Until("the page is live", `document.body.dataset.link === "live"`)
}

// Frames is how many pictures have been decoded.
func (p *Page) Frames() int {
	p.T.Helper()
	return Eval[int](p, `document.getElementById("video").getVideoPlaybackQuality().totalVideoFrames`)
}

// Spot is a place in the window, in CSS pixels.
type Spot struct{ X, Y float64 }

// At is where a normalised point of the picture is in the window.
func (p *Page) At(x, y float64) Spot {
	p.T.Helper()
	return Eval[Spot](p, fmt.Sprintf(`(() => { const v = document.getElementById("video"), r = v.getBoundingClientRect();
		const s = Math.min(r.width / v.videoWidth, r.height / v.videoHeight), w = v.videoWidth * s, h = v.videoHeight * s;
		return {X: r.left + (r.width - w) / 2 + %g * w, Y: r.top + (r.height - h) / 2 + %g * h}; })()`, x, y))
}

// Click clicks on a normalised point of the picture.
func (p *Page) Click(x, y float64, opts ...chromedp.MouseOption) {
	p.T.Helper()
	at := p.At(x, y)
	p.Do(chromedp.MouseClickXY(at.X, at.Y, opts...))
}

// Color is the mean red, green and blue, 0..255, of the received video around a normalised point, over a square of
// the given side in pixels of the video: what was decoded, without anything that the page draws.
func (p *Page) Color(x, y float64, side int) [3]float64 {
	p.T.Helper()
	return Eval[[3]float64](
		p,
		fmt.Sprintf(`(() => { const v = document.getElementById("video"), n = %d, c = new OffscreenCanvas(n, n).getContext("2d");
		c.drawImage(v, %g * v.videoWidth - n / 2, %g * v.videoHeight - n / 2, n, n, 0, 0, n, n);
		const d = c.getImageData(0, 0, n, n).data, sum = [0, 0, 0];
		for (let i = 0; i < d.length; i++) if (i %% 4 < 3) sum[i %% 4] += d[i];
		return sum.map((s) => s / (n * n)); })()`, side, x, y),
	)
}

// Screenshot is the window as PNG.
func (p *Page) Screenshot() []byte {
	p.T.Helper()
	png, err := chromedp.Run(p.Tab, chromedp.CaptureScreenshot())
	if err != nil {
		p.T.Fatal(err)
	}
	return png
}

// Clean fails the test when the page did what it must not: errors on its console, requests to the outside.
func (p *Page) Clean() {
	p.T.Helper()
	if problems := p.Watch.Problems(); len(problems) > 0 {
		p.T.Errorf("the page did what it must not: %q", problems)
	}
}
