package web

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"sync/atomic"
	"testing"

	cdp "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/seg"
)

// Where a browser cannot have video it shows pictures over HTTP, says so, and a click means the picture that was seen.
func TestPageFallsBackToPictures(t *testing.T) {
	var frame atomic.Uint64
	var down atomic.Bool
	b := prepareWith(t, Options{Picture: func(_ context.Context, _ string, overlay bool, width int) ([]byte, uint64, error) {
		if down.Load() {
			return nil, 0, errors.New("the camera is gone")
		}
		m := image.NewRGBA(image.Rect(0, 0, width, width*9/16))
		draw.Draw(m, m.Bounds(), image.NewUniform(color.RGBA{20, 200, 40, 255}), image.Point{}, draw.Src)
		var out bytes.Buffer
		err := jpeg.Encode(&out, m, nil)
		return out.Bytes(), 1000 + frame.Add(1), err
	}})
	b.openAt("about:blank")
	if _, err := chromedp.Call(b.Tab, cdp.AddScriptToEvaluateOnNewDocument, cdp.AddScriptToEvaluateOnNewDocumentParams{Source: `delete window.RTCPeerConnection`}); err != nil {
		t.Fatal(err)
	}
	b.Do(chromedp.Navigate(b.server.URL))
	b.Until("pictures come", `document.body.dataset.link === "stills" && document.getElementById("link-text").textContent === "pictures, no video" && document.getElementById("video").videoWidth > 300`)
	b.Until("they go on", `document.getElementById("video").getVideoPlaybackQuality().totalVideoFrames > 2`)
	if c := b.Color(0.5, 0.5, 8); c[1] < 150 || c[0] > 90 {
		t.Errorf("the picture is %v where it should be green", c)
	}
	if !eval[bool](b, `document.getElementById("notice").hidden`) {
		t.Error("a notice lies over the picture")
	}
	b.shot("stills")
	before := frame.Load()
	b.Click(0.25, 0.75)
	p := b.wantClick(1, 0.25, 0.75, seg.Positive, "")
	if p.RTPTime != nil || p.Frame < 1000+before-2 || p.Frame > 1000+frame.Load() {
		t.Errorf("frame %d, rtp_time %v; the picture seen was about %d", p.Frame, p.RTPTime, 1000+before)
	}
	b.agent.set(func(f *fakeAgent) { f.state, f.reason = api.Stalled, "unplugged" })
	b.Until("the camera's own state is told", `document.getElementById("notice").innerText.includes("unplugged")`)
	b.agent.set(func(f *fakeAgent) { f.state = api.Running })
	down.Store(true)
	b.Until("it says that they have ended", `document.body.dataset.link === "reconnecting"`)
	down.Store(false)
	b.Until("they come again", `document.body.dataset.link === "stills"`)
}
