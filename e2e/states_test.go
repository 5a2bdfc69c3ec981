package e2e

import (
	"testing"

	"github.com/chromedp/chromedp"
)

// A camera that is down from the start says so itself, however long one waits.
func TestPageOfACameraThatIsDown(t *testing.T) {
	r := start(t, "--source", "rtsp://127.0.0.1:1/none")
	p := open(t, r.page)
	p.has("reason", `document.body.dataset.link === "stalled" && document.getElementById("notice").innerText.toLowerCase().includes("refused")`)
	p.shot("down")
}

// An agent that is killed has told nobody: the picture is marked before two seconds have gone by.
func TestPageMarksAKilledAgent(t *testing.T) {
	r := start(t)
	p := openQuietly(t, r.page)
	p.has("moving picture", `document.body.dataset.link === "live" && document.getElementById("video").getVideoPlaybackQuality().totalVideoFrames > 20`)
	p.do(chromedp.Evaluate[chromedp.Void](`(() => { window.last = performance.now(); const v = document.getElementById("video");
		const next = () => v.requestVideoFrameCallback(() => { window.last = performance.now(); next(); }); next();
		new MutationObserver(() => { if (document.body.dataset.link === "frozen") window.took ??= performance.now() - window.last; }).observe(document.body, {attributes: true}); })()`))
	r.kill()
	p.has("mark", `window.took > 0`)
	took, err := chromedp.Run(p.tab, chromedp.Evaluate[float64](`window.took`))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("marked %.0f ms after the last picture", took)
	p.has("reason in words", `document.getElementById("notice").innerText.includes("cannot be reached")`)
}
