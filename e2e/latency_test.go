package e2e

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// clockScript reads the time that the source has drawn (capture/synthetic, DrawTime) out of each picture as it is shown, and keeps with it
// when it reaches the screen. The figure of the page's own strip is kept each second.
const clockScript = `(() => {
  const video = document.getElementById("video"), columns = 24, rows = 2, lines = 45, seen = window.seen = {ages: [], at: [], unread: 0, own: [], wrong: ""};
  const c = new OffscreenCanvas(1, 1), g = c.getContext("2d", {willReadFrequently: true});
  const read = () => {
    const s = video.videoHeight / lines;
    c.width = Math.ceil(columns * s); c.height = Math.ceil(rows * s);
    g.drawImage(video, 0, 0, columns * s, rows * s, 0, 0, columns * s, rows * s);
    const d = g.getImageData(0, 0, c.width, c.height).data;
    let word = 0n;
    for (let i = 0; i < columns * rows; i++) {
      const x = Math.round((i % columns + 0.5) * s), y = Math.round((Math.floor(i / columns) + 0.5) * s);
      let sum = 0;
      for (const [dx, dy] of [[-1, -1], [-1, 1], [1, -1], [1, 1]]) sum += d[4 * ((y + dy) * c.width + x + dx) + 1];
      word = word << 1n | (sum > 512 ? 1n : 0n);
    }
    const steps = word >> 12n;
    return word % 4096n === steps % 4093n + 1n ? Number(steps) : null;
  };
  const wrap = 2 ** 36, next = () => video.requestVideoFrameCallback((now, meta) => {
    next();
    let steps = null;
    try { steps = read(); } catch (e) { seen.wrong = String(e); }
    const at = performance.timeOrigin + meta.expectedDisplayTime;
    if (steps === null) seen.unread++; else {
      let age = at * 10 % wrap - steps;
      if (age < -wrap / 2) age += wrap; else if (age > wrap / 2) age -= wrap;
      seen.ages.push(age / 10); seen.at.push(at);
    }
  });
  next();
  window.ownFigure = setInterval(() => { const n = parseFloat(document.getElementById("stat-latency").textContent); if (n > 0) seen.own.push(n); }, 1000);
})()`

// shownPictures is what clockScript has gathered.
type shownPictures struct {
	Ages   []float64 // ms from the source's drawing of the time to the screen
	At     []float64 // when, ms since 1970
	Unread int       // pictures without a time that could be read
	Own    []float64 // what the page's strip said, ms
	Wrong  string    // what went wrong in the last picture that could not be read at all
}

// five are prompts for the four objects of the scene and the path that they are on.
var five = []string{"point:0.2,0.5", "point:0.4,0.5", "point:0.6,0.5", "point:0.8,0.5", "box:0,0.51,1,0.64"}

// clocked is a browser on the page of an agent that follows five objects in the scene with the clock, at 1280×720 and 30 frames a second.
func clocked(t *testing.T) (*running, *page) {
	t.Helper()
	args := []string{"--source", "synthetic:clock"}
	for _, prompt := range five {
		args = append(args, "--prompt", prompt)
	}
	r := start(t, args...)
	p := open(t, r.page)
	p.until("the video plays", 0.5, 0.5, func(v picture) bool { return v.W == 1280 && v.Frames > 30 })
	r.await("five objects", func(s state) bool { return s.Objects == len(five) })
	p.do(chromedp.Evaluate[chromedp.Void](clockScript))
	return r, p
}

// shown is what the browser has shown since it was asked before.
func (p *page) shown() shownPictures {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.tab, patience)
	defer cancel()
	out, err := chromedp.Run(ctx, chromedp.Evaluate[shownPictures](
		`(() => { const s = {...seen}; Object.assign(seen, {ages: [], at: [], unread: 0, own: [], wrong: ""}); return s; })()`))
	if err != nil {
		p.t.Fatal(err)
	}
	return out
}

// TestTimeFromCameraToScreen reads in the browser when each picture was taken. How long that was before it was shown is told and not judged:
// make latency prints it as a table, on a machine that does nothing else.
func TestTimeFromCameraToScreen(t *testing.T) {
	_, p := clocked(t)
	p.has("30 pictures with a time in them", `seen.ages.length >= 30 && seen.own.length > 0`)
	s := p.shown()
	if s.Unread > len(s.Ages)/20 {
		t.Errorf("of %d pictures no time could be read", s.Unread)
	}
	if fastest := slices.Min(s.Ages); fastest <= 0 || slices.Max(s.Ages) > patience.Seconds()*1000 {
		t.Errorf("ages of %v to %v ms: these are no ages", fastest, slices.Max(s.Ages))
	}
	t.Logf("camera to screen: p50 %.0f ms, p95 %.0f; the page says %.0f", quantile(s.Ages, 0.5), quantile(s.Ages, 0.95), quantile(s.Own, 0.5))
}

// TestLatencyTable is make latency: for SEGEDGE_TEST_LATENCY with one viewer, then as long with the browser and those that are well of
// SEGEDGE_TEST_VIEWERS, then as long with one viewer more whose path carries little, and one that has stopped.
func TestLatencyTable(t *testing.T) {
	long, err := time.ParseDuration(os.Getenv("SEGEDGE_TEST_LATENCY"))
	if err != nil {
		t.Skip("SKIPPED: measures only where SEGEDGE_TEST_LATENCY says for how long, such as 60s")
	}
	viewers, _ := strconv.Atoi(os.Getenv("SEGEDGE_TEST_VIEWERS"))
	r, p := clocked(t)
	// The page draws the masks: what is lost is looked for everywhere, and one that the agent paints over the code hides it.
	p.do(chromedp.Evaluate[chromedp.Void](`document.getElementById("masks").click()`))
	t.Log("| viewers | pictures | without a time | camera to screen, p50 / p95 ms | the page says, ms | between pictures, p50 / p99 ms: browser | the others |")
	t.Log("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
	measure(t, p, "1", nil, long)
	if viewers < 4 {
		return
	}
	var well []*peer
	for range viewers - 3 {
		well = append(well, join(t, r.page+"whep/camera", everything))
	}
	before := measure(t, p, fmt.Sprintf("%d", viewers-2), well, long)
	slow, stopped := join(t, r.page+"whep/camera", trickle), join(t, r.page+"whep/camera", keepalives)
	after := measure(t, p, fmt.Sprintf("%d, one throttled, one stopped", viewers), well, long)
	t.Logf("The others' p99 changed by %+.1f %%, the browser's by %+.1f %%.", 100*(after.others/before.others-1), 100*(after.browser/before.browser-1))
	t.Logf("The throttled viewer got %d pictures, and %d packets to it were lost; the stopped one read nothing.", len(slow.intervals()), slow.lost.Load())
	if s := r.await("viewers", func(s state) bool { return s.Viewers > 0 }); s.Viewers != viewers {
		t.Errorf("%d viewers are left of %d", s.Viewers, viewers)
	}
	_ = stopped
}

// smoothness is the 99th percentile of the time between two pictures, ms.
type smoothness struct{ browser, others float64 }

// measure waits and prints a row.
func measure(t *testing.T, p *page, viewers string, others []*peer, long time.Duration) smoothness {
	t.Helper()
	p.shown()
	for _, o := range others {
		o.restart()
	}
	time.Sleep(long)
	s := p.shown()
	if len(s.Ages) < 2 {
		t.Fatalf("the browser has shown %d pictures in %v, and %d without a time; %s", len(s.Ages), long, s.Unread, s.Wrong)
	}
	var gaps, theirs []float64
	for i := 1; i < len(s.At); i++ {
		gaps = append(gaps, s.At[i]-s.At[i-1])
	}
	for _, o := range others {
		theirs = append(theirs, o.intervals()...)
	}
	shown := "–"
	if len(theirs) > 0 {
		shown = fmt.Sprintf("%.1f / %.1f", quantile(theirs, 0.5), quantile(theirs, 0.99))
	}
	t.Logf("| %s | %d | %d | %.1f / %.1f | %.0f | %.1f / %.1f | %s |", viewers, len(s.Ages), s.Unread,
		quantile(s.Ages, 0.5), quantile(s.Ages, 0.95), quantile(s.Own, 0.5), quantile(gaps, 0.5), quantile(gaps, 0.99), shown)
	return smoothness{quantile(gaps, 0.99), quantile(theirs, 0.99)}
}

// quantile is the value below which the part q of the values lies; 0 of none.
func quantile(values []float64, q float64) float64 {
	if len(values) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(values))
	return s[int(q*float64(len(s)-1)+0.5)]
}
