package web

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/seg"
)

// drawn is how many pixels of a colour the page has drawn over the picture, about.
func (b *browser) drawn(r, g, bl int) int {
	b.T.Helper()
	return eval[int](b, fmt.Sprintf(`(() => { const c = document.getElementById("canvas"), d = c.getContext("2d").getImageData(0, 0, c.width, c.height).data; let n = 0;
		for (let i = 0; i < d.length; i += 4) if (d[i + 3] > 200 && Math.abs(d[i] - %d) + Math.abs(d[i + 1] - %d) + Math.abs(d[i + 2] - %d) < 30) n++; return n; })()`, r, g, bl))
}

// On the picture one candidate is shown at a time; clicking again goes through them, the largest first, and Enter takes one.
func TestPageShowsOneCandidateAtATime(t *testing.T) {
	b := openPage(t)
	b.Live()
	b.Click(0.45, 0.35)
	b.Until("a chip for each mask", `document.querySelectorAll(".pick-chip").length === 3`)
	b.Do(chromedp.Sleep(700 * time.Millisecond)) // the ripple of the click fades
	small, large := func() int { return b.drawn(0x4c, 0xc9, 0xf0) }, func() int { return b.drawn(0xff, 0xd1, 0x66) }
	if s, l := small(), large(); s+l > 30 {
		t.Errorf("%d and %d pixels of the other masks are drawn before anybody asks", s, l)
	}
	b.Click(0.45, 0.35)
	b.Until("the largest is looked at", `document.querySelector(".pick-chip:nth-child(3)").classList.contains("looked")`)
	b.Do(chromedp.Sleep(100 * time.Millisecond))
	if s, l := small(), large(); s > 30 || l < 100 {
		t.Errorf("%d pixels of the small one, %d of the large one", s, l)
	}
	b.shot("pick-one")
	b.Click(0.45, 0.35)
	b.Until("then the next", `document.querySelector(".pick-chip:nth-child(1)").classList.contains("looked")`)
	b.Click(0.45, 0.35)
	b.Until("then the smallest", `document.querySelector(".pick-chip:nth-child(2)").classList.contains("looked")`)
	b.Do(chromedp.KeyEvent("\r"))
	if c, ok := b.command(2).Body.(*api.Choose); !ok || c.Candidate != 0 {
		t.Errorf("%+v", b.command(2))
	}
	b.Clean()
}

// A mask that nobody can have meant is not offered; where none is left there is no question.
func TestPageHidesHopelessCandidates(t *testing.T) {
	b := openPage(t)
	b.agent.set(func(f *fakeAgent) { f.scores = []float64{0.9, 0.3} })
	b.Live()
	b.Click(0.45, 0.35)
	b.Until("the question", `document.querySelectorAll(".pick-chip").length === 2`)
	b.Do(chromedp.KeyEvent("2"))
	if c, ok := b.command(2).Body.(*api.Choose); !ok || c.Candidate != 0 {
		t.Errorf("%+v", b.command(2))
	}
	b.agent.set(func(f *fakeAgent) { f.scores = []float64{0.2, 0.1} })
	b.Click(0.7, 0.7)
	b.Until("it is there", `document.querySelectorAll(".object").length === 2 && document.querySelector(".object.selected")?.dataset.id === "cam-2"`)
	if !eval[bool](b, `document.getElementById("pick").hidden`) {
		t.Error("it asks though there is no choice")
	}
	if eval[bool](b, `document.querySelector("[data-id=cam-2]").classList.contains("asks")`) {
		t.Error("its row asks though there is no choice")
	}
	b.Clean()
}

// Nobody is to read the name of a type.
func TestEveryEventHasWords(t *testing.T) {
	p, err := newPage()
	if err != nil {
		t.Fatal(err)
	}
	script := string(p["/js/events.js"].body)
	for _, kind := range seg.EventTypes() {
		if kind != seg.ObjectUpdated && !strings.Contains(script, fmt.Sprintf("%q: ", kind)) {
			t.Errorf("the page has no words for %s", kind)
		}
	}
	for _, scene := range []frame.Scene{frame.SceneOK, frame.SceneDark, frame.SceneBlurred, frame.SceneFrozen, frame.SceneMoved} {
		if !strings.Contains(script, scene.String()+`: "`) {
			t.Errorf("the page has no words for a picture that is %s", scene)
		}
	}
}

func TestPageTellsWhatHappens(t *testing.T) {
	b := openPage(t)
	at := func(n int) string {
		return time.Date(2026, 1, 2, 3, 4, n, 0, time.UTC).Format(time.RFC3339)
	}
	b.agent.set(func(f *fakeAgent) {
		f.next, f.objects = 7, []seg.Object{{ID: 7, Name: "dog", State: seg.Tracking, Mask: disc(0.6, 0.4, 0.1)}}
		f.news = []map[string]any{
			{"type": "object.new", "time": at(1), "object": map[string]any{"id": "cam-7", "name": "dog"}},
			{"type": "zone.left", "time": at(2), "object": map[string]any{"id": "cam-7", "name": "dog"}, "zone": "desk", "dwell_s": 3.2},
			{"type": "object.lost", "time": at(3), "object": map[string]any{"id": "cam-9", "name": "<b>cat</b>"}},
			{"type": "camera.stalled", "time": at(4), "reason": "unplugged"},
			{"type": "camera.scene", "time": at(5), "scene": "dark", "was": "ok"},
		}
	})
	b.Live()
	b.Until("all are listed, once", `document.querySelectorAll(".event").length === 5`)
	want := "The camera sees next to nothing: it is dark|The camera stalled: unplugged|<b>cat</b> is lost|dog left desk after 3 s|dog is followed"
	if got := eval[string](b, `[...document.querySelectorAll(".event button")].map((e) => e.textContent).join("|")`); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	b.Do(chromedp.Click(chromedp.CSS(".event:nth-child(5) button")))
	b.Until("its object is selected", `document.querySelector(".object.selected")?.dataset.id === "cam-7"`)
	b.Do(chromedp.SetValue(chromedp.ID("events-object"), "selected"), chromedp.Evaluate[chromedp.Void](`document.getElementById("events-object").dispatchEvent(new Event("change"))`))
	b.Until("only its own are left", `[...document.querySelectorAll(".event")].filter((e) => e.checkVisibility()).length === 2`)
	b.shot("events")
	b.Clean()
}
