package e2e

import (
	"os/exec"
	"strings"
	"testing"

	cdp "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/segedge/segedge/web/webtest"
)

// A browser that takes nothing but VP8 plays.
func TestBrowserWithoutH264(t *testing.T) {
	out, err := exec.Command(need(t, "ffmpeg", "ffmpeg"), "-hide_banner", "-encoders").Output()
	if err != nil || !strings.Contains(string(out), " libvpx ") {
		t.Skipf("SKIPPED: this ffmpeg has no libvpx: %v", err)
	}
	r := start(t, "--set", "cameras.0.width=640", "--set", "cameras.0.height=360")
	tab, _ := webtest.Chromium(t)
	p := &page{t, tab}
	only := `const add = RTCPeerConnection.prototype.addTransceiver;
		RTCPeerConnection.prototype.addTransceiver = function (...a) {
			const t = (window.peer = this, add.apply(this, a));
			t.setCodecPreferences(RTCRtpReceiver.getCapabilities("video").codecs.filter((c) => c.mimeType === "video/VP8"));
			return t;
		};`
	if _, err := chromedp.Call(tab, cdp.AddScriptToEvaluateOnNewDocument, cdp.AddScriptToEvaluateOnNewDocumentParams{Source: only}); err != nil {
		t.Fatal(err)
	}
	p.do(chromedp.Navigate(r.page))
	p.until("the video plays", 0.5, 0.5, func(v picture) bool { return v.W == 640 && v.H == 360 && v.Frames > 10 })
	p.listed(1)
	p.has("stream in VP8", `(peer.getStats().then((r) => r.forEach((x) => { if (x.type === "codec") window.codec = x.mimeType; })), window.codec === "video/VP8")`)
}
