package stream

import (
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"
)

// Offers that real players wrote play: in place of the player a second stack connects with what was answered and gets a picture. What each is
// sent is as it asked: the codec and the number that it named, a section for each of its own in their order, and nothing of what it only has
// no use for.
func TestOffersOfRealPlayers(t *testing.T) {
	for name, want := range map[string]struct{ sent, fmtp string }{
		"chromium-156":       {"H264/90000", "packetization-mode=1"},
		"chromium-156-data":  {"H264/90000", "packetization-mode=1"},
		"aiortc-1.16":        {"H264/90000", "packetization-mode=1"},
		"aiortc-1.16-data":   {"H264/90000", "packetization-mode=1"},
		"gstreamer-1.22":     {"H264/90000", "packetization-mode=1"},
		"gstreamer-1.22-vp8": {"VP8/90000", ""},
	} {
		t.Run(name, func(t *testing.T) {
			offer, err := os.ReadFile(filepath.Join("testdata", "offers", name+".sdp"))
			if err != nil {
				t.Fatal(err)
			}
			st := start(t, func(o *Options) { o.VP8 = func() error { return nil } })
			p := bare(t, st)
			answer := p.posing(string(offer))
			if got, asked := sections(answer), sections(string(offer)); len(got) != len(asked) {
				t.Errorf("%d sections answer %d", len(got), len(asked))
			} else {
				for i := range got {
					rejected := strings.HasPrefix(got[i], kind(got[i])+" 0 ") // of these nothing more is said
					if kind(got[i]) != kind(asked[i]) || !rejected && mid.FindString(got[i]) != mid.FindString(asked[i]) {
						t.Errorf("section %d is %q, and was %q", i, kind(got[i]), kind(asked[i]))
					}
				}
			}
			video := sectionOf(t, answer, "video")
			number := strings.Fields(video)[3] // the first payload type
			named := "a=rtpmap:" + number + " " + want.sent
			if !strings.Contains(video, named) || !strings.Contains(string(offer), named) {
				t.Errorf("it is sent type %s, want %s as it is offered:\n%s", number, want.sent, video)
			}
			if want.fmtp != "" && !regexp.MustCompile(`a=fmtp:`+number+` .*`+want.fmtp).MatchString(video) {
				t.Errorf("no %s:\n%s", want.fmtp, video)
			}
			if !strings.Contains(video, "a=sendonly") {
				t.Errorf("the video is not sent:\n%s", video)
			}
			if data := sectionOf(t, answer, "application"); strings.HasPrefix(data, "m=application 0 ") {
				t.Error("the data channel is rejected")
			}
			p.plays(answer)
			u := unit(1, true, time.Now())
			if want.sent != "H264/90000" {
				u = Unit{Data: append([]byte{0x10, 2, 0, 0x9d, 1, 0x2a}, make([]byte, 3000)...), Keyframe: true, Seq: 1, Captured: time.Now()}
			}
			for r := range 10 {
				if u.Rendition = r; st.Wanted("cam", r) {
					st.Write("cam", u, nil)
				}
			}
			p.picture()
		})
	}
}

// A player that names no packetization mode takes no fragments (RFC 6184, 6.2), which pictures need: it is told so.
func TestAnOfferWithoutFragmentsIsRefused(t *testing.T) {
	offer, err := os.ReadFile(filepath.Join("testdata", "offers", "gstreamer-1.22-bare.sdp"))
	if err != nil {
		t.Fatal(err)
	}
	resp, body := start(t).do(http.MethodPost, "/whep/cam", typeSDP, string(offer))
	if resp.StatusCode != http.StatusNotAcceptable || !strings.Contains(body, "packetization mode 1") {
		t.Errorf("%s: %s", resp.Status, body)
	}
}

// posing sends an offer with this peer's own keys and addresses in it, and gives the answer.
func (p *peer) posing(offer string) (answer string) {
	p.t.Helper()
	for _, s := range sections(offer) {
		if kind(s) == "application" {
			if _, err := p.pc.CreateDataChannel("segedge", nil); err != nil {
				p.t.Fatal(err)
			}
			continue
		}
		way := webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly}
		if _, err := p.pc.AddTransceiverFromKind(webrtc.NewRTPCodecType(kind(s)), way); err != nil {
			p.t.Fatal(err)
		}
	}
	own := map[string]bool{}
	var keys strings.Builder
	for _, l := range transport.FindAllString(p.describe(), -1) {
		if !own[l] {
			own[l] = true
			keys.WriteString(l)
		}
	}
	head, _, _ := strings.Cut(offer, "m=")
	posed := transport.ReplaceAllString(head, "")
	for _, s := range sections(offer) {
		posed += "m=" + transport.ReplaceAllString(s, "") + keys.String()
	}
	resp, answer := p.st.do(http.MethodPost, "/whep/cam", typeSDP, posed)
	if resp.StatusCode != http.StatusCreated {
		p.t.Fatalf("%s: %s", resp.Status, answer)
	}
	p.location = resp.Header.Get("Location")
	return answer
}

// plays connects with an answer to what this peer posed as: what the sections are called is the player's, and here theirs are counted.
func (p *peer) plays(answer string) {
	p.t.Helper()
	for i, section := range sections(answer) {
		m := mid.FindString(section)
		if m == "" {
			continue
		}
		answer = strings.Replace(answer, m, "a=mid:"+strconv.Itoa(i), 1)
		name := strings.TrimPrefix(m, "a=mid:")
		answer = regexp.MustCompile(`(a=group:BUNDLE.*) `+regexp.QuoteMeta(name)+`\b`).ReplaceAllString(answer, "$1 "+strconv.Itoa(i))
	}
	if err := p.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer}); err != nil {
		p.t.Fatalf("an answer that cannot be used: %v\n%s", err, answer)
	}
	p.reach(webrtc.PeerConnectionStateConnected)
	within(p.t, "the server sees the viewer", func() bool { v := p.st.viewer(p.id()); return v != nil && v.connected.Load() })
}

var (
	mid       = regexp.MustCompile(`a=mid:\S+`)
	transport = regexp.MustCompile(`(?m)^a=(ice-ufrag|ice-pwd|fingerprint|candidate|end-of-candidates|setup)[^\r\n]*\r?\n`)
)

// sections are the media of a description.
func sections(sdp string) []string { return strings.Split(sdp, "m=")[1:] }

// kind is a section's medium.
func kind(section string) string { medium, _, _ := strings.Cut(section, " "); return medium }

// sectionOf is the section of a medium; empty where there is none.
func sectionOf(t *testing.T, sdp, medium string) string {
	t.Helper()
	for _, s := range sections(sdp) {
		if kind(s) == medium {
			return "m=" + s
		}
	}
	return ""
}
