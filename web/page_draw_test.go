package web

import (
	"fmt"
	"math"
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/seg"
)

// loop is a way round a place of the picture, about closed, in the window.
func (b *browser) loop(x, y, rx, ry float64) (way []Spot) {
	b.T.Helper()
	for i := range 24 {
		a := 2 * math.Pi * float64(i) / 24.5
		at := b.At(x+rx*math.Cos(a), y+ry*math.Sin(a))
		way = append(way, Spot{at.X, at.Y})
	}
	return way
}

// Spot is a place in the window.
type Spot struct{ X, Y float64 }

func (b *browser) drawMouse(way []Spot, before string) {
	b.T.Helper()
	b.Do(chromedp.MouseEvent(chromedp.MousePressed, way[0].X, way[0].Y, chromedp.ButtonLeft))
	for _, p := range way[1:] {
		b.Do(chromedp.MouseEvent(chromedp.MouseMoved, p.X, p.Y, chromedp.ButtonLeft))
		eval[any](b, `new Promise((done) => requestAnimationFrame(() => done(null)))`) // a hand is not faster than the screen
	}
	if before != "" {
		b.shot(before)
	}
	last := way[len(way)-1]
	b.Do(chromedp.MouseEvent(chromedp.MouseReleased, last.X, last.Y, chromedp.ButtonLeft))
}

func (b *browser) drawFinger(way []Spot) {
	b.T.Helper()
	touch := func(kind input.DispatchTouchEventType, points ...*input.TouchPoint) {
		b.T.Helper()
		if _, err := chromedp.Call(b.Tab, input.DispatchTouchEvent, input.DispatchTouchEventParams{Type: kind, TouchPoints: points}); err != nil {
			b.T.Fatal(err)
		}
	}
	touch(input.DispatchTouchEventTypeTouchStart, &input.TouchPoint{X: way[0].X, Y: way[0].Y})
	for _, p := range way[1:] {
		touch(input.DispatchTouchEventTypeTouchMove, &input.TouchPoint{X: p.X, Y: p.Y})
	}
	touch(input.DispatchTouchEventTypeTouchEnd)
}

// wantLasso wants the nth command to be a prompt by what was drawn round a place: a mask of an ellipse, and a click in its depth.
func (b *browser) wantLasso(n int, x, y, rx, ry float64) {
	b.T.Helper()
	p, ok := b.command(n).Body.(*api.Prompt)
	if !ok || p.Mask == nil || len(p.Points) != 1 || p.Box != nil || p.RTPTime == nil || p.Object != "" {
		b.T.Fatalf("command %d is %+v, want a mask and a point on a picture", n, b.command(n).Body)
	}
	m, err := p.Mask.Mask()
	if err != nil {
		b.T.Fatal(err)
	}
	if m.W != 320 || m.H != 180 {
		b.T.Errorf("the mask has %d×%d cells", m.W, m.H)
	}
	box := m.Box()
	for i, d := range []float64{box.X0 - (x - rx), box.X1 - (x + rx), box.Y0 - (y - ry), box.Y1 - (y + ry)} {
		if math.Abs(d) > 0.02 {
			b.T.Errorf("side %d of the mask's box is %.3f off: %+v", i, d, box)
		}
	}
	if want := math.Pi * rx * ry; math.Abs(m.Area()-want) > 0.1*want {
		b.T.Errorf("its area is %.4f, want %.4f", m.Area(), want)
	}
	if c := p.Points[0]; math.Abs(c.X-x) > 0.03 || math.Abs(c.Y-y) > 0.03 || c.Label != seg.Positive {
		b.T.Errorf("the click is %+v", c)
	}
}

// A person draws round a thing, with the mouse or a finger: the model is asked about what is inside.
func TestPageLasso(t *testing.T) {
	b := openPage(t)
	b.agent.set(func(f *fakeAgent) { f.plain = true })
	b.Live()
	b.Do(chromedp.KeyEvent("d"))
	b.Until("the tool is chosen", `document.querySelector("[data-mode=lasso]").getAttribute("aria-checked") === "true"`)
	b.drawMouse(b.loop(0.4, 0.5, 0.15, 0.2), "lasso")
	b.wantLasso(1, 0.4, 0.5, 0.15, 0.2)
	b.Until("it is selected, and the next click is a click", `document.querySelector(".object.selected")?.dataset.id === "cam-1" && document.getElementById("stage").dataset.mode === "point"`)
	b.Do(chromedp.Click(chromedp.CSS("[data-mode=lasso]")))
	from := b.At(0.7, 0.7)
	b.drawMouse([]Spot{{from.X, from.Y}, {from.X + 9, from.Y}, {from.X, from.Y}}, "")
	b.Until("a line round nothing is no prompt", `/went round nothing/.test(document.getElementById("toasts").innerText)`)
	if n := len(b.agent.asked()); n != 1 {
		t.Errorf("%d commands: %s", n, b.agent.verbs())
	}
	b.Clean()
}

func TestPageLassoOnPhone(t *testing.T) {
	b := openPage(t)
	b.agent.set(func(f *fakeAgent) { f.plain = true })
	b.Do(chromedp.EmulateViewport(390, 844, chromedp.EmulateMobile, chromedp.EmulateTouch, chromedp.EmulateScale(2)))
	b.Live()
	b.Do(chromedp.Tap(chromedp.CSS("[data-mode=lasso]")))
	b.shot("phone-lasso")
	b.drawFinger(b.loop(0.5, 0.5, 0.2, 0.3))
	b.wantLasso(1, 0.5, 0.5, 0.2, 0.3)
	b.Clean()
}

// A model that takes no masks is asked about the box of what was drawn.
func TestPageLassoWithoutMasks(t *testing.T) {
	b := openPage(t)
	b.agent.set(func(f *fakeAgent) { f.maskless = true })
	b.Live()
	b.Do(chromedp.KeyEvent("d"))
	b.drawMouse(b.loop(0.4, 0.5, 0.15, 0.2), "")
	p, ok := b.command(2).Body.(*api.Prompt)
	if !ok || p.Mask != nil || len(p.Points) != 0 || p.Box == nil || p.RTPTime == nil {
		t.Fatalf("%+v", b.command(2).Body)
	}
	for i, want := range []float64{0.25, 0.3, 0.55, 0.7} {
		if math.Abs(p.Box[i]-want) > 0.01 {
			t.Errorf("box %v", *p.Box)
		}
	}
	if eval[bool](b, `document.querySelector(".toast.error") !== null`) {
		t.Error("the refusal of the mask is shown")
	}
	b.Clean()
}

// A path that crosses itself has no hole, and the deepest place is inside where the middle is not.
func TestPageLassoGeometry(t *testing.T) {
	b := openPage(t)
	type prompt struct {
		Points []struct{ X, Y float64 }
		Mask   *seg.RLE
	}
	of := func(path string) prompt {
		t.Helper()
		return eval[prompt](b, `import("/js/lasso.js").then((m) => { const p = m.lasso(`+path+`.map(([x, y]) => ({x, y})), 0.5625); return {Points: p.points.map(({x, y}) => ({X: x, Y: y})), Mask: p.mask}; })`)
	}
	p := of(`[[0.1, 0.1], [0.9, 0.1], [0.9, 0.9], [0.7, 0.9], [0.7, 0.3], [0.1, 0.3]]`) // an L, whose middle lies outside
	m, err := p.Mask.Mask()
	if err != nil {
		t.Fatal(err)
	}
	if c := p.Points[0]; m.At(int(c.X*float64(m.W)), int(c.Y*float64(m.H))) == 0 || c.X < 0.75 || c.Y > 0.35 {
		t.Errorf("the deepest place of an L is %+v", c)
	}
	p = of(`[[0.2, 0.2], [0.8, 0.2], [0.8, 0.8], [0.2, 0.8], [0.2, 0.2], [0.8, 0.2], [0.8, 0.8], [0.2, 0.8]]`) // twice round
	if m, err = p.Mask.Mask(); err != nil || math.Abs(m.Area()-0.36) > 0.01 {
		t.Errorf("twice round a square: area %.3f, %v", m.Area(), err)
	}
	if got := eval[bool](b, `import("/js/lasso.js").then((m) => m.lasso([{x: 0.5, y: 0.5}, {x: 0.6, y: 0.5}], 0.5) === null)`); !got {
		t.Error("a line is a lasso")
	}
}

// The keyboard points: arrows move a crosshair, Enter clicks where it is, and it is said where it is and on what.
func TestPageCrosshair(t *testing.T) {
	b := openPage(t)
	b.agent.set(func(f *fakeAgent) {
		f.plain, f.next = true, 1
		f.objects = []seg.Object{{ID: 1, Name: "Ada", State: seg.Tracking, Mask: disc(0.6, 0.5, 0.08)}}
	})
	b.Live()
	b.Until("it is listed", `document.querySelectorAll(".object").length === 1`)
	b.Do(chromedp.KeyEvent("k"))
	b.Until("it is announced", `/Crosshair on/.test(document.getElementById("crosshair").textContent) && document.activeElement.id === "surface"`)
	shift := chromedp.KeyModifiers(chromedp.ModifierShift)
	for range 2 {
		b.Do(chromedp.KeyEvent(kb.ArrowRight, shift))
	}
	b.Do(chromedp.KeyEvent(kb.ArrowLeft), chromedp.KeyEvent(kb.ArrowUp), chromedp.KeyEvent(kb.ArrowDown))
	b.Until("it is said where it is, and on what", `document.getElementById("crosshair").textContent === "59 % from the left, 50 % from the top, on Ada"`)
	b.Until("what it is on is lit", `document.querySelector(".object").classList.contains("lit")`)
	b.shot("crosshair")
	b.Do(chromedp.KeyEvent(kb.Enter))
	b.Until("what is followed is selected", `document.querySelector(".object.selected")?.dataset.id === "cam-1"`)
	b.Do(chromedp.KeyEvent(kb.Enter, shift))
	b.wantClick(1, 0.59, 0.5, seg.Negative, "cam-1")
	for range 6 {
		b.Do(chromedp.KeyEvent(kb.ArrowLeft, shift))
	}
	b.Do(chromedp.KeyEvent(kb.Enter))
	if p := b.wantClick(2, 0.29, 0.5, seg.Positive, ""); p.RTPTime == nil {
		t.Error("the click does not name its picture")
	}
	for range 30 { // no further than the edge
		b.Do(chromedp.KeyEvent(kb.ArrowUp, shift))
	}
	b.Until("at the edge", `/, 0 % from the top/.test(document.getElementById("crosshair").textContent)`)
	selected := `document.querySelector(".object.selected")?.dataset.id`
	was := eval[string](b, selected)
	b.Do(chromedp.KeyEvent(kb.Escape))
	b.Until("it says that it is gone", `document.getElementById("crosshair").textContent === "Crosshair off."`)
	if eval[string](b, selected) != was {
		t.Error("leaving it has changed the selection")
	}
	b.Do(chromedp.KeyEvent(kb.ArrowDown))
	b.Until("the arrows are the list's again", selected+` !== "`+was+`"`)
	b.Clean()
}

// How much the fill covers is the person's to say, and is kept.
func TestPageOpacity(t *testing.T) {
	b := openPage(t)
	b.agent.set(func(f *fakeAgent) {
		f.plain, f.next = true, 1
		f.objects = []seg.Object{{ID: 1, State: seg.Tracking, Mask: disc(0.5, 0.5, 0.1)}}
	})
	b.Live()
	b.Until("it is listed", `document.querySelectorAll(".object").length === 1`)
	if !eval[bool](b, `document.getElementById("opacity-label").hidden`) {
		t.Error("the slider is there where the agent paints")
	}
	b.Do(chromedp.KeyEvent("m"))
	b.Live()
	alpha := fmt.Sprintf(`(() => { const c = document.getElementById("canvas"), at = %s; return c.getContext("2d").getImageData(at[0], at[1], 1, 1).data[3]; })()`,
		`(({width, height}) => [width / 2, height / 2])(document.getElementById("canvas"))`)
	b.Until("the usual cover", alpha+` === 89`)
	set := func(v int) {
		eval[any](b, fmt.Sprintf(`(() => { const s = document.getElementById("opacity"); s.value = %d; s.dispatchEvent(new Event("input")); return null; })()`, v))
	}
	for _, v := range []int{0, 100, 60} {
		set(v)
		b.Until(fmt.Sprintf("%d %%", v), fmt.Sprintf(`Math.abs(%s - %d * 2.55) < 1`, alpha, v))
	}
	b.shot("opacity")
	b.Do(chromedp.Reload())
	b.Live()
	b.Until("it is kept", alpha+` === 153 && document.getElementById("opacity").value === "60" && document.getElementById("opacity").getAttribute("aria-valuetext") === "60 %"`)
	b.Clean()
}

// Contours are drawn smooth, in the screen's own pixels: the staircase of a grid is none, and a long straight edge stays straight.
func TestPageSmoothsContours(t *testing.T) {
	b := openPage(t)
	type numbers struct{ Step, Corner, Side bool }
	got := eval[numbers](b, `import("/js/canvas.js").then((m) => {
		const r = {w: 400, h: 400}, c = new OffscreenCanvas(400, 400).getContext("2d"), stairs = [];
		for (let i = 0; i < 20; i++) stairs.push(0.1 + i * 0.02, 0.1 + i * 0.02, 0.12 + i * 0.02, 0.1 + i * 0.02); // steps of 8 pixels
		m.trace(c, [[...stairs, 0.1, 0.9]], r);
		const Step = c.isPointInPath(127.4, 120.6); // the outermost of a step from (120, 120) to (128, 120)
		m.trace(c, [[0.25, 0.25, 0.75, 0.25, 0.75, 0.75, 0.25, 0.75]], r);
		return {Step, Corner: c.isPointInPath(100.5, 100.5), Side: c.isPointInPath(108, 100.5) && c.isPointInPath(200, 100.2) && !c.isPointInPath(200, 99.8)}; })`)
	if !got.Side || got.Corner || got.Step {
		t.Errorf("%+v: a square's sides are to stay, its corners to be rounded by a few pixels, and those of steps away", got)
	}
}

// What a "fit" is, is said where one is shown: in a tooltip, to who cannot see that, and in the help.
func TestPageExplainsTheFit(t *testing.T) {
	b := openPage(t)
	b.Live()
	b.Click(0.5, 0.5)
	b.Until("a chip for each mask", `document.querySelectorAll(".pick-chip").length === 3`)
	missing := eval[string](b, `[[".object .meta", ".object .pick-row"], [".pick-chip", ".pick-chip"]].flatMap(([shown, control]) => {
		const [s, c] = [shown, control].map((q) => document.querySelector(q)), said = document.getElementById(c.getAttribute("aria-describedby"))?.textContent;
		return /%/.test(s.textContent) && /predicted IoU/.test(said ?? "") && s.title.startsWith(said) ? [] : [s.outerHTML]; }).join("; ")`)
	if missing != "" {
		t.Errorf("not explained: %s", missing)
	}
	b.shot("fit")
	b.Do(chromedp.Click(chromedp.ID("help-open")))
	if !eval[bool](b, `document.getElementById("fit-help").checkVisibility()`) {
		t.Error("the help does not say it")
	}
	b.shot("help")
	b.Clean()
}
