package web

import (
	"fmt"
	"slices"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/seg"
)

// wantUndo waits for the agent's nth command, which takes something back of these objects.
func (b *browser) wantUndo(n int, object string, objects ...string) {
	b.T.Helper()
	u, ok := b.command(n).Body.(*api.Undo)
	if !ok || u.Object != object || !slices.Equal(u.Objects, objects) {
		b.T.Fatalf("command %d is %+v, want an undo of %q %q", n, b.command(n), object, objects)
	}
}

// offers waits for a toast with these words and a way back.
func (b *browser) offers(words string) {
	b.T.Helper()
	b.Until(words, fmt.Sprintf(`[...document.querySelectorAll(".toast")].some((t) => t.firstChild.textContent === %q && t.querySelector("button")?.textContent === "Undo")`, words))
}

func (b *browser) listed(n int) {
	b.T.Helper()
	b.Until(fmt.Sprintf("%d are listed", n), fmt.Sprintf(`document.querySelectorAll(".object").length === %d`, n))
}

func (b *browser) ctrlZ() {
	b.T.Helper()
	b.Do(chromedp.KeyEvent("z", chromedp.KeyModifiers(chromedp.ModifierCtrl)))
}

// What was removed, cleared or dropped comes back as what it was, by the toast, the button or the keyboard.
func TestPageBringsBackWhatWasRemoved(t *testing.T) {
	b := openPage(t)
	b.agent.set(func(f *fakeAgent) {
		f.next, f.objects = 8, []seg.Object{{ID: 7, Name: "dog", State: seg.Tracking, Mask: disc(0.6, 0.4, 0.1)}, {ID: 8, State: seg.Tracking, Mask: disc(0.2, 0.4, 0.1)}}
	})
	b.Live()
	b.listed(2)
	b.Do(chromedp.Click(chromedp.CSS(`[data-id=cam-7] .danger`)))
	b.offers("dog removed")
	b.shot("undo")
	b.Do(chromedp.Click(chromedp.CSS(".toast button")))
	b.wantUndo(2, "", "cam-7")
	b.listed(2)
	b.Do(chromedp.Click(chromedp.ID("clear")))
	b.listed(0)
	b.offers("2 objects removed")
	b.ctrlZ()
	b.wantUndo(4, "", "cam-8", "cam-7")
	b.listed(2)
	b.Do(chromedp.KeyEvent("e"))
	b.Until("it asks", `!document.getElementById("sieve").hidden`)
	b.Do(chromedp.Click(chromedp.ID("sieve-done")))
	b.listed(2)
	b.offers("3 objects removed")
	b.Do(chromedp.Click(chromedp.ID("undo")))
	b.wantUndo(7, "", "cam-9", "cam-10", "cam-11")
	b.listed(5)
	b.Clean()
}

// There is one history: each step back takes back what was done last, of whatever kind.
func TestPageHasOneHistory(t *testing.T) {
	b := openPage(t)
	b.agent.set(func(f *fakeAgent) { f.plain = true })
	b.Live()
	b.Click(0.3, 0.3)
	b.Until("it is selected", `document.querySelector(".object.selected")?.dataset.id === "cam-1"`)
	b.Click(0.32, 0.3, chromedp.ButtonModifiers(chromedp.ModifierShift)) // corrected
	b.wantClick(2, 0.32, 0.3, seg.Negative, "cam-1")
	b.Click(0.7, 0.7)
	b.Until("the second is selected", `document.querySelector(".object.selected")?.dataset.id === "cam-2"`)
	b.Do(chromedp.Click(chromedp.CSS(`[data-id=cam-2] .danger`)))
	b.offers("object 2 removed")
	b.ctrlZ() // the removal
	b.wantUndo(5, "", "cam-2")
	b.listed(2)
	b.ctrlZ() // that it was made
	if r, ok := b.command(6).Body.(*api.Remove); !ok || !slices.Equal(r.Objects, []string{"cam-2"}) {
		t.Fatalf("%+v", b.command(6))
	}
	b.listed(1)
	b.ctrlZ() // the correction, though nothing is selected
	b.wantUndo(7, "cam-1")
	b.ctrlZ() // that it was made
	if r, ok := b.command(8).Body.(*api.Remove); !ok || !slices.Equal(r.Objects, []string{"cam-1"}) {
		t.Fatalf("%+v", b.command(8))
	}
	b.listed(0)
	b.ctrlZ()
	b.Until("all of the page's own is taken back", `/Nothing is left to undo/.test(document.getElementById("toasts").innerText)`)
	b.Do(chromedp.Reload())
	b.Live()
	b.ctrlZ() // a page that never knew a step: what the agent has
	b.wantUndo(9, "")
	b.listed(2)
	b.ctrlZ()
	b.Until("it says that there is no more", `/There is nothing to undo/.test(document.getElementById("toasts").innerText)`)
	b.Clean()
}

// A step back that is asked for before the agent has answered takes back what was asked, not what was done before.
func TestPageUndoWaitsForTheAnswer(t *testing.T) {
	b := openPage(t)
	b.agent.set(func(f *fakeAgent) { f.plain = true })
	b.Live()
	b.Click(0.3, 0.3)
	b.Until("it is selected", `document.querySelector(".object.selected")?.dataset.id === "cam-1"`)
	slow := make(chan struct{})
	b.agent.set(func(f *fakeAgent) { f.slow = slow })
	b.Click(0.32, 0.3, chromedp.ButtonModifiers(chromedp.ModifierShift))
	b.ctrlZ()
	close(slow)
	b.wantClick(2, 0.32, 0.3, seg.Negative, "cam-1")
	b.wantUndo(3, "cam-1")
	b.Clean()
}

// A step that the agent never heard of can be taken back later; one that it refused for good is over.
func TestPageKeepsAStepThatDidNotReachTheAgent(t *testing.T) {
	b := openPage(t)
	b.agent.set(func(f *fakeAgent) {
		f.next, f.objects = 7, []seg.Object{{ID: 7, Name: "dog", State: seg.Tracking, Mask: disc(0.6, 0.4, 0.1)}}
	})
	b.Live()
	b.listed(1)
	b.Do(chromedp.Click(chromedp.CSS(`[data-id=cam-7] .danger`)))
	b.offers("dog removed")
	b.agent.set(func(f *fakeAgent) { f.refuse = &api.Error{Code: api.Timeout, Message: "too slow"} })
	b.ctrlZ()
	b.Until("it says so", `/Too slow/.test(document.getElementById("toasts").innerText)`)
	b.agent.set(func(f *fakeAgent) { f.refuse = &api.Error{Code: api.Conflict, Message: "too late"} })
	b.ctrlZ()
	b.wantUndo(3, "", "cam-7")
	b.Until("it says so", `/Too late/.test(document.getElementById("toasts").innerText)`)
	b.ctrlZ()
	b.Until("the step is over", `/Nothing is left to undo/.test(document.getElementById("toasts").innerText)`)
	b.Clean()
}
