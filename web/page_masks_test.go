package web

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/segedge/segedge/seg"
)

// A person has the page draw the masks: the video then comes without them, and outline, fill and label are on the canvas; or the outline
// alone. What was chosen is kept.
func TestPageDrawsTheMasks(t *testing.T) {
	b := openPage(t)
	b.agent.set(func(f *fakeAgent) {
		f.plain, f.next = true, 1
		f.objects = []seg.Object{{ID: 1, Name: "杯子", State: seg.Tracking, Mask: disc(0.5, 0.5, 0.1)}}
	})
	b.Live()
	b.Until("it is listed", `document.querySelectorAll(".object").length === 1`)
	// alpha is what the canvas has at a place of the picture; the disc's middle is filled, its edge is in the row through it.
	alpha := func(x float64) string {
		return fmt.Sprintf(`(() => { const v = document.getElementById("video").getBoundingClientRect(), c = document.getElementById("canvas"), k = devicePixelRatio;
			const s = Math.min(v.width / 640, v.height / 360), w = 640 * s, h = 360 * s, b = c.getBoundingClientRect();
			const px = v.left + (v.width - w) / 2 + %g * w - b.left, py = v.top + (v.height - h) / 2 + 0.5 * h - b.top;
			return Math.max(...c.getContext("2d").getImageData(Math.round(px * k) - 14, Math.round(py * k), 29, 1).data.filter((_, i) => i %% 4 === 3)); })()`, x)
	}
	asked := func() string {
		b.whep.mu.Lock()
		defer b.whep.mu.Unlock()
		return b.whep.overlay
	}
	b.Until("the agent's video has them", alpha(0.5)+` === 0`)
	b.Do(chromedp.KeyEvent("m"))
	b.eventually("a video without them", func() bool { return asked() == "client" })
	b.Live()
	b.Until("the disc is filled", `(a => a > 60 && a < 140)(`+alpha(0.5)+`)`)
	b.Until("and has an edge", alpha(0.4)+` > 200`)
	b.shot("masks")
	b.Do(chromedp.Click(chromedp.ID("masks")))
	b.Until("outlines alone", alpha(0.5)+` === 0 && `+alpha(0.4)+` > 200`)
	if way := eval[string](b, `localStorage.getItem("segedge.masks")`); way != "outline" || asked() != "client" {
		t.Errorf("kept is %q", way)
	}
	b.Do(chromedp.KeyEvent("m"))
	b.eventually("the agent's video again", func() bool { return asked() == "" })
	b.Live()
	b.Until("nothing is drawn", alpha(0.4)+` === 0`)
	b.Clean()
}

// A page that leaves a session says so before it closes the connection: where the connection goes first, the session is over before the
// word comes, and the browser's console has an error that is none. Of a session that the agent has ended it says nothing.
func TestPageLeavesWithoutAnError(t *testing.T) {
	b := prepare(t)
	b.whep.set(func(f *fakeWHEP) { f.slow = 300 * time.Millisecond })
	b.open()
	b.Do(chromedp.KeyEvent("m"))
	b.Live()
	for range 2 {
		b.Do(chromedp.KeyEvent("m"))
		b.Live()
	}
	b.eventually("one session", func() bool { return b.whep.watching() == 1 })
	was := len(b.deletes())
	if was == 0 {
		t.Error("no session was ended")
	}
	b.whep.cut()
	b.Until("it notices", `document.body.dataset.link !== "live"`)
	b.Live()
	if got := b.deletes(); len(got) != was {
		t.Errorf("a session that was over was ended: %q", got[was:])
	}
	b.Clean()
}

// deletes are the ends of sessions that were asked for.
func (b *browser) deletes() (out []string) {
	for _, r := range b.Watch.Requests() {
		if strings.HasPrefix(r, "DELETE ") {
			out = append(out, r)
		}
	}
	return out
}
