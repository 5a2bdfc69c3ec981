package web

import (
	"fmt"
	"image/color"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/segedge/segedge/seg"
)

// happened is an event as the data channel tells of it, so long ago.
func happened(kind string, ago time.Duration, id int, more map[string]any) map[string]any {
	e := map[string]any{"type": kind, "time": time.Now().Add(-ago).UTC().Format(time.RFC3339Nano), "frame": 800}
	if id > 0 {
		e["object"] = map[string]any{"id": fmt.Sprintf("cam-%d", id), "name": map[int]string{7: "dog", 9: "cat"}[id]}
	}
	maps.Copy(e, more)
	return e
}

const visible = `[...document.querySelectorAll(".event")].filter((e) => e.checkVisibility()).map((e) => e.querySelector("button").textContent)`

// The log is narrowed by type and by object, by the keyboard alone, and stays so while events come; it is bounded.
func TestPageFiltersTheLog(t *testing.T) {
	b := openPage(t)
	b.agent.set(func(f *fakeAgent) {
		f.next, f.objects = 9, []seg.Object{{ID: 7, Name: "dog", State: seg.Tracking, Mask: disc(0.6, 0.4, 0.1)}, {ID: 9, Name: "cat", State: seg.Tracking, Mask: disc(0.2, 0.4, 0.1)}}
		f.news = []map[string]any{
			happened("object.new", 50*time.Second, 7, nil), happened("object.new", 40*time.Second, 9, nil), happened("object.lost", 30*time.Second, 7, nil),
			happened("object.lost", 20*time.Second, 9, nil), happened("camera.stalled", 10*time.Second, 0, nil),
		}
	})
	b.Live()
	b.Until("all are listed", visible+`.length === 5`)
	choose := func(id, typed, value string) {
		t.Helper()
		b.Do(chromedp.Focus(chromedp.ID(id)), chromedp.KeyEvent(typed))
		b.Until(value+" is chosen", fmt.Sprintf(`document.getElementById(%q).value === %q`, id, value))
	}
	choose("events-type", "Lost", "object.lost")
	b.Until("two are left", visible+`.join("|") === "cat is lost|dog is lost"`)
	choose("events-object", "dog", "cam-7")
	b.Until("one is left", visible+`.join("|") === "dog is lost"`)
	b.agent.set(func(f *fakeAgent) {
		f.news = append(f.news, happened("object.lost", 0, 9, nil), happened("object.recovered", 0, 7, nil), happened("object.lost", 0, 7, nil))
	})
	b.Until("what comes is narrowed too", `document.querySelectorAll(".event").length === 8 && `+visible+`.join("|") === "dog is lost|dog is lost"`)
	choose("events-type", "Camera", "camera.stalled")
	b.Until("nothing is like that, and it says so", visible+`.length === 0 && document.getElementById("events-empty").textContent === "Nothing of that has happened lately."`)
	b.shot("events-filter")
	b.agent.set(func(f *fakeAgent) {
		f.news = nil
		for i := range 240 {
			f.news = append(f.news, happened("zone.entered", 0, 7, map[string]any{"zone": fmt.Sprint("zone ", i)}))
		}
	})
	b.Until("all of the last minutes stay", `document.querySelectorAll(".event").length === 248 && document.querySelector(".event button").textContent === "dog entered zone 239"`)
	if got := eval[string](b, `document.getElementById("events-type").selectedOptions[0].text`); got != "Camera stalled" {
		t.Errorf("the filter has become %q", got)
	}
	b.Clean()
}

// Of what is older than five minutes the log keeps a hundred, and events have the colour of their object, also when it is followed no longer.
func TestPageKeepsFiveMinutes(t *testing.T) {
	b := openPage(t)
	b.agent.set(func(f *fakeAgent) {
		f.next, f.objects = 9, []seg.Object{{ID: 7, Name: "dog", State: seg.Tracking, Mask: disc(0.6, 0.4, 0.1), Color: color.RGBA{1, 2, 3, 255}}}
		for i := range 210 {
			ago := 6 * time.Minute
			if i >= 150 {
				ago = 0
			}
			f.news = append(f.news, happened("zone.entered", ago, 7, map[string]any{"zone": fmt.Sprint("zone ", i)}))
		}
	})
	b.Live()
	rows := `(() => { const r = [...document.querySelectorAll(".event")]; return r.length === 100 && r.every((e) => e.style.getPropertyValue("--c") === "#010203"); })()`
	b.Until("a hundred are left, in the object's colour", rows)
	b.agent.set(func(f *fakeAgent) { f.objects = nil })
	b.Until("it is followed no longer", `document.querySelectorAll(".object").length === 0`)
	b.Until("its events keep its colour", rows)
	b.Clean()
}

// The strip of the last minutes tells of its marks by pointer and keyboard, and a mark leads to its object.
func TestPageHasATimeline(t *testing.T) {
	b := openPage(t)
	b.agent.set(func(f *fakeAgent) {
		f.next, f.objects = 9, []seg.Object{{ID: 7, Name: "dog", State: seg.Tracking, Mask: disc(0.6, 0.4, 0.1)}, {ID: 9, Name: "cat", State: seg.Lost}}
		f.news = []map[string]any{
			happened("object.new", 7*time.Minute, 7, nil), happened("object.new", 200*time.Second, 9, nil), happened("zone.entered", 150*time.Second, 7, map[string]any{"zone": "desk"}),
			happened("object.lost", 100*time.Second, 9, nil), happened("camera.stalled", 50*time.Second, 0, nil),
		}
	})
	b.Live()
	b.Until("a row each, a mark for each event of the last minutes", `[...document.querySelectorAll("#timeline-rows .whose")].map((e) => e.textContent).join() === "cat,dog,The camera" && document.querySelectorAll(".mark").length === 4`)
	at := eval[[2]float64](b, `(() => { const r = document.querySelector('.mark[data-kind="object.lost"]').getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2]; })()`)
	b.Do(chromedp.MouseEvent(chromedp.MouseMoved, at[0], at[1]))
	b.Until("it tells", `document.getElementById("timeline-text").checkVisibility() && document.getElementById("timeline-text").textContent.endsWith("cat is lost")`)
	b.shot("timeline")
	b.Do(chromedp.MouseClickXY(at[0], at[1]))
	b.Until("its object is selected, its row is marked", `document.querySelector(".object.selected")?.dataset.id === "cam-9" && document.querySelector(".event.lit button").textContent === "cat is lost"`)
	b.Do(chromedp.MouseEvent(chromedp.MouseMoved, 300, 300))
	b.Until("the pointer has left", `!document.getElementById("timeline-text").checkVisibility()`)
	b.Do(chromedp.Focus(chromedp.ID("timeline")), chromedp.KeyEvent(kb.Home), chromedp.KeyEvent(kb.ArrowRight))
	b.Until("the keyboard goes along", `document.getElementById("timeline").getAttribute("aria-valuetext").endsWith("dog entered desk") && document.getElementById("timeline").getAttribute("aria-valuenow") === "1"`)
	b.Do(chromedp.KeyEvent(kb.Enter))
	b.Until("and takes it", `document.querySelector(".object.selected")?.dataset.id === "cam-7"`)
	b.Do(chromedp.KeyEvent(kb.Escape))
	if !eval[bool](b, `document.getElementById("timeline-tip").hidden && document.querySelector(".object.selected")?.dataset.id === "cam-7"`) {
		t.Error("Escape on the strip takes the selection, or leaves the tip")
	}
	seen := eval[string](b, `[...document.querySelectorAll("#timeline-rows .time-row")].map((r) => [...r.querySelectorAll(".seen")].map((s) => { const t = r.querySelector(".track").getBoundingClientRect(), q = s.getBoundingClientRect();
		return Math.round((q.left - t.left) / t.width * 10) + "-" + Math.round((q.right - t.left) / t.width * 10); }).join()).join("|")`)
	if seen != "0-5|0-10|" { // of 205 s
		t.Errorf("they were seen at %s", seen)
	}
	b.Clean()
}

// What happens gets a picture of what it happened to, out of the very frame; few at a time, and few are kept.
func TestPageKeepsThumbnails(t *testing.T) {
	b := openPage(t)
	b.agent.set(func(f *fakeAgent) {
		f.next, f.objects = 7, []seg.Object{{ID: 7, Name: "dog", State: seg.Tracking, Mask: disc(0.42, 0.2, 0.03)}} // in the yellow bar
		f.news = []map[string]any{happened("object.new", time.Minute, 7, nil)}
	})
	b.Live()
	b.Until("the page has heard", `document.querySelectorAll(".event").length === 1`)
	b.agent.set(func(f *fakeAgent) { f.news = append(f.news, happened("object.recovered", 0, 7, nil)) })
	b.Until("what is new has a picture", `document.querySelector('[data-kind="object.recovered"] .thumb')?.complete`)
	type color [3]float64
	c := eval[color](b, `(() => { const i = document.querySelector(".thumb"), c = new OffscreenCanvas(i.naturalWidth, i.naturalHeight).getContext("2d"); c.drawImage(i, 0, 0);
		return [...c.getImageData(i.naturalWidth / 2, i.naturalHeight / 2, 1, 1).data].slice(0, 3); })()`)
	if c[0] < 150 || c[1] < 150 || c[2] > 110 || eval[bool](b, `!!document.querySelector('[data-kind="object.new"] .thumb')`) {
		t.Errorf("the picture is %v where it should be yellow, or what is long gone has one", c)
	}
	got := eval[[]int](b, `import("./js/thumbs.js").then(({ Thumbs }) => {
		const thumbs = new Thumbs(document.getElementById("video")), out = [];
		let made = [];
		const list = (seq) => { thumbs.shown({ frame: { seq }, objects: [{ id: "a", box: [0.1, 0.1, 0.3, 0.3] }] }); out.push(made.length); };
		for (let i = 0; i < 40; i++) thumbs.want({ time: new Date().toISOString(), frame: 10, object: { id: "a" } }, (src) => made.push(src));
		thumbs.want({ time: new Date(Date.now() - 60000).toISOString(), frame: 10 }, (src) => made.push(src));
		for (const seq of [9, 10, 11, 12, 13, 14, 15, 16, 17]) list(seq);
		out.push(Math.max(...made.map((s) => s.length)) < 16384 ? 1 : 0);
		made = [];
		thumbs.want({ time: new Date().toISOString(), frame: 10, object: { id: "nobody" } }, (src) => made.push(src));
		list(18);
		return out; })`)
	if want := "[0 3 6 9 12 15 16 16 16 1 0]"; fmt.Sprint(got) != want {
		t.Errorf("%v pictures after each list, want %s", got, want)
	}
	b.agent.set(func(f *fakeAgent) { f.news = nil })
	for i := range 30 { // three a picture
		b.agent.set(func(f *fakeAgent) {
			for j := range 3 {
				f.news = append(f.news, happened("zone.entered", 0, 7, map[string]any{"zone": fmt.Sprint(3*i + j)}))
			}
		})
		b.Until("each has one", fmt.Sprintf(`[...document.querySelectorAll(".event")].filter((e) => e.textContent.endsWith(" entered %d"))[0]?.querySelector(".thumb")`, 3*i+2))
	}
	if n := eval[int](b, `document.querySelectorAll(".thumb").length`); n != 60 {
		t.Errorf("%d pictures are kept", n)
	}
	b.Clean()
}

// An age is that of the object, whatever the time is here, however long the page is open, and also while no frame comes.
func TestPageTellsAges(t *testing.T) {
	b := openPage(t)
	now := time.Now()
	b.agent.set(func(f *fakeAgent) {
		f.objects = []seg.Object{
			{ID: 1, Name: "iPhone of ada", State: seg.Tracking, Mask: disc(0.3, 0.5, 0.1), Made: now.Add(-30 * time.Second), PredictedIoU: 0.9},
			{ID: 2, State: seg.Lost, Made: now.Add(-2*time.Hour - 5*time.Minute), Seen: now.Add(-3*time.Minute - 10*time.Second)},
			{ID: 3, State: seg.Occluded, Mask: disc(0.7, 0.5, 0.1), Made: now.Add(-50 * time.Hour), Seen: now.Add(-10 * time.Second)},
		}
	})
	eval[any](b, `(() => { window.real = Date.now; return null; })()`)
	b.Live()
	b.Until("hours and days", `document.querySelector("[data-id=cam-2] .meta")?.textContent === "last seen 3 min ago · 2 h 5 min" && /^last seen \d\d s ago · 2 d$/.test(document.querySelector("[data-id=cam-3] .meta").textContent)`)
	age := `Number(document.querySelector("[data-id=cam-1] .meta").textContent.match(/^90 % fit · (\d+) s$/)[1])`
	passed := time.Since(now).Seconds() + 30
	if got := eval[float64](b, age); got < passed-3 || got > passed+3 {
		t.Errorf("%v s, want about %.0f", got, passed)
	}
	if name := eval[string](b, `document.querySelector("[data-id=cam-1] .name").textContent`); name != "iPhone of ada" {
		t.Errorf("named %q", name)
	}
	b.whep.set(func(f *fakeWHEP) { f.mute = true })
	b.agent.set(func(f *fakeAgent) { f.objects = nil }) // of which nobody tells
	was := eval[float64](b, age)
	b.Until("ages go on over a stall", fmt.Sprintf(`%s >= %v`, age, was+2))
	b.agent.set(func(f *fakeAgent) {
		f.objects = []seg.Object{{ID: 1, Name: "iPhone of ada", State: seg.Tracking, Mask: disc(0.3, 0.5, 0.1), Made: now.Add(-30 * time.Second), PredictedIoU: 0.9}}
	})
	b.whep.set(func(f *fakeWHEP) { f.mute = false })
	b.Until("the areas are plotted", `document.querySelector("[data-id=cam-1] .plot path").getAttribute("d")?.includes("L")`)
	b.shot("ages")
	b.Do(chromedp.Click(chromedp.CSS(`[data-id=cam-1] .danger`)))
	b.Until("a name stays as it was written", `document.querySelector(".toast")?.textContent.startsWith("iPhone of ada removed")`)
	got := eval[string](b, `import("./js/clock.js").then((c) => { // a clock that is an hour slow
		const there = new Date(Date.now() + 3600000);
		c.heard(there.toUTCString());
		const out = [c.since(new Date(there - 12000).toISOString()), c.since(new Date(there - -5000).toISOString())].map((s) => Math.round(s / 2) * 2).join();
		c.heard(new Date().toUTCString());
		return out + "," + [0, 59.6, 3599, 7500, 200000].map(c.span).join(); })`)
	if want := "12,0,0 s,1 min,59 min,2 h 5 min,2 d"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	for _, p := range b.Watch.Problems() {
		if !strings.Contains(p, "404") { // a session that the agent has ended
			t.Error(p)
		}
	}
}
