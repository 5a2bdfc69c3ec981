package web

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// paints gives every camera a colour of its own, and counts how often each was asked; "attic" has no picture.
type paints struct {
	mu    sync.Mutex
	asked map[string]int
}

func (p *paints) picture(_ context.Context, camera string, _ bool, width int) ([]byte, uint64, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked[camera]++
	if camera == "attic" {
		return nil, 0, errors.New("the lens is covered")
	}
	m := image.NewRGBA(image.Rect(0, 0, width, width*9/16))
	c := map[string]color.RGBA{"door": {200, 30, 30, 255}, "yard": {30, 180, 60, 255}}[camera]
	draw.Draw(m, m.Bounds(), image.NewUniform(c), image.Point{}, draw.Src)
	var out bytes.Buffer
	err := jpeg.Encode(&out, m, nil)
	return out.Bytes(), 1, err
}

func (p *paints) count(camera string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.asked[camera]
}

// All cameras are seen at once, each with its picture or why there is none; a click enters one, and Back comes back.
func TestPageGrid(t *testing.T) {
	p := &paints{asked: map[string]int{}}
	b := prepareWith(t, Options{Picture: p.picture}, "door", "attic", "yard")
	b.open()
	b.Live()
	if p.count("yard") != 0 {
		t.Error("pictures are asked for that nobody sees")
	}
	b.Do(chromedp.KeyEvent("g"))
	shows := func(camera string, r, g int) string {
		return fmt.Sprintf(`(() => { const c = document.querySelector(".tile[data-name=%s] canvas"), d = c.getContext("2d").getImageData(c.width / 2, c.height / 2, 1, 1).data;
			return Math.abs(d[0] - %d) < 20 && Math.abs(d[1] - %d) < 20; })()`, camera, r, g)
	}
	b.Until("the door is seen", shows("door", 200, 30))
	b.Until("the yard is seen", shows("yard", 30, 180))
	b.Until("the attic says why", `document.querySelector(".tile[data-name=attic] .why").textContent.includes("the lens is covered")`)
	b.Until("states are told", `document.querySelector(".tile[data-name=yard] .meta").textContent === "0 objects · 30 fps"`)
	b.eventually("the video's end", func() bool { return b.whep.watching() == 0 })
	b.eventually("more pictures", func() bool { return p.count("yard") > 2 })
	b.shot("grid")
	b.Do(chromedp.Click(chromedp.CSS(".tile[data-name=yard]")))
	b.Live()
	b.Until("the yard is entered", `document.getElementById("camera").value === "yard" && location.hash === "#yard"`)
	if n := eval[int](b, `document.querySelectorAll(".tile").length`); n != 0 {
		t.Errorf("%d tiles go on behind the picture", n)
	}
	eval[any](b, `(history.back(), null)`)
	b.Until("Back is the grid", `document.body.dataset.view === "grid" && document.querySelectorAll(".tile").length === 3`)
	b.Do(chromedp.KeyEvent("g"))
	b.Until("and the key leads to the camera that was seen last", `document.body.dataset.view === "one" && location.hash === "#yard"`)
	b.Live()
	b.Do(chromedp.Focus(chromedp.ID("grid-open")), chromedp.KeyEvent(kb.Enter))
	b.Until("the grid is there for the keyboard", `document.querySelectorAll(".tile").length === 3 && document.querySelector(".tile").tabIndex === 0`)
}

// In a window that is too low for all of them the cameras keep their shape, the first stays below the bar, and the last can be scrolled to.
func TestPageGridInALowWindow(t *testing.T) {
	p := &paints{asked: map[string]int{}}
	b := prepareWith(t, Options{Picture: p.picture}, "a", "b", "c", "d", "e", "f", "door")
	b.openAt(b.server.URL + "/#*")
	b.Do(chromedp.EmulateViewport(1100, 360))
	b.Until("the tiles are there", `document.querySelectorAll(".tile").length === 7`)
	places := `const at = (e) => e.getBoundingClientRect(), tiles = [...document.querySelectorAll(".tile")].map(at), grid = document.getElementById("grid"), bar = at(document.querySelector(".brand"));`
	b.Until("they keep their shape", `(() => { `+places+` return tiles.every((t) => Math.abs(t.width / t.height - 16 / 9) < 0.02 && t.width > 200 && t.left >= 0 && t.right <= innerWidth)
		&& tiles[0].top >= bar.bottom && grid.scrollHeight > grid.clientHeight && document.documentElement.scrollHeight <= innerHeight; })()`)
	b.shot("grid-low")
	b.Until("the last is reached", `(() => { `+places+` grid.scrollTop = grid.scrollHeight; const last = at(document.querySelector(".tile[data-name=door]")); return last.bottom <= innerHeight && last.top >= 0; })()`)
	b.eventually("its picture", func() bool { return p.count("door") > 0 })
	b.Clean()
}

// On a phone the cameras are under each other, and none is wider than the window.
func TestPageGridOnAPhone(t *testing.T) {
	p := &paints{asked: map[string]int{}}
	b := prepareWith(t, Options{Picture: p.picture}, "door", "yard")
	b.openAt(b.server.URL + "/#*")
	b.Do(chromedp.EmulateViewport(390, 844, chromedp.EmulateMobile, chromedp.EmulateTouch, chromedp.EmulateScale(2)))
	b.Until("both are seen", `[...document.querySelectorAll(".tile canvas")].filter((c) => c.width > 100).length === 2`)
	b.Until("they fit", `(() => { const [a, b] = [...document.querySelectorAll(".tile")].map((t) => t.getBoundingClientRect());
		return a.bottom <= b.top && a.left >= 0 && a.right <= innerWidth && a.width > innerWidth * 0.9 && document.documentElement.scrollWidth <= innerWidth; })()`)
	b.shot("grid-phone")
	b.Clean()
}
