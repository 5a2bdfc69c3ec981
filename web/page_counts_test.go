package web

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/seg"
)

// What zones and lines count, and who is inside, is told where they are listed, and goes on with what happens.
func TestPageCountsAtZonesAndLines(t *testing.T) {
	b := openPage(t)
	b.agent.set(func(f *fakeAgent) {
		for i, name := range []string{"iPhone", "dog", "", "cat", "cup", "hat"} {
			f.objects = append(f.objects, seg.Object{ID: seg.ID(i + 1), Name: name, State: seg.Tracking, Mask: disc(0.1+0.15*float64(i), 0.5, 0.05)})
		}
		f.zones = []api.Zone{{Name: "desk", Points: [][2]float64{{0.1, 0.1}, {0.4, 0.1}, {0.4, 0.4}}}, {Name: "constructor", Points: [][2]float64{{0.5, 0.1}, {0.9, 0.1}, {0.9, 0.4}}}}
		f.lines = []api.Line{{Name: "gate", Points: [][2]float64{{0.2, 0.2}, {0.2, 0.8}}}}
	})
	b.Live()
	tallies := func(what, want string) {
		t.Helper()
		b.Until(what, fmt.Sprintf(`[...document.querySelectorAll(".shape .tally")].map((e) => e.textContent).join("|") === %q`, want))
	}
	tallies("nothing is counted yet", "nobody inside · 0 in · 0 out|nobody inside · 0 in · 0 out|0 in · 0 out")
	row := `document.querySelector(".shape")`
	eval[any](b, `(() => { window.row = `+row+`; return null; })()`)
	b.agent.set(func(f *fakeAgent) {
		f.counts = &api.Counts{Zones: map[string]api.Visits{"desk": {Inside: 2, Entered: 5, Left: 3}}, Lines: map[string]api.Crossings{"gate": {Left: 2, Right: 4}}, Inside: map[string][]string{"desk": {"cam-1", "cam-3"}}}
	})
	tallies("it is told", "2 inside: iPhone, cam-3 · 5 in · 3 out|nobody inside · 0 in · 0 out|4 in · 2 out")
	b.agent.set(func(f *fakeAgent) {
		f.counts = &api.Counts{Zones: map[string]api.Visits{"desk": {Inside: 6, Entered: 9, Left: 3}}, Inside: map[string][]string{"desk": {"cam-1", "cam-2", "cam-3", "cam-4", "cam-5", "cam-6"}}}
	})
	tallies("it follows, and names a few", "6 inside: iPhone, dog, cam-3, cat and 2 more · 9 in · 3 out|nobody inside · 0 in · 0 out|0 in · 0 out")
	if !eval[bool](b, `window.row === `+row) {
		t.Error("a row is made anew with each count: a button in it would be lost under the finger")
	}
	b.shot("counts")
	b.Clean()
}

// The details plot each stage and the keyframe's age, as they were told, second by second, and forget them with the camera.
func TestPagePlotsStages(t *testing.T) {
	b := prepare(t)
	b.agent.set(func(f *fakeAgent) { f.words = true })
	b.open()
	b.Live()
	b.Until("all tools have room, with the field for words", `document.getElementById("text").checkVisibility() && (() => { const s = document.querySelector(".tools").getBoundingClientRect();
		return [...document.querySelectorAll(".tools button, .tools input")].filter((e) => e.checkVisibility()).every((e) => { const r = e.getBoundingClientRect(); return r.left >= s.left && r.right <= s.right; }); })()`)
	b.Do(chromedp.Click(chromedp.ID("stats")))
	line := func(label string) string {
		return fmt.Sprintf(`document.querySelector('#details .plot[aria-label^=%q] path')?.getAttribute("d") ?? ""`, label)
	}
	for _, label := range []string{"keyframe age", "flow", "encode", "capture to encoded"} {
		b.Until(label+" is plotted", `(`+line(label)+`).includes("L")`)
	}
	b.shot("plots")
	got := eval[string](b, `import("./js/plot.js").then(({ Series, draw, plot }) => {
		const s = new Series(5), p = plot("x"), d = () => { draw(p, s); return p.firstChild.getAttribute("d"); };
		const out = [d()];
		for (const v of [4, null, 2, 0]) s.push(v);
		out.push(d());
		for (const v of [8, 8, 8, 8]) s.push(v);
		out.push(d(), s.values.length, p.getAttribute("aria-label"));
		return out.join("; "); })`)
	if want := "; M25.0 1.0M75.0 10.0L100.0 19.0; M0.0 19.0L25.0 1.0L50.0 1.0L75.0 1.0L100.0 1.0; 5; x"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	b.Clean()
}
