package web

import (
	"fmt"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	cdp "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/overlay"
	"github.com/segedge/segedge/seg"
)

func near(a, b float64) bool { return math.Abs(a-b) <= 0.004 } // two pixels of the test's windows

func (b *browser) wantClick(n int, x, y float64, label seg.Label, object string) *api.Prompt {
	b.T.Helper()
	p, ok := b.command(n).Body.(*api.Prompt)
	if !ok || len(p.Points) != 1 {
		b.T.Fatalf("command %d is %+v, want a prompt with one point", n, b.command(n))
	}
	if got := p.Points[0]; !near(got.X, x) || !near(got.Y, y) || got.Label != label || p.Object != object {
		b.T.Errorf("command %d: point %+v on object %q, want %g, %g label %d on %q", n, got, p.Object, x, y, label, object)
	}
	return p
}

func TestPagePlays(t *testing.T) {
	b := openPage(t)
	start := time.Now()
	b.Live()
	t.Logf("live %s after the page had loaded", time.Since(start).Round(time.Millisecond))
	b.Until("pictures move", `document.getElementById("video").getVideoPlaybackQuality().totalVideoFrames > 20`)
	b.Until("figures are shown", `Number(document.getElementById("stat-fps").textContent) > 0 && document.getElementById("stat-keyframe").textContent === "7 f"
		&& Number(document.getElementById("stat-latency").textContent) >= 21 && document.getElementById("stat-model").textContent === "segedge-tiny"`)
	b.shot("empty")
	if before := b.Frames(); before < 1 {
		t.Errorf("%d pictures decoded", before)
	}
	if c := b.Color(0.42, 0.2, 8); os.Getenv("SEGEDGE_PAGE_FILM") == "" && (c[0] < 150 || c[1] < 150 || c[2] > 100) { // testsrc2's yellow bar
		t.Errorf("the picture is %v where it should be yellow", c)
	}
	b.Do(chromedp.Click(chromedp.ID("stats")))
	b.Until("the details have the stages", `/capture to encoded.*21 ms/s.test(document.getElementById("details").innerText)`)
	b.shot("details")
	b.Do(chromedp.Click(chromedp.ID("help-open")))
	b.shot("help")
	b.Clean()
}

// A click names the place in the picture and the picture itself: the newest one that the screen showed.
func TestPageClickNamesPicture(t *testing.T) {
	b := openPage(t)
	b.Live()
	eval[any](b, `(() => { window.shown = []; const v = document.getElementById("video");
		const next = () => v.requestVideoFrameCallback((now, m) => { shown.push({rtp: m.rtpTimestamp, at: m.expectedDisplayTime}); next(); }); next();
		// Asked at the click: a picture that is reported later came too late for the page, too.
		addEventListener("pointerup", (e) => window.clicked = shown.findLast((s) => s.at <= e.timeStamp).rtp, true); return null; })()`)
	b.Until("some pictures were seen", `window.shown.length > 5`)
	b.Click(0.25, 0.75)
	p := b.wantClick(1, 0.25, 0.75, seg.Positive, "")
	if p.Viewer == "" || p.RTPTime == nil {
		t.Fatalf("viewer %q, rtp_time %v: the picture is not named", p.Viewer, p.RTPTime)
	}
	if want := eval[uint32](b, `window.clicked`); *p.RTPTime != want {
		t.Errorf("rtp_time %d, want %d: the picture on the screen at the click", *p.RTPTime, want)
	}
	b.Clean()
}

func TestPageChoose(t *testing.T) {
	b := openPage(t)
	b.Live()
	b.Click(0.45, 0.35)
	b.Until("a chip for each mask", `document.querySelectorAll(".pick-chip").length === 3 && document.querySelector(".pick-chip").innerText.includes("93 %")`)
	b.Do(chromedp.Sleep(700 * time.Millisecond)) // let the chips come in before their picture is taken
	b.shot("pick")
	b.Do(chromedp.Click(chromedp.CSS(".pick-chip:nth-child(2)")))
	if c := b.command(2).Body.(*api.Choose); c.Object != "cam-1" || c.Candidate != 0 {
		t.Errorf("chose %+v, want candidate 0 of cam-1", c)
	}
	b.Until("the question is gone", `document.getElementById("pick").hidden`)
	b.Click(0.7, 0.7)
	b.Until("the second question", `!document.getElementById("pick").hidden`)
	b.Do(chromedp.KeyEvent("3"))
	if c := b.command(4).Body.(*api.Choose); c.Object != "cam-2" || c.Candidate != 1 {
		t.Errorf("chose %+v with the keyboard, want candidate 1 of cam-2", c)
	}
	b.Click(0.2, 0.2)
	b.Until("the third question", `!document.getElementById("pick").hidden`)
	b.Do(chromedp.Click(chromedp.ID("pick-close")))
	if c := b.command(6); c.Verb != "confirm" || c.Body.(*api.Target).Object != "cam-3" {
		t.Errorf("closed with %+v, want confirm of cam-3", c)
	}
	b.Until("it is closed", `document.getElementById("pick").hidden`)
	b.Clean()
}

func TestPageRefines(t *testing.T) {
	b := openPage(t)
	b.agent.set(func(f *fakeAgent) { f.plain = true })
	b.Live()
	b.Click(0.3, 0.3)
	b.Until("it is selected", `document.querySelector(".object.selected")?.dataset.id === "cam-1"`)
	b.Click(0.32, 0.3, chromedp.ButtonModifiers(chromedp.ModifierShift))
	b.wantClick(2, 0.32, 0.3, seg.Negative, "cam-1")
	b.Do(chromedp.KeyEvent("x"))
	b.Click(0.34, 0.3)
	b.wantClick(3, 0.34, 0.3, seg.Negative, "cam-1")
	b.Do(chromedp.KeyEvent("p"))
	b.Click(0.36, 0.3, chromedp.ButtonModifiers(chromedp.ModifierCtrl))
	b.wantClick(4, 0.36, 0.3, seg.Positive, "cam-1")
	b.Do(chromedp.Click(chromedp.CSS(`[data-mode=minus]`)))
	b.Click(0.38, 0.3)
	b.wantClick(5, 0.38, 0.3, seg.Negative, "cam-1")
	b.Do(chromedp.KeyEvent("a"))
	b.Click(0.4, 0.3)
	b.wantClick(6, 0.4, 0.3, seg.Positive, "cam-1")
	b.Do(chromedp.KeyEvent("p"))
	b.Do(chromedp.KeyEvent("z", chromedp.KeyModifiers(chromedp.ModifierCtrl)))
	if c := b.command(7); c.Verb != "undo" || c.Body.(*api.Undo).Object != "cam-1" {
		t.Errorf("Ctrl-Z sent %+v", c)
	}
	b.Click(0.8, 0.3)
	b.wantClick(8, 0.8, 0.3, seg.Positive, "")
	b.Until("the new one is selected", `document.querySelector(".object.selected")?.dataset.id === "cam-2"`)
	b.Click(0.3, 0.3, chromedp.ButtonRight)
	b.Until("the right button selects what is there", `document.querySelector(".object.selected")?.dataset.id === "cam-1"`)
	if n := len(b.agent.asked()); n != 8 {
		t.Errorf("%d commands: the right button prompts nothing", n)
	}
	b.Clean()
}

func TestPageBox(t *testing.T) {
	b := openPage(t)
	b.Live()
	from, to := b.At(0.6, 0.7), b.At(0.3, 0.2) // dragged up and to the left
	b.Do(chromedp.MouseEvent(chromedp.MousePressed, from.X, from.Y, chromedp.ButtonLeft),
		chromedp.MouseEvent(chromedp.MouseMoved, (from.X+to.X)/2, (from.Y+to.Y)/2, chromedp.ButtonLeft),
		chromedp.MouseEvent(chromedp.MouseMoved, to.X, to.Y, chromedp.ButtonLeft))
	b.shot("drag")
	b.Do(chromedp.MouseEvent(chromedp.MouseReleased, to.X, to.Y, chromedp.ButtonLeft))
	p := b.command(1).Body.(*api.Prompt)
	if p.Box == nil || !near(p.Box[0], 0.3) || !near(p.Box[1], 0.2) || !near(p.Box[2], 0.6) || !near(p.Box[3], 0.7) || len(p.Points) != 0 {
		t.Errorf("box %v points %v, want [0.3 0.2 0.6 0.7] alone", p.Box, p.Points)
	}
	if p.RTPTime == nil {
		t.Error("the box does not name its picture")
	}
	b.Clean()
}

// Clicks beside the picture, on the bars that its shape leaves, are no prompts.
func TestPageLetterbox(t *testing.T) {
	b := openPage(t)
	b.Live()
	for i, size := range [][2]int64{{1500, 500}, {900, 1000}} {
		b.Do(chromedp.EmulateViewport(size[0], size[1]))
		n := len(b.agent.asked())
		out := b.At(0.5, -0.06)
		if size[0] > size[1] {
			out = b.At(-0.06, 0.5)
		}
		b.Do(chromedp.MouseClickXY(out.X, out.Y))
		y := 0.9 - 0.5*float64(i) // not on what is followed already
		b.Click(0.98, y)
		b.wantClick(n+1, 0.98, y, seg.Positive, "")
	}
	b.Clean()
}

func TestPageList(t *testing.T) {
	b := openPage(t)
	const rude = `<img src=x onerror=alert(1)> & "co"`
	b.agent.set(func(f *fakeAgent) {
		for i, s := range []seg.State{seg.Tracking, seg.Uncertain, seg.Occluded, seg.Lost, seg.Tentative} {
			f.next++
			f.objects = append(f.objects, seg.Object{ID: f.next, Name: []string{"Ada", "dog", "red cup", rude, ""}[i], State: s, Mask: disc(0.2*float64(i)+0.1, 0.5, 0.05),
				PredictedIoU: 0.9 - 0.1*float64(i), Age: 30 * (i + 1) * (i + 1) * 9})
		}
	})
	b.Live()
	b.Until("all are listed", `document.querySelectorAll(".object").length === 5`)
	b.shot("list")
	if names := eval[string](b, `[...document.querySelectorAll(".name")].map((e) => e.textContent).join("|")`); names != "Ada|dog|red cup|"+rude+"|cam-5" {
		t.Errorf("names %q", names)
	}
	b.Do(chromedp.Click(chromedp.CSS(`[data-id=cam-2] .pick-row`)), chromedp.KeyEvent(kb.F2))
	b.Do(chromedp.KeyEvent("Rex\r"))
	if r := b.command(1).Body.(*api.Rename); r.Object != "cam-2" || r.Name != "Rex" {
		t.Errorf("renamed %+v", r)
	}
	b.Do(chromedp.Click(chromedp.CSS(`[data-id=cam-4] .danger`)))
	if r := b.command(2); r.Verb != "remove" || r.Body.(*api.Remove).Object != "cam-4" {
		t.Errorf("removed %+v", r)
	}
	b.Until("it is gone", `document.querySelectorAll(".object").length === 4 && document.getElementById("count").textContent === "4"`)
	eval[any](b, `window.confirm = () => true, null`)
	b.Do(chromedp.Click(chromedp.ID("clear")))
	if c := b.command(3); c.Verb != "clear" {
		t.Errorf("cleared with %+v", c)
	}
	b.Until("all are gone", `document.querySelectorAll(".object").length === 0 && !document.getElementById("empty").hidden`)
	b.Clean()
}

func TestPageRefusal(t *testing.T) {
	b := openPage(t)
	b.agent.set(func(f *fakeAgent) {
		f.refuse = &api.Error{Code: api.NothingFound, Message: "the model found nothing at the prompt"}
	})
	b.Live()
	b.Click(0.5, 0.5)
	b.Until("the sentence is shown", `document.querySelector(".toast")?.textContent === "The model found nothing at the prompt"`)
	b.shot("refused")
	b.Clean()
}

// Some phones play nothing before a tap: the page says so, and the tap is no prompt.
func TestPageBegsForATap(t *testing.T) {
	b := openPage(t)
	b.Live()
	if _, err := chromedp.Call(b.Tab, cdp.AddScriptToEvaluateOnNewDocument, cdp.AddScriptToEvaluateOnNewDocumentParams{Source: `
		let tapped = false;
		addEventListener("pointerup", () => tapped = true, true);
		const play = HTMLMediaElement.prototype.play;
		HTMLMediaElement.prototype.play = function () {
			if (tapped) return play.call(this);
			this.autoplay = false; this.pause();
			return Promise.reject(new DOMException("no gesture", "NotAllowedError"));
		};`}); err != nil {
		t.Fatal(err)
	}
	b.Do(chromedp.Reload())
	b.Until("it asks for a tap", `document.getElementById("notice-title").textContent === "Tap to start the picture"`)
	b.Do(chromedp.MouseClickXY(400, 300))
	b.Live()
	if c := b.agent.asked(); len(c) != 0 {
		t.Errorf("the tap that starts the picture prompted: %s", b.agent.verbs())
	}
	b.Clean()
}

func TestPageReconnects(t *testing.T) {
	b := openPage(t)
	b.Live()
	b.whep.setRefuse(true)
	b.whep.cut()
	b.Until("it says so", `document.body.dataset.link === "reconnecting" && document.getElementById("link-text").textContent.startsWith("reconnecting")
		&& document.getElementById("notice-text").textContent.includes("the camera is not there yet")`)
	b.shot("reconnecting")
	b.whep.setRefuse(false)
	b.Live()
	if f := `document.getElementById("notice").hidden`; !eval[bool](b, f) {
		t.Error("the notice stays")
	}
	b.Click(0.5, 0.5)
	b.command(1)
	b.agent.set(func(f *fakeAgent) { f.state = api.Stalled })
	b.Until("a stalled camera is named", `document.body.dataset.link === "stalled" && document.getElementById("notice-title").textContent === "The camera has stalled"`)
	for _, p := range b.Watch.Problems() {
		if !strings.Contains(p, "503") && !strings.Contains(p, "404") { // the browser itself logs refused requests
			t.Errorf("the page did what it must not: %s", p)
		}
	}
}

// Without WebRTC the list still works, over HTTP.
func TestPageWithoutVideo(t *testing.T) {
	b := openPage(t)
	b.whep.setRefuse(true)
	b.agent.set(func(f *fakeAgent) {
		f.next, f.objects = 7, []seg.Object{{ID: 7, Name: "dog", State: seg.Tracking, Mask: disc(0.5, 0.5, 0.1)}}
	})
	b.Do(chromedp.Reload())
	b.Until("it is listed", `document.querySelector(".name")?.textContent === "dog"`)
	b.Do(chromedp.Click(chromedp.CSS(`[data-id=cam-7] .danger`)))
	if c := b.command(1); c.Verb != "remove" || c.ID == "" {
		t.Errorf("got %+v, want a remove with an id", c)
	}
	b.requested("POST " + b.server.URL + "/api/v1/cameras/cam/remove")
}

func TestPageCameras(t *testing.T) {
	b := openPage(t, "cam", "back door")
	b.Live()
	b.Until("the picker shows", `!document.getElementById("camera-label").hidden && document.getElementById("camera").options.length === 2`)
	eval[any](b, `(() => { const s = document.getElementById("camera"); s.value = "back door"; s.dispatchEvent(new Event("change")); return null; })()`)
	b.Until("the other camera is asked for", `location.hash === "#back%20door"`)
	b.Live()
	b.requested("POST " + b.server.URL + "/whep/back%20door?objects=delta")
	b.Clean()
}

func TestPageOnPhone(t *testing.T) {
	b := openPage(t)
	b.Do(chromedp.EmulateViewport(390, 844, chromedp.EmulateMobile, chromedp.EmulateTouch, chromedp.EmulateScale(2)))
	b.Live()
	b.shot("phone-empty")
	b.Until("the bar keeps its line whatever it says", `(() => { document.getElementById("link-text").textContent = "reconnecting…";
		const [a, b] = ["link", "full"].map((id) => document.getElementById(id).getBoundingClientRect()); return b.top < a.bottom && b.right <= innerWidth; })()`)
	p := b.At(0.4, 0.6)
	b.Do(chromedp.TapXY(p.X, p.Y))
	b.wantClick(1, 0.4, 0.6, seg.Positive, "")
	b.Until("chips are offered", `document.querySelectorAll(".pick-chip").length === 3`)
	b.Do(chromedp.Sleep(700 * time.Millisecond))
	b.shot("phone-pick")
	fits := `[...document.querySelectorAll(".tools button, .pick-chip, #objects button, #stats, #clear")].filter((e) => e.offsetParent).map((e) => [e, e.getBoundingClientRect()])
		.filter(([e, r]) => (!e.closest(".chips") && (r.left < 0 || r.right > innerWidth + 0.5)) || r.bottom > innerHeight || r.width < 44 || r.height < 44).map(([e, r]) => e.outerHTML.slice(0, 60) + JSON.stringify(r)).join("; ")`
	if bad := eval[string](b, fits); bad != "" {
		t.Errorf("out of the screen, or too small for a thumb: %s", bad)
	}
	if eval[bool](b, `document.documentElement.scrollWidth > innerWidth`) {
		t.Error("the page scrolls sideways")
	}
	b.Do(chromedp.Tap(chromedp.CSS(".pick-chip:nth-child(3)")))
	b.command(2)
	q := b.At(0.45, 0.5) // a touch that stays excludes
	eval[any](b, fmt.Sprintf(`(() => { const s = document.getElementById("surface"), o = {pointerId: 9, pointerType: "touch", button: 0, clientX: %g, clientY: %g, bubbles: true};
		s.setPointerCapture = () => {}; s.dispatchEvent(new PointerEvent("pointerdown", o)); setTimeout(() => s.dispatchEvent(new PointerEvent("pointerup", o)), 900); return null; })()`, q.X, q.Y))
	b.wantClick(3, 0.45, 0.5, seg.Negative, "cam-1")
	b.Do(chromedp.EmulateViewport(844, 390, chromedp.EmulateMobile, chromedp.EmulateTouch, chromedp.EmulateLandscape, chromedp.EmulateScale(2)))
	b.Until("all tools are within reach, below the bar", `[...document.querySelectorAll(".tools button")].filter((e) => e.offsetParent).every((e) => { const r = e.getBoundingClientRect();
		return r.top >= document.getElementById("link").getBoundingClientRect().bottom && r.bottom <= innerHeight && r.left >= 0 && r.right < innerWidth / 4 && r.width >= 44 && r.height >= 44; })`)
	b.shot("phone-landscape")
	b.Clean()
}

// Every control has a name for those who cannot see it.
func TestPageIsAccessible(t *testing.T) {
	b := openPage(t)
	b.Live()
	b.Click(0.5, 0.5)
	b.Until("a row is there", `document.querySelectorAll(".object").length === 1`)
	nameless := eval[string](b, `[...document.querySelectorAll("button, input, select, a, [role=application]")].filter((e) =>
		!(e.getAttribute("aria-label") || e.innerText.trim() || e.labels?.[0]?.innerText || e.closest("[hidden]"))).map((e) => e.outerHTML.slice(0, 80)).join("; ")`)
	if nameless != "" {
		t.Errorf("controls without a name: %s", nameless)
	}
}

// The colours of the list are those of the picture, also where the agent does not name them.
func TestPagePaletteIsTheOverlays(t *testing.T) {
	b := openPage(t)
	got := eval[[]string](b, `import("/js/palette.js").then((m) => Array.from({length: 64}, (_, i) => m.objectColor(i + 1)))`)
	for i, g := range got {
		c := overlay.Color(seg.ID(i + 1))
		if want := fmt.Sprintf("#%02x%02x%02x", c.R, c.G, c.B); g != want {
			t.Errorf("object %d: the page says %s, the overlay %s", i+1, g, want)
		}
	}
}

func TestPageGeometry(t *testing.T) {
	b := openPage(t)
	for _, c := range []struct{ js, want string }{
		{`p.fit({left: 10, top: 20, width: 400, height: 400}, 200, 100)`, `{"x":10,"y":120,"w":400,"h":200}`},
		{`p.fit({left: 0, top: 0, width: 400, height: 100}, 100, 100)`, `{"x":150,"y":0,"w":100,"h":100}`},
		{`p.fit({left: 3, top: 4, width: 400, height: 100}, 0, 0)`, `{"x":3,"y":4,"w":0,"h":0}`},
		{`p.inside([[0, 0, 1, 0, 1, 1, 0, 1]], {x: 0.5, y: 0.5})`, `true`},
		{`p.inside([[0, 0, 1, 0, 1, 1, 0, 1], [0.4, 0.4, 0.4, 0.6, 0.6, 0.6, 0.6, 0.4]], {x: 0.5, y: 0.5})`, `false`},
		{`p.inside([[0, 0, 1, 0, 0, 1]], {x: 0.9, y: 0.9})`, `false`},
		{`p.inside(undefined, {x: 0.5, y: 0.5})`, `false`},
	} {
		if got := eval[string](b, `import("/js/picture.js").then((p) => JSON.stringify(`+c.js+`))`); got != c.want {
			t.Errorf("%s is %s, want %s", c.js, got, c.want)
		}
	}
}
