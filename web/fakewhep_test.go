package web

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"
	"github.com/pion/webrtc/v4/pkg/media"
	"github.com/pion/webrtc/v4/pkg/media/h264reader"
)

// fakeWHEP answers WHEP offers with a pre-encoded H.264 clip in a loop, and hands what the page sends on its data
// channel to a function. It is the real stream's stand-in: one session at a time is enough for a page.
type fakeWHEP struct {
	t      *testing.T
	frames [][]byte // one access unit each
	fps    int
	agent  *fakeAgent

	mu       sync.Mutex
	sessions map[string]*webrtc.PeerConnection
	refuse   bool
	links    []string
	slow     time.Duration // before the end of a session is taken up
	dark     bool          // no pictures are sent
	mute     bool          // neither pictures nor messages: the agent has been killed, and nobody has told the network
	next     int
	wg       sync.WaitGroup
	overlay  string // that the newest session asked for
}

func newFakeWHEP(t *testing.T, agent *fakeAgent) *fakeWHEP {
	f := &fakeWHEP{t: t, frames: clip(t), fps: 30, agent: agent, sessions: map[string]*webrtc.PeerConnection{}}
	t.Cleanup(f.close)
	return f
}

// clip encodes two seconds of a moving test picture in constrained baseline, and cuts them into access units.
func clip(t *testing.T) [][]byte {
	t.Helper()
	ffmpeg, err := exec.LookPath("ffmpeg")
	if err != nil {
		t.Skip("no ffmpeg on this machine: install the package ffmpeg")
	}
	path := filepath.Join(t.TempDir(), "clip.h264")
	source := []string{"-f", "lavfi", "-i", "testsrc2=size=640x360:rate=30:duration=2"}
	if film := os.Getenv("SEGEDGE_PAGE_FILM"); film != "" { // for pictures worth looking at
		source = []string{"-i", film, "-t", "4", "-vf", "scale=960:-2,fps=30"}
	}
	cmd := exec.Command(ffmpeg, append(append([]string{"-v", "error"}, source...), "-pix_fmt", "yuv420p",
		"-c:v", "libx264", "-profile:v", "baseline", "-preset", "ultrafast", "-tune", "zerolatency",
		"-x264-params", "keyint=30:scenecut=0:sliced-threads=0:slices=1:repeat-headers=1", "-f", "h264", path)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Skipf("ffmpeg cannot make H.264 here: %v: %s", err, out)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return accessUnits(t, data)
}

func accessUnits(t *testing.T, annexB []byte) [][]byte {
	r, err := h264reader.NewReader(bytes.NewReader(annexB))
	if err != nil {
		t.Fatal(err)
	}
	var units [][]byte
	var unit []byte
	for {
		nal, err := r.NextNAL()
		if err != nil {
			return units
		}
		unit = append(append(unit, 0, 0, 0, 1), nal.Data...)
		if k := nal.UnitType; k == h264reader.NalUnitTypeCodedSliceIdr || k == h264reader.NalUnitTypeCodedSliceNonIdr {
			units, unit = append(units, unit), nil
		}
	}
}

func (f *fakeWHEP) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.Method {
	case http.MethodPost:
		f.offer(w, r)
	case http.MethodDelete:
		time.Sleep(f.slow) // a connection that closes meanwhile has ended the session, as it does with the agent
		if !f.drop(strings.TrimPrefix(r.URL.Path[strings.LastIndex(r.URL.Path, "/"):], "/")) {
			http.Error(w, "there is no such session", http.StatusNotFound)
		}
	case http.MethodPatch:
		w.WriteHeader(http.StatusNoContent)
	case http.MethodOptions:
		for _, link := range f.links {
			w.Header().Add("Link", link)
		}
		w.WriteHeader(http.StatusNoContent)
	default:
		w.WriteHeader(http.StatusMethodNotAllowed)
	}
}

func (f *fakeWHEP) offer(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	refuse := f.refuse
	f.next++
	id := "s" + string(rune('0'+f.next%10))
	f.mu.Unlock()
	if refuse {
		http.Error(w, "the camera is not there yet", http.StatusServiceUnavailable)
		return
	}
	offer, _ := io.ReadAll(r.Body)
	pc, track, err := f.answer(id, string(offer))
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	f.mu.Lock()
	f.overlay = r.URL.Query().Get("overlay")
	f.sessions[id] = pc
	f.mu.Unlock()
	f.play(pc, track, id)
	w.Header().Set("Content-Type", "application/sdp")
	w.Header().Set("Location", r.URL.Path+"/"+id)
	w.Header().Set("ETag", `"`+id+`"`)
	w.WriteHeader(http.StatusCreated)
	_, _ = io.WriteString(w, pc.LocalDescription().SDP)
}

func (f *fakeWHEP) answer(id, offer string) (*webrtc.PeerConnection, *webrtc.TrackLocalStaticSample, error) {
	var s webrtc.SettingEngine
	s.SetIncludeLoopbackCandidate(true)
	pc, err := webrtc.NewAPI(webrtc.WithSettingEngine(s)).NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		return nil, nil, err
	}
	track, err := webrtc.NewTrackLocalStaticSample(webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeH264}, "video", "segedge")
	if err != nil {
		return nil, nil, err
	}
	if _, err := pc.AddTrack(track); err != nil {
		return nil, nil, err
	}
	pc.OnDataChannel(func(dc *webrtc.DataChannel) { f.talk(pc, dc, id) })
	if err := pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: offer}); err != nil {
		return nil, nil, err
	}
	sdp, err := pc.CreateAnswer(nil)
	if err != nil {
		return nil, nil, err
	}
	gathered := webrtc.GatheringCompletePromise(pc)
	if err := pc.SetLocalDescription(sdp); err != nil {
		return nil, nil, err
	}
	<-gathered
	return pc, track, nil
}

// play sends the clip in a loop, from its first picture once the peer is there, until the peer is gone.
func (f *fakeWHEP) play(pc *webrtc.PeerConnection, track *webrtc.TrackLocalStaticSample, id string) {
	ctx, cancel := context.WithCancel(context.Background())
	up := make(chan struct{})
	var once sync.Once
	pc.OnConnectionStateChange(func(s webrtc.PeerConnectionState) {
		switch s {
		case webrtc.PeerConnectionStateConnected:
			once.Do(func() { close(up) })
		case webrtc.PeerConnectionStateFailed, webrtc.PeerConnectionStateClosed:
			cancel()
			go f.drop(id) // not in the stack's own callback
		}
	})
	f.wg.Go(func() {
		defer cancel()
		select {
		case <-ctx.Done():
			return
		case <-up:
		}
		tick := time.NewTicker(time.Second / time.Duration(f.fps))
		defer tick.Stop()
		for i := 0; ; i++ {
			if !f.silent(false) {
				_ = track.WriteSample(media.Sample{Data: f.frames[i%len(f.frames)], Duration: time.Second / time.Duration(f.fps)})
			}
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
	})
}

// talk speaks the data channel's protocol (package stream): hello, replies, and the lists ten times a second.
func (f *fakeWHEP) talk(pc *webrtc.PeerConnection, dc *webrtc.DataChannel, id string) {
	gone := make(chan struct{})
	var once sync.Once
	dc.OnClose(func() { once.Do(func() { close(gone) }) })
	dc.OnOpen(func() {
		_ = dc.SendText(`{"type":"hello","schema":1,"viewer":"` + id + `","camera":"cam","clock_rate":90000}`)
		f.wg.Go(func() {
			tick := time.NewTicker(100 * time.Millisecond)
			defer tick.Stop()
			for {
				for _, m := range f.agent.messages() {
					if !f.silent(true) && dc.SendText(m) != nil {
						return
					}
				}
				select {
				case <-gone:
					return
				case <-tick.C:
				}
			}
		})
	})
	dc.OnMessage(func(m webrtc.DataChannelMessage) { _ = dc.SendText(f.agent.channel(m.Data)) })
}

// cut ends every session as a network failure would: without a word to the page's WHEP client.
func (f *fakeWHEP) cut() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for id, pc := range f.sessions {
		_ = pc.Close()
		delete(f.sessions, id)
	}
}

func (f *fakeWHEP) set(change func(*fakeWHEP)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change(f)
}

// silent reports whether words, or else pictures, are held back.
func (f *fakeWHEP) silent(words bool) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.mute || f.dark && !words
}

func (f *fakeWHEP) setRefuse(on bool) {
	f.mu.Lock()
	f.refuse = on
	f.mu.Unlock()
}

// drop ends a session, and reports whether there was one.
func (f *fakeWHEP) drop(id string) bool {
	f.mu.Lock()
	pc := f.sessions[id]
	delete(f.sessions, id)
	f.mu.Unlock()
	if pc == nil {
		return false
	}
	_ = pc.Close()
	return true
}

func (f *fakeWHEP) close() {
	f.cut()
	f.wg.Wait()
}

// watching is how many sessions there are.
func (f *fakeWHEP) watching() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.sessions)
}
