package web

import (
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/seg"
)

// contrastScript lists the texts whose contrast to what is behind them is under 4.5:1 (WCAG 2.2, 1.4.3), 3:1 where they are large.
// Over the video its dark ground is taken, which it has for the while that there is no picture.
const contrastScript = `(() => {
	const parse = (c) => { const m = c.match(/[\d.]+/g).map(Number); const unit = c.startsWith("color(") ? 255 : 1; return [m[0] * unit, m[1] * unit, m[2] * unit, m[3] ?? 1]; };
	const over = (a, b) => a.slice(0, 3).map((v, i) => v * a[3] + b[i] * (1 - a[3])).concat(1);
	const ground = (e) => { const layers = []; for (; e; e = e.parentElement) layers.push(parse(getComputedStyle(e).backgroundColor)); return layers.reverse().reduce((b, a) => over(a, b), [255, 255, 255, 1]); };
	const light = (c) => { const [r, g, b] = c.map((v) => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; }); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
	const bad = [];
	for (const e of document.querySelectorAll(".panel *, .stage *, dialog[open] *")) {
		if (![...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim()) || !e.checkVisibility({ opacityProperty: true, visibilityProperty: true }) || e.closest(":disabled")) continue;
		const style = getComputedStyle(e), b = ground(e), f = over(parse(style.color), b);
		const [x, y] = [light(f), light(b)].sort((p, q) => q - p), ratio = (x + 0.05) / (y + 0.05), size = parseFloat(style.fontSize);
		if (ratio < (size >= 24 || size >= 18.66 && style.fontWeight >= 700 ? 3 : 4.5)) bad.push(e.className + " " + JSON.stringify(e.textContent.trim().slice(0, 30)) + " " + ratio.toFixed(2));
	}
	return bad.join("; "); })()`

func TestPageHasContrastInBothThemes(t *testing.T) {
	b := openPage(t)
	b.agent.set(func(f *fakeAgent) {
		for i, s := range []seg.State{seg.Tracking, seg.Uncertain, seg.Occluded, seg.Lost, seg.Tentative} {
			f.next++
			f.objects = append(f.objects, seg.Object{ID: f.next, Name: s.String(), State: s, Mask: disc(0.2*float64(i)+0.1, 0.5, 0.05), PredictedIoU: 0.9, Age: 300})
		}
		f.zones = []api.Zone{{Name: "desk", Points: [][2]float64{{0.1, 0.1}, {0.4, 0.1}, {0.4, 0.4}}}}
	})
	b.Live()
	b.Until("all are listed", `document.querySelectorAll(".object").length === 5 && document.querySelectorAll(".shape").length === 1`)
	b.Do(chromedp.Click(chromedp.CSS(`[data-id=cam-1] .pick-row`)))
	for _, theme := range []string{"dark", "light"} {
		media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: theme}, {Name: "prefers-reduced-motion", Value: "reduce"}}}
		if _, err := chromedp.Call(b.Tab, emulation.SetEmulatedMedia, media); err != nil {
			t.Fatal(err)
		}
		b.Until("it is "+theme, `matchMedia("(prefers-color-scheme: `+theme+`)").matches`)
		if got := eval[string](b, `getComputedStyle(document.querySelector(".panel")).backgroundColor`); (got == "rgb(255, 255, 255)") != (theme == "light") {
			t.Errorf("%s: the panel is %s", theme, got)
		}
		if bad := eval[string](b, contrastScript); bad != "" {
			t.Errorf("%s: %s", theme, bad)
		}
		b.shot("theme-" + theme)
		b.Do(chromedp.Click(chromedp.ID("help-open")))
		if bad := eval[string](b, contrastScript); bad != "" {
			t.Errorf("%s, help: %s", theme, bad)
		}
		b.shot("help-" + theme)
		b.Do(chromedp.Click(chromedp.CSS("#help button")))
	}
	b.Clean()
}
