package web

import (
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/segedge/segedge/api"
)

// A phrase is asked once, or kept looked for; what is looked for is shown, and ends where it is clicked.
func TestPageKeepsLooking(t *testing.T) {
	b := prepareWith(t, Options{})
	b.agent.set(func(f *fakeAgent) {
		f.words = true
		f.watches = []api.Watch{{Text: "every person", Zones: []string{"yard"}, Limit: 10, Objects: []string{}, Configured: true}}
	})
	b.open()
	b.Until("what the camera looks for is shown", `document.getElementById("watches").innerText.includes("every person in yard")`)
	ask := func(phrase string, keep bool) *api.Prompt {
		t.Helper()
		if keep {
			b.Do(chromedp.Click("#keep"))
		}
		n := len(b.agent.asked())
		b.Do(chromedp.SendKeys("#text", phrase+"\r"))
		p, _ := b.command(n + 1).Body.(*api.Prompt)
		return p
	}
	if p := ask("cup", false); p == nil || p.Text != "cup" || p.Follow != nil {
		t.Errorf("asked once: %+v", p)
	}
	b.Until("the field is free", `document.getElementById("text").value === ""`)
	if p := ask("red dog", true); p == nil || p.Text != "red dog" || p.Follow == nil || !*p.Follow {
		t.Errorf("kept looked for: %+v", p)
	}
	b.Until("the agent's note is said", `[...document.querySelectorAll(".toast.info")].some((t) => t.textContent.includes("it is looked for"))`)
	b.Until("it is shown", `document.querySelectorAll(".watch").length === 2`)
	b.shot("keep-looking")
	n := len(b.agent.asked())
	b.Do(chromedp.Click(`.watch:first-child`))
	if p, _ := b.command(n + 1).Body.(*api.Prompt); p == nil || *p.Follow || p.Text != "every person" || len(p.Zones) != 1 {
		t.Errorf("ended: %+v", p)
	}
	b.Until("it has gone", `document.querySelectorAll(".watch").length === 1`)
	b.Clean()
}
