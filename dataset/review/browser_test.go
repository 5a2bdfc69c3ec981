package review

import (
	"fmt"
	"net/http/httptest"
	"os"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/segedge/segedge/dataset/collect"
	"github.com/segedge/segedge/testkit"
	"github.com/segedge/segedge/web/webtest"
)

// A person at the keyboard judges pictures: most are right as they are proposed, one is fixed, one gets another object, one is rejected.
// The log has how long an item took, saving included; the aim is at most 7 s.
func TestReviewByKeyboard(t *testing.T) {
	testkit.Long(t)
	if webtest.Find() == "" {
		t.Skip("no Chromium on this machine: install the package chromium, or set SEGEDGE_CHROMIUM")
	}
	d := newDesk(t, 8)
	server := httptest.NewServer(d)
	defer server.Close()
	p := webtest.Open(t, server.URL+"/")
	press := func(keys ...string) {
		t.Helper()
		for _, k := range keys {
			p.Do(chromedp.KeyEvent(k))
		}
	}
	shown := func(i int) {
		t.Helper()
		if i == len(d.names) {
			p.Until("all is judged", `document.getElementById("progress").textContent === "8 judged"`)
			return
		}
		p.Until(fmt.Sprintf("picture %d is shown", i), fmt.Sprintf(`document.body.dataset.shown === %q`, d.names[i]))
	}
	clicks := func(n int) {
		t.Helper()
		p.Until("the model has answered", fmt.Sprintf(`document.body.dataset.clicks === "%d"`, n))
	}
	repeat := func(n int, key string) {
		for range n {
			press(key)
		}
	}
	shown(0)
	begun := time.Now()
	for i := range d.names {
		switch i {
		case 2: // the missing corner: the cross goes from the middle to the upper left, and adds
			repeat(8, kb.ArrowLeft)
			repeat(3, kb.ArrowUp)
			press(" ")
			clicks(1)
		case 4: // the blue square is missing
			repeat(18, kb.ArrowRight)
			repeat(4, kb.ArrowDown)
			press("n", " ")
			clicks(2)
		case 6:
			press("x")
		}
		if i == 4 {
			shot(t, p)
		}
		press(kb.Enter)
		shown(i + 1)
	}
	took := time.Since(begun) / time.Duration(len(d.names))
	t.Logf("%d items, %.2f s an item, saving included", len(d.names), took.Seconds())
	for i, name := range d.names {
		doc := d.doc(name)
		right, rejected := 1, 0
		verdict := collect.Confirmed
		switch i {
		case 2:
			verdict = collect.Refined
		case 4:
			right = 2
		case 6:
			right, rejected = 0, 1
		}
		if len(doc.Annotations) != right || len(doc.Rejected) != rejected || len(doc.Proposed) != 0 {
			t.Errorf("item %d: %d right, %d rejected, %d proposed", i, len(doc.Annotations), len(doc.Rejected), len(doc.Proposed))
			continue
		}
		if right > 0 && doc.Annotations[0].Verdict != verdict {
			t.Errorf("item %d is %s, want %s", i, doc.Annotations[0].Verdict, verdict)
		}
		if i == 2 && doc.Annotations[0].Area < 1500 {
			t.Errorf("the corner is still missing: %d of 1600 pixels", doc.Annotations[0].Area)
		}
	}
	p.Clean()
}

// shot keeps a picture where SEGEDGE_SHOTS names a folder, for people to look at.
func shot(t *testing.T, p *webtest.Page) {
	t.Helper()
	if dir := os.Getenv("SEGEDGE_SHOTS"); dir != "" {
		if err := os.WriteFile(dir+"/review.png", p.Screenshot(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
