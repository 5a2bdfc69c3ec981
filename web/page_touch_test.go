package web

import (
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/seg"
)

// targetsScript lists the visible controls that a thumb does not hit: under 44 by 44 CSS pixels (WCAG 2.2, 2.5.5). A field in a label counts with it.
const targetsScript = `(() => {
	const bad = new Set();
	for (const c of document.querySelectorAll("button, input, select, textarea, summary, a[href], [role=slider], [role=button]")) {
		const e = c.matches("input") && c.closest("label") || c, r = e.getBoundingClientRect(), open = document.querySelector("dialog[open]");
		if (open && !open.contains(c) || !e.checkVisibility({ opacityProperty: true, visibilityProperty: true }) || e.closest(".sr")) continue;
		if (r.width < 44 || r.height < 44) bad.add((e.id || e.className || e.outerHTML.slice(0, 60)) + " " + r.width.toFixed(1) + "×" + r.height.toFixed(1));
	}
	return [...bad].join("; "); })()`

// movingScript lists what is animated for longer than a blink.
const movingScript = `document.getAnimations().filter((a) => a.effect.getComputedTiming().duration > 20 && a.effect.getComputedTiming().progress !== null).map((a) => a.effect.target.className + " " + a.animationName).join("; ")`

// On phones, upright and on their side, in both themes, everything that can be pressed is large enough for a thumb, everything written can be read, and nothing
// moves where people asked for that.
func TestPageIsForThumbs(t *testing.T) {
	b := prepareWith(t, Options{Clips: newShelf(t)}, "cam", "yard")
	now := time.Now()
	b.agent.set(func(f *fakeAgent) {
		f.words, f.next = true, 9
		f.watches = []api.Watch{{Text: "every person", Limit: 10}}
		f.objects = []seg.Object{{ID: 7, Name: "dog", State: seg.Tracking, Mask: disc(0.6, 0.4, 0.1), Made: now, PredictedIoU: 0.9}, {ID: 9, Name: "cat", State: seg.Lost, Made: now, Seen: now}}
		f.news = []map[string]any{happened("object.new", 0, 7, nil), happened("object.new", 0, 9, nil), happened("object.lost", 0, 9, nil), happened("camera.stalled", 0, 0, nil)}
		f.zones = []api.Zone{{Name: "desk", Points: [][2]float64{{0.1, 0.1}, {0.4, 0.1}, {0.4, 0.4}}}}
	})
	b.open()
	b.Live()
	b.Until("all is there", `document.querySelectorAll(".object").length === 2 && document.querySelectorAll(".event").length === 4 && document.querySelectorAll(".clip").length === 1
		&& document.querySelectorAll(".shape").length === 1 && document.querySelectorAll(".watch").length === 1`)
	theme := ""
	check := func(what string) {
		t.Helper()
		for kind, script := range map[string]string{"too small for a thumb": targetsScript, "hard to read": contrastScript, "moving": movingScript} {
			if bad := eval[string](b, script); bad != "" {
				t.Errorf("%s, %s: %s: %s", what, theme, kind, bad)
			}
		}
		b.shot(fmt.Sprintf("thumb-%s-%s", what, theme))
	}
	for i, size := range [][2]int64{{390, 844}, {844, 390}} {
		theme = []string{"light", "dark"}[i]
		media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: theme}, {Name: "prefers-reduced-motion", Value: "reduce"}}}
		if _, err := chromedp.Call(b.Tab, emulation.SetEmulatedMedia, media); err != nil {
			t.Fatal(err)
		}
		b.Do(chromedp.EmulateViewport(size[0], size[1], chromedp.EmulateMobile, chromedp.EmulateTouch, chromedp.EmulateScale(2)))
		b.Until("it is a phone", `matchMedia("(pointer: coarse)").matches`)
		check("panel")
		eval[any](b, `document.getElementById("timeline").scrollIntoView({ block: "center" }), null`)
		mark := eval[[2]float64](b, `(() => { const r = [...document.querySelectorAll(".mark")].at(-1).getBoundingClientRect(); return [r.x + r.width / 2, r.y - 6]; })()`) // nearly
		b.Do(chromedp.TapXY(mark[0], mark[1]))
		b.Until("a tap near a mark tells of it", `document.getElementById("timeline-text").checkVisibility() && document.getElementById("timeline-text").textContent !== ""`)
		check("timeline")
		b.Do(chromedp.Evaluate[chromedp.Void](`document.getElementById("timeline").blur()`))
		b.Until("and no longer", `document.getElementById("timeline-tip").hidden`)
		click := func(id string) { eval[any](b, fmt.Sprintf(`document.getElementById(%q).click(), null`, id)) }
		click("stats")
		check("details")
		click("stats")
		click("help-open")
		check("help")
		b.Do(chromedp.Click(chromedp.CSS("#help button")))
		click("new-zone")
		check("zone")
		click("draft-cancel")
		click("everything")
		b.Until("it asks", `document.querySelectorAll(".keep-row:not([hidden])").length === 3`)
		check("sift")
		click("sieve-done")
		b.Until("they are gone, with a way back", `document.querySelectorAll(".object").length === 2 && document.querySelector(".toast button")`)
		check("toast")
		click("grid-open")
		b.Until("the grid shows", `document.querySelectorAll(".tile").length === 2`)
		check("grid")
		click("grid-open")
		b.Live()
		at := b.At(0.3, 0.8-0.4*float64(i))
		b.Do(chromedp.TapXY(at.X, at.Y))
		b.Until("it asks which", `document.querySelectorAll(".pick-chip").length === 3`)
		check("pick")
		click("pick-close")
		b.Until("it is settled", `document.getElementById("pick").hidden`)
		eval[any](b, `document.querySelector(".object:last-child .danger").click(), null`)
		b.Until("two are left", `document.querySelectorAll(".object").length === 2`)
	}
}
