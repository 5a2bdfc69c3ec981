package e2e

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/segedge/segedge/web/webtest"
)

// videoScript answers what the page's video shows: its size, the frames decoded, where its picture lies on the screen,
// and the mean colour of a small patch at the normalised place x, y.
const videoScript = `(() => {
  const v = document.getElementById('video');
  const c = document.createElement('canvas');
  c.width = v.videoWidth || 1; c.height = v.videoHeight || 1;
  const g = c.getContext('2d'); g.drawImage(v, 0, 0);
  const d = g.getImageData(Math.round(%g * c.width) - 4, Math.round(%g * c.height) - 4, 8, 8).data;
  let r = [0, 0, 0];
  for (let i = 0; i < d.length; i += 4) for (let k = 0; k < 3; k++) r[k] += d[i + k] / 64;
  const b = document.getElementById('surface').getBoundingClientRect();
  const s = Math.min(b.width / c.width, b.height / c.height);
  return {w: v.videoWidth, h: v.videoHeight, frames: v.getVideoPlaybackQuality().totalVideoFrames, color: r,
          left: b.left + (b.width - s * c.width) / 2, top: b.top + (b.height - s * c.height) / 2, scale: s};
})()`

type picture struct {
	W, H, Frames     int
	Color            [3]float64
	Left, Top, Scale float64
}

// page is a browser with the agent's page open.
type page struct {
	t   *testing.T
	tab context.Context
}

// openQuietly is for a page whose requests are to fail: the browser itself logs that.
func openQuietly(t *testing.T, address string) *page {
	t.Helper()
	tab, _ := webtest.Chromium(t)
	p := &page{t, tab}
	p.do(chromedp.Navigate(address))
	return p
}

func open(t *testing.T, address string, trusted ...*x509.Certificate) *page {
	t.Helper()
	tab, _ := webtest.Chromium(t, trusted...)
	_, host, _ := strings.Cut(address, "://")
	watch, err := webtest.NewWatch(tab, strings.TrimSuffix(host, "/"))
	if err != nil {
		t.Fatal(err)
	}
	p := &page{t, tab}
	p.do(chromedp.Navigate(address))
	t.Cleanup(func() {
		for _, problem := range watch.Problems() {
			t.Errorf("the page: %s", problem)
		}
	})
	return p
}

func (p *page) do(steps ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.tab, patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		p.t.Fatal(err)
	}
}

func (p *page) look(x, y float64) picture {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.tab, patience)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[picture](fmt.Sprintf(videoScript, x, y)))
	if err != nil {
		p.t.Fatal(err)
	}
	return v
}

// listed waits until the page lists n objects.
func (p *page) listed(n int) {
	p.t.Helper()
	p.has(fmt.Sprintf("list of %d objects", n), fmt.Sprintf(`document.querySelectorAll('#objects li').length >= %d`, n))
}

// until looks again until the picture is as wanted.
func (p *page) until(what string, x, y float64, cond func(picture) bool) picture {
	p.t.Helper()
	deadline := time.After(patience)
	for {
		v := p.look(x, y)
		if cond(v) {
			return v
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-deadline:
			p.t.Fatalf("%s: it stays at %+v", what, v)
		}
	}
}

// shot keeps a picture of the page where SEGEDGE_SHOTS names a folder.
func (p *page) shot(name string) {
	dir := os.Getenv("SEGEDGE_SHOTS")
	if dir == "" {
		return
	}
	png, err := chromedp.Run(p.tab, chromedp.CaptureScreenshot())
	if err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(dir+"/"+name+".png", png, 0o644); err != nil {
		p.t.Error(err)
	}
}

// A person opens the page, sees the picture move, clicks on something, and sees it coloured; a colleague hears of the
// same object over MQTT. The picture stands still (a folder of one image, looped), so that what changes is the click's doing.
func TestPersonClicksInTheBrowser(t *testing.T) {
	broker := mosquitto(t)
	e := listen(t, broker)
	r := start(t, "--set", "mqtt.broker="+broker, "--set", "cameras.0.source="+still(t))
	p := open(t, r.page)
	opened := time.Now()
	before := p.until("the video plays", 0.5, 0.5, func(v picture) bool { return v.W == 640 && v.Frames > 1 })
	t.Logf("the video moved %v after the page was there", time.Since(opened).Round(time.Millisecond))
	more := p.until("frames go on", 0.5, 0.5, func(v picture) bool { return v.Frames > before.Frames+10 })
	if more.Color[2] > more.Color[0] {
		t.Errorf("the red square should be red before the click: %v", more.Color)
	}
	p.do(chromedp.MouseClickXY(more.Left+0.5*float64(more.W)*more.Scale, more.Top+0.5*float64(more.H)*more.Scale))
	clicked := time.Now()
	p.until("the mask is on the screen", 0.5, 0.5, func(v picture) bool {
		d := 0.0
		for k := range 3 {
			d += abs(v.Color[k] - more.Color[k])
		}
		return d > 60
	})
	t.Logf("the mask was on the screen %v after the click", time.Since(clicked).Round(time.Millisecond))
	created := e.hear("camera/events", has(`"object.new"`))
	var event struct {
		After struct {
			ID  string
			Box [4]float64
		}
	}
	if err := json.Unmarshal([]byte(created), &event); err != nil {
		t.Fatal(err)
	}
	if b := event.After.Box; b[0] > 0.5 || b[2] < 0.5 || b[1] > 0.5 || b[3] < 0.5 {
		t.Errorf("the object that MQTT tells of does not lie under the click: %+v", event.After)
	}
	far := p.look(0.05, 0.95)
	if d := abs(far.Color[1] - 110); d > 25 {
		t.Errorf("far from the click the picture changed: %v", far.Color)
	}
	p.listed(1)
	p.shot("clicked")
}

func abs(v float64) float64 { return max(v, -v) }

func TestPageShowsTheScene(t *testing.T) {
	r := start(t)
	p := open(t, r.page)
	p.until("the video plays", 0.5, 0.5, func(v picture) bool { return v.W == 1280 && v.Frames > 30 })
	r.await("a viewer", func(s state) bool { return s.Viewers == 1 && s.Objects >= 3 })
	p.listed(1)
	p.shot("scene")
}

// A person draws a line on the page, and a colleague hears over MQTT who crosses it and which way. Another page shows the line.
func TestLineDrawnOnThePage(t *testing.T) {
	broker := mosquitto(t)
	e := listen(t, broker)
	r := start(t, "--set", "mqtt.broker="+broker)
	p := open(t, r.page)
	v := p.until("the video plays", 0.5, 0.5, func(v picture) bool { return v.W == 1280 && v.Frames > 10 })
	p.listed(4)
	at := func(x, y float64) chromedp.Action[chromedp.Void] {
		return chromedp.MouseClickXY(v.Left+x*float64(v.W)*v.Scale, v.Top+y*float64(v.H)*v.Scale)
	}
	p.do(chromedp.KeyEvent("l"), at(0.5, 0.85), at(0.5, 0.1), chromedp.SetValue(chromedp.ID("draft-name"), "middle"), chromedp.Click(chromedp.ID("draft-done")))
	crossed := e.hear("camera/events", has(`"line.crossed"`))
	if !strings.Contains(crossed, `"middle"`) {
		t.Errorf("%s", crossed)
	}
	p.shot("line")
	open(t, r.page).has("the line", `document.querySelector(".shape .name")?.textContent === "middle"`)
}

// has waits until an expression holds in the page.
func (p *page) has(what, js string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.tab, patience)
	defer cancel()
	if _, err := chromedp.Run(ctx, chromedp.Poll[chromedp.Void](js, chromedp.WithPollingInterval(30*time.Millisecond))); err != nil {
		p.t.Fatalf("the page has no %s: %v", what, err)
	}
}
