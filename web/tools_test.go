package web

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/seg"
)

// A click on what is followed selects it; only Alt, or a box, follows a part of it as a second object.
func TestPageFollowsNothingTwice(t *testing.T) {
	b := openPage(t)
	b.agent.set(func(f *fakeAgent) {
		f.plain = true // no question is to come between the clicks
		f.next, f.objects = 2, []seg.Object{
			{ID: 1, Name: "Ada", State: seg.Tracking, Mask: disc(0.3, 0.5, 0.1)}, {ID: 2, State: seg.Tracking, Mask: disc(0.7, 0.5, 0.1)},
		}
	})
	b.Live()
	b.Until("both are listed", `document.querySelectorAll(".object").length === 2`)
	selected := func(id string) {
		t.Helper()
		b.Until(id+" is selected", `document.querySelector(".object.selected")?.dataset.id === "`+id+`"`)
	}
	b.Click(0.3, 0.5)
	selected("cam-1")
	b.Click(0.72, 0.5)
	selected("cam-2")
	b.Click(0.7, 0.5)
	b.Until("it says what would add to it", `/followed already/.test(document.getElementById("toasts").innerText)`)
	selected("cam-2")
	if n := len(b.agent.asked()); n != 0 {
		t.Errorf("%d commands, want none: %s", n, b.agent.verbs())
	}
	b.Click(0.7, 0.5, chromedp.ButtonModifiers(chromedp.ModifierAlt))
	b.wantClick(1, 0.7, 0.5, seg.Positive, "")
	b.Click(0.3, 0.9)
	b.wantClick(2, 0.3, 0.9, seg.Positive, "")
	b.Clean()
}

func TestPageSegmentsEverything(t *testing.T) {
	b := openPage(t)
	b.Live()
	b.Do(chromedp.Click(chromedp.ID("everything")))
	if c := b.command(1); c.Verb != "automask" {
		t.Fatalf("asked for %+v", c)
	}
	b.Until("it asks which", `!document.getElementById("sieve").hidden && document.getElementById("sieve-text").textContent.startsWith("3 found")`)
	b.Until("all are listed", `document.querySelectorAll(".object").length === 3`)
	b.shot("everything")
	if got := eval[string](b, `document.querySelector("#sieve .primary").textContent`); got != "Keep all" {
		t.Errorf("what is nearest at hand is %q", got)
	}
	b.Click(0.5, 0.5)
	b.Until("one is kept", `document.getElementById("sieve-text").textContent === "1 of 3 kept"`)
	b.Click(0.8, 0.5)
	b.Click(0.8, 0.5) // and given back
	b.Until("one is kept again", `document.getElementById("sieve-text").textContent === "1 of 3 kept"`)
	if got := eval[string](b, `document.querySelector("#sieve .primary").textContent`); got != "Keep 1, drop 2" {
		t.Errorf("what is nearest at hand is %q", got)
	}
	b.Do(chromedp.Click(chromedp.ID("sieve-done")))
	if r, ok := b.command(2).Body.(*api.Remove); !ok || !slices.Equal(r.Objects, []string{"cam-1", "cam-3"}) {
		t.Errorf("%+v, want the others removed at once", b.command(2))
	}
	b.Until("the one is left", `document.querySelectorAll(".object").length === 1 && document.querySelector(".object").dataset.id === "cam-2"`)
	b.Do(chromedp.KeyEvent("e"))
	b.Until("it asks again", `!document.getElementById("sieve").hidden`)
	b.Do(chromedp.Click(chromedp.ID("sieve-all")))
	b.Until("all stay", `document.getElementById("sieve").hidden && document.querySelectorAll(".object").length === 4`)
	b.agent.set(func(f *fakeAgent) { f.refuse = &api.Error{Code: api.NotReady, Message: "no frame yet"} })
	b.Do(chromedp.KeyEvent("e"))
	b.Until("a refusal is told", `/No frame yet/.test(document.getElementById("toasts").innerText) && !document.getElementById("everything").disabled`)
	b.Clean()
}

// What is proposed can be kept and dropped where it is listed, too.
func TestPageSiftsInTheList(t *testing.T) {
	b := openPage(t)
	b.Live()
	b.Do(chromedp.Click(chromedp.ID("everything")))
	b.Until("each asks", `document.querySelectorAll(".keep-row:not([hidden])").length === 3 && document.querySelectorAll(".object .danger:not([hidden])").length === 0`)
	b.Do(chromedp.Click(chromedp.CSS(`[data-id=cam-1] .keep-row`)), chromedp.Click(chromedp.CSS(`[data-id=cam-2] .keep-row`)))
	b.Until("two are kept", `document.getElementById("sieve-text").textContent === "2 of 3 kept" && document.querySelectorAll(".keep-row[aria-pressed=true]").length === 2`)
	b.shot("sift")
	b.Do(chromedp.Click(chromedp.CSS(`[data-id=cam-1] .keep-row`))) // and given back
	b.Until("one is", `document.getElementById("sieve-text").textContent === "1 of 3 kept"`)
	b.Do(chromedp.Click(chromedp.CSS(`[data-id=cam-1] .drop-row`)), chromedp.Click(chromedp.CSS(`[data-id=cam-3] .drop-row`)))
	for n, want := range map[int]string{2: "cam-1", 3: "cam-3"} {
		if r, ok := b.command(n).Body.(*api.Remove); !ok || r.Object != want {
			t.Errorf("command %d is %+v, want the removal of %s", n, b.command(n), want)
		}
	}
	b.Until("the other stays", `document.querySelectorAll(".object").length === 1 && document.getElementById("sieve-text").textContent === "1 of 1 kept"`)
	b.Do(chromedp.Click(chromedp.ID("sieve-done")))
	b.Until("it is an object as others are", `document.getElementById("sieve").hidden && document.querySelector(".keep-row").hidden && !document.querySelector(".object .danger").hidden`)
	if n := len(b.agent.asked()); n != 3 {
		t.Errorf("%d commands: %s", n, b.agent.verbs())
	}
	b.Clean()
}

func TestPageDrawsZones(t *testing.T) {
	b := openPage(t)
	b.Live()
	b.Do(chromedp.Click(chromedp.ID("new-zone")))
	if !eval[bool](b, `document.getElementById("draft-done").disabled`) {
		t.Error("a zone without corners can be kept")
	}
	for _, p := range [][2]float64{{0.2, 0.3}, {0.6, 0.3}, {0.6, 0.8}, {0.2, 0.8}} {
		b.Click(p[0], p[1])
	}
	b.shot("zone")
	b.Do(chromedp.SetValue(chromedp.ID("draft-name"), "door"), chromedp.Click(chromedp.ID("draft-done")))
	z, ok := b.command(1).Body.(*api.Zone)
	if !ok || z.Name != "door" || len(z.Points) != 4 || !near(z.Points[2][0], 0.6) || !near(z.Points[2][1], 0.8) {
		t.Errorf("drew %+v", b.command(1).Body)
	}
	// By its first corner, which closes it; and in one stroke.
	b.Do(chromedp.KeyEvent("z"))
	for _, p := range [][2]float64{{0.7, 0.2}, {0.9, 0.2}, {0.9, 0.5}, {0.7, 0.2}} {
		b.Click(p[0], p[1])
	}
	if z, ok := b.command(2).Body.(*api.Zone); !ok || z.Name != "zone 1" || len(z.Points) != 3 {
		t.Errorf("drew %+v", b.command(2).Body)
	}
	b.Do(chromedp.KeyEvent("z"))
	b.drag(0.7, 0.6, 0.9, 0.9)
	b.Do(chromedp.KeyEvent(kb.Enter))
	if z, ok := b.command(3).Body.(*api.Zone); !ok || z.Name != "zone 2" || len(z.Points) != 4 || !near(z.Points[0][0], 0.7) || !near(z.Points[2][1], 0.9) {
		t.Errorf("drew %+v", b.command(3).Body)
	}
	b.Until("they are listed", `[...document.querySelectorAll(".shape .name")].map((e) => e.textContent).join() === "door,zone 1,zone 2"`)
	b.Do(chromedp.KeyEvent("z"))
	b.Click(0.5, 0.5)
	b.Do(chromedp.KeyEvent(kb.Escape))
	b.Until("the draft is dropped", `document.getElementById("draft").hidden`)
	b.Do(chromedp.Click(chromedp.CSS(`[aria-label="Remove the zone zone 1"]`)))
	if z, ok := b.command(4).Body.(*api.Zone); !ok || z.Name != "zone 1" || len(z.Points) != 0 {
		t.Errorf("removed with %+v", b.command(4).Body)
	}
	b.Until("it is gone, there too", `document.querySelectorAll(".shape").length === 2`)
	b.Clean()
}

func (b *browser) drag(x0, y0, x1, y1 float64) {
	b.T.Helper()
	from, to := b.At(x0, y0), b.At(x1, y1)
	b.Do(chromedp.MouseEvent(chromedp.MousePressed, from.X, from.Y, chromedp.ButtonLeft),
		chromedp.MouseEvent(chromedp.MouseMoved, (from.X+to.X)/2, (from.Y+to.Y)/2, chromedp.ButtonLeft),
		chromedp.MouseEvent(chromedp.MouseMoved, to.X, to.Y, chromedp.ButtonLeft),
		chromedp.MouseEvent(chromedp.MouseReleased, to.X, to.Y, chromedp.ButtonLeft))
}

func TestPageDrawsLines(t *testing.T) {
	b := openPage(t)
	b.agent.set(func(f *fakeAgent) {
		f.zones = []api.Zone{{Name: "yard", Points: [][2]float64{{0.1, 0.1}, {0.4, 0.1}, {0.2, 0.4}}}}
		f.objects, f.next = []seg.Object{{ID: 1, State: seg.Tracking, Mask: disc(0.5, 0.5, 0.1)}}, 1
	})
	b.Live()
	b.Until("what others drew is listed", `document.querySelector(".shape .name")?.textContent === "yard"`)
	b.Do(chromedp.Click(chromedp.ID("new-line")))
	b.drag(0.9, 0.5, 0.3, 0.5) // flat, to the left, over an object
	b.Do(chromedp.KeyEvent(kb.Enter))
	l, ok := b.command(1).Body.(*api.Line)
	if !ok || l.Name != "line 1" || len(l.Points) != 2 || !near(l.Points[0][0], 0.9) || !near(l.Points[1][0], 0.3) {
		t.Errorf("drew %+v", b.command(1).Body)
	}
	b.Do(chromedp.KeyEvent("l"))
	b.Click(0.5, 0.2)
	b.Click(0.5, 0.5) // on the object: it is no choice now
	b.Do(chromedp.Click(chromedp.ID("draft-done")))
	if l, ok := b.command(2).Body.(*api.Line); !ok || l.Name != "line 2" || !near(l.Points[1][1], 0.5) {
		t.Errorf("drew %+v", b.command(2).Body)
	}
	b.Until("they are listed", `document.querySelectorAll(".shape").length === 3`)
	b.shot("lines")
	b.agent.set(func(f *fakeAgent) { f.refuse = &api.Error{Code: api.Overloaded, Message: "too many"} })
	b.Do(chromedp.Click(chromedp.CSS(`[aria-label="Remove the zone yard"]`)))
	b.Until("a refusal is told, and what it left is there", `document.querySelector(".toast")?.textContent === "Too many" && document.querySelectorAll(".shape").length === 3`)
	b.Clean()
}

// The picture is saved as it is seen: the video's size, its colours, under the camera's name.
func TestPageSavesThePicture(t *testing.T) {
	b := openPage(t)
	b.Live()
	eval[any](b, `(() => { window.saved = null; const make = URL.createObjectURL;
		URL.createObjectURL = (blob) => { window.saved = {blob}; return make(blob); };
		HTMLAnchorElement.prototype.click = function () { window.saved.name = this.download; }; return null; })()`)
	b.Do(chromedp.Click(chromedp.ID("snapshot")))
	b.Until("it is saved", `window.saved?.name`)
	type picture struct {
		Name, Type    string
		Width, Height int
		Color         []float64
	}
	got := eval[picture](b, `createImageBitmap(window.saved.blob).then((i) => { const c = new OffscreenCanvas(i.width, i.height).getContext("2d"); c.drawImage(i, 0, 0);
		return {Name: saved.name, Type: saved.blob.type, Width: i.width, Height: i.height, Color: [...c.getImageData(i.width * 0.42, i.height * 0.2, 1, 1).data]}; })`)
	var size [2]int
	if err := json.Unmarshal([]byte(eval[string](b, `JSON.stringify([document.getElementById("video").videoWidth, document.getElementById("video").videoHeight])`)), &size); err != nil {
		t.Fatal(err)
	}
	if got.Type != "image/png" || [2]int{got.Width, got.Height} != size || len(got.Name) != len("cam-2026-01-02T03-04-05.png") || got.Name[:4] != "cam-" {
		t.Errorf("saved %+v of a video of %v", got, size)
	}
	if c := got.Color; slices.Max(c[:3]) < 60 {
		t.Errorf("the picture is black: %v", c)
	}
	b.Clean()
}

// All tools are within a thumb's reach on a phone, and a zone can be drawn there.
func TestPageToolsOnPhone(t *testing.T) {
	b := openPage(t)
	b.Do(chromedp.EmulateViewport(390, 844, chromedp.EmulateMobile, chromedp.EmulateTouch, chromedp.EmulateScale(2)))
	b.Live()
	b.Do(chromedp.Tap(chromedp.ID("new-zone")))
	for _, p := range [][2]float64{{0.2, 0.3}, {0.6, 0.3}, {0.6, 0.8}} {
		at := b.At(p[0], p[1])
		b.Do(chromedp.TapXY(at.X, at.Y))
	}
	b.Until("it can be kept", `!document.getElementById("draft-done").disabled`)
	b.shot("phone-zone")
	for _, id := range []string{"everything", "snapshot", "undo", "help-open", "draft-done", "draft-cancel", "new-line"} {
		r := eval[[4]float64](b, fmt.Sprintf(`(() => { const r = document.getElementById(%q).getBoundingClientRect(); return [r.left, r.right, r.width, r.height]; })()`, id))
		if r[0] < 0 || r[1] > 390 || r[2] < 30 || r[3] < 28 {
			t.Errorf("%s lies at %v", id, r)
		}
	}
	b.Do(chromedp.Tap(chromedp.ID("draft-done")))
	if z, ok := b.command(1).Body.(*api.Zone); !ok || len(z.Points) != 3 {
		t.Errorf("drew %+v", b.command(1).Body)
	}
	b.Do(chromedp.Tap(chromedp.ID("everything")))
	b.Until("it asks which", `!document.getElementById("sieve").hidden`)
	b.shot("phone-everything")
	b.Clean()
}
