package web

import (
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/seg"
)

const (
	linkIs    = `document.body.dataset.link === `
	noticeHas = `document.getElementById("notice").innerText.includes`
)

// A camera that was down before anybody looked is named with its own reason, not with a guess about the network.
func TestPageOfACameraThatIsDown(t *testing.T) {
	b := prepare(t)
	b.whep.set(func(f *fakeWHEP) { f.dark = true })
	b.agent.set(func(f *fakeAgent) { f.state, f.reason = api.Stalled, "rtsp://10.0.0.7: connection refused" })
	b.open()
	b.Until("the reason is there", linkIs+`"stalled" && `+noticeHas+`("connection refused")`)
	b.Do(chromedp.Sleep(9 * time.Second)) // longer than a path may take
	if !eval[bool](b, noticeHas+`("connection refused")`) || eval[bool](b, noticeHas+`("UDP")`) {
		t.Errorf("later it says %q", eval[string](b, `document.getElementById("notice").innerText`))
	}
	b.shot("camera-down")
	b.agent.set(func(f *fakeAgent) { f.state, f.reason = api.Running, "" })
	b.whep.set(func(f *fakeWHEP) { f.dark = false })
	b.Live()
	b.Clean()
}

// An agent that was killed says nothing any more, and its network neither: the picture must not look alive.
func TestPageMarksAFrozenPicture(t *testing.T) {
	for name, hold := range map[string]func(*fakeWHEP){
		"the agent is gone":  func(f *fakeWHEP) { f.mute = true },
		"the video is stuck": func(f *fakeWHEP) { f.dark = true },
	} {
		t.Run(name, func(t *testing.T) {
			b := openPage(t)
			b.Live()
			eval[any](b, `(() => { window.last = 0; const v = document.getElementById("video");
				const next = () => v.requestVideoFrameCallback((now) => { window.last = now; next(); }); next();
				new MutationObserver(() => { if (document.body.dataset.link === "frozen") window.took ??= performance.now() - window.last; }).observe(document.body, {attributes: true}); return null; })()`)
			b.Until("a picture was seen", `window.last > 0`)
			b.whep.set(hold)
			b.Until("it is marked", linkIs+`"frozen" && `+noticeHas+`("stands still")`)
			t.Logf("marked %.0f ms after the last picture", eval[float64](b, `window.took`))
			b.Click(0.5, 0.5)
			b.Until("the click is answered", `document.querySelector(".toast")?.textContent.includes("nothing was sent")`)
			if !eval[bool](b, `document.getElementById("hint").hidden`) {
				t.Error("it invites to click on a picture that stands still")
			}
			b.shot("frozen")
			b.whep.set(func(f *fakeWHEP) { f.mute, f.dark = false, false })
			b.Live()
			if n := len(b.agent.asked()); n != 0 {
				t.Errorf("%d commands were sent", n)
			}
			b.Clean()
		})
	}
}

// A camera that gives a picture every few seconds is not frozen in between.
func TestPageOfASlowCamera(t *testing.T) {
	b := openPage(t)
	b.agent.set(func(f *fakeAgent) { f.fps = 0.4 })
	b.Live()
	b.Until("the rate is known", `document.getElementById("stat-keyframe").textContent === "7 f"`)
	eval[any](b, `(() => { window.froze = false; new MutationObserver(() => { window.froze ||= document.body.dataset.link === "frozen"; }).observe(document.body, {attributes: true}); return null; })()`)
	b.whep.set(func(f *fakeWHEP) { f.dark = true })
	b.Do(chromedp.Sleep(4 * time.Second))
	if eval[bool](b, `window.froze`) {
		t.Error("a slow camera is called frozen")
	}
}

// What a browser says of a failed request is no sentence for people.
func TestPageWhenTheAgentIsGone(t *testing.T) {
	b := openPage(t)
	b.Live()
	b.whep.cut()
	b.server.CloseClientConnections()
	b.server.Listener.Close()
	b.Until("it says so", linkIs+`"reconnecting" && `+noticeHas+`("the agent cannot be reached")`)
	b.shot("gone")
	if !eval[bool](b, `document.getElementById("hint").hidden`) {
		t.Error("it invites to click")
	}
}

// Enter ends a rename; it must not press the row, too.
func TestPageRenameKeepsTheSelection(t *testing.T) {
	b := openPage(t)
	b.agent.set(func(f *fakeAgent) {
		f.next, f.objects = 7, []seg.Object{{ID: 7, Name: "dog", State: seg.Tracking, Mask: disc(0.5, 0.5, 0.1)}}
	})
	b.Live()
	b.Do(chromedp.Click(chromedp.CSS(`[data-id=cam-7] .pick-row`)), chromedp.KeyEvent(kb.F2), chromedp.KeyEvent("Rex\r"))
	if r, ok := b.command(1).Body.(*api.Rename); !ok || r.Name != "Rex" {
		t.Fatalf("%+v", b.command(1))
	}
	b.Until("the name is there", `document.querySelector(".name").textContent === "Rex"`)
	if !eval[bool](b, `document.querySelector(".object.selected")?.dataset.id === "cam-7"`) {
		t.Error("the row has lost its selection")
	}
	b.Do(chromedp.KeyEvent(kb.F2), chromedp.KeyEvent("Max\r"))
	if r, ok := b.command(2).Body.(*api.Rename); !ok || r.Name != "Max" {
		t.Errorf("a second rename sent %+v", b.command(2))
	}
	b.Clean()
}

// The other camera's name never stands over this one's picture.
func TestPageSwitchShowsNothingOld(t *testing.T) {
	b := openPage(t, "cam", "door")
	b.Live()
	b.whep.set(func(f *fakeWHEP) { f.dark = true })
	eval[any](b, `(() => { const s = document.getElementById("camera"); s.value = "door"; s.dispatchEvent(new Event("change")); return null; })()`)
	b.Until("the other camera is connected", linkIs+`"connected"`)
	b.Do(chromedp.Sleep(300 * time.Millisecond))
	if w := eval[int](b, `document.getElementById("video").videoWidth`); w != 0 {
		t.Errorf("a picture of %d columns is still there", w)
	}
	if lit := eval[int](b, `(() => { const c = document.getElementById("canvas"); return c.getContext("2d").getImageData(0, 0, c.width, c.height).data.filter((v) => v).length; })()`); lit != 0 {
		t.Errorf("%d bytes of the old picture are still drawn", lit)
	}
}
