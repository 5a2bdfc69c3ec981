package stream

import (
	"context"
	"encoding/json"
	"image"
	"image/color"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/webrtc/v4"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/seg"
)

// patience is a safety net: nothing is asserted about time.
const patience = 20 * time.Second

// agent is a service with one running and one stopped camera.
type agent struct {
	mu       sync.Mutex
	objects  api.Objects
	commands []api.Command
	hold     chan struct{} // Do waits for it, where it is set
	gone     bool          // the camera "cam" is
}

func newAgent() *agent {
	return &agent{objects: api.Objects{Schema: api.Schema, Camera: "cam", Frame: seg.FrameRef{Seq: 1}}}
}

func (a *agent) Do(ctx context.Context, camera string, cmd api.Command) api.Reply {
	if a.hold != nil {
		select {
		case <-a.hold:
		case <-ctx.Done():
			return api.Refuse(cmd.ID, api.Timeout, "too slow")
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.commands = append(a.commands, cmd)
	if cmd.ID == "huge" {
		return api.Done(cmd.ID, strings.Repeat("x", 1<<20))
	}
	return api.Done(cmd.ID, map[string]string{"camera": camera, "verb": cmd.Verb})
}

func (a *agent) Info() api.Info { return api.Info{} }
func (a *agent) Cameras() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.gone {
		return []string{"off"}
	}
	return []string{"cam", "off"}
}
func (a *agent) State(camera string) (api.State, bool) {
	switch camera {
	case "cam":
		return api.State{Schema: api.Schema, Camera: camera, State: api.Running, FPS: 30}, true
	case "off":
		return api.State{Schema: api.Schema, Camera: camera, State: api.Stopped, Reason: "unplugged"}, true
	}
	return api.State{}, false
}

func (a *agent) Objects(camera string) (api.Objects, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.objects, camera == "cam"
}

func (a *agent) set(frame uint64, objects ...seg.Object) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.objects.Frame.Seq, a.objects.Objects = frame, objects
}

// done is how many commands arrived.
func (a *agent) done() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.commands)
}

func (a *agent) last(t *testing.T) api.Command {
	t.Helper()
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.commands) == 0 {
		t.Fatal("no command arrived")
	}
	return a.commands[len(a.commands)-1]
}

// station is a running server behind HTTP.
type station struct {
	*Server
	t     *testing.T
	url   string
	agent *agent
	keys  chan string
	stop  func()
}

func start(t *testing.T, change ...func(*Options)) *station {
	t.Helper()
	st := &station{t: t, agent: newAgent(), keys: make(chan string, 1024)}
	o := Options{
		Service: st.agent, UDP: "127.0.0.1:0", ObjectsInterval: 5 * time.Millisecond,
		RequestKeyframe: func(camera string, _ int) {
			select {
			case st.keys <- camera:
			default:
			}
		},
		Color: func(*seg.Object) color.RGBA { return color.RGBA{1, 2, 255, 255} },
	}
	for _, c := range change {
		c(&o)
	}
	var err error
	if st.Server, err = New(o); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- st.Run(ctx) }()
	web := httptest.NewServer(st.Server)
	st.url = web.URL
	var once sync.Once
	st.stop = func() {
		once.Do(func() {
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
			web.Close()
		})
	}
	t.Cleanup(st.stop)
	select {
	case <-st.Ready():
	case err := <-done:
		t.Fatal(err)
	}
	return st
}

// do sends a request.
func (st *station) do(method, path, kind, body string, header ...string) (*http.Response, string) {
	st.t.Helper()
	r, err := http.NewRequestWithContext(st.t.Context(), method, st.url+path, strings.NewReader(body))
	if err != nil {
		st.t.Fatal(err)
	}
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		st.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		st.t.Fatal(err)
	}
	return resp, string(b)
}

// peer is a WHEP client: a second WebRTC stack that receives.
type peer struct {
	t        *testing.T
	st       *station
	pc       *webrtc.PeerConnection
	dc       *webrtc.DataChannel
	location string
	etag     string
	offer    string
	query    string // of the address that it posts to
	packets  chan packet
	ssrc     chan webrtc.SSRC
	messages chan map[string]json.RawMessage
	open     chan struct{}
	states   chan webrtc.PeerConnectionState
	left     chan struct{} // closed with the connection: what nobody reads any more holds nobody up
	leave    sync.Once
}

// packet is what matters of an RTP packet.
type packet struct {
	seq    uint16
	time   uint32
	marker bool
	kind   byte
}

// newPeer makes a client with a data channel.
func newPeer(t *testing.T, st *station, tcp bool) *peer {
	t.Helper()
	p := newWatcher(t, st, tcp)
	var err error
	if p.dc, err = p.pc.CreateDataChannel("segedge", nil); err != nil {
		t.Fatal(err)
	}
	p.dc.OnOpen(func() { close(p.open) })
	p.dc.OnMessage(func(m webrtc.DataChannelMessage) {
		var fields map[string]json.RawMessage
		if json.Unmarshal(m.Data, &fields) == nil {
			give(p, p.messages, fields)
		}
	})
	return p
}

// newWatcher makes a client that only receives video.
func newWatcher(t *testing.T, st *station, tcp bool) *peer {
	t.Helper()
	return watcher(t, st, tcp, webrtc.RTPCodecTypeVideo)
}

// bare makes a client with the given media to receive.
func bare(t *testing.T, st *station, media ...webrtc.RTPCodecType) *peer {
	t.Helper()
	return watcher(t, st, false, media...)
}

func watcher(t *testing.T, st *station, tcp bool, media ...webrtc.RTPCodecType) *peer {
	t.Helper()
	var e webrtc.SettingEngine
	e.SetIncludeLoopbackCandidate(true)
	e.SetSCTPMaxMessageSize(256 << 10) // as a browser
	e.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	if tcp {
		e.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeTCP4})
	}
	m := &webrtc.MediaEngine{}
	if err := m.RegisterDefaultCodecs(); err != nil {
		t.Fatal(err)
	}
	pc, err := webrtc.NewAPI(webrtc.WithSettingEngine(e), webrtc.WithMediaEngine(m)).NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		t.Fatal(err)
	}
	p := &peer{
		t: t, st: st, pc: pc, packets: make(chan packet, 4096), ssrc: make(chan webrtc.SSRC, 1), messages: make(chan map[string]json.RawMessage, 4096),
		open: make(chan struct{}), states: make(chan webrtc.PeerConnectionState, 16), left: make(chan struct{}),
	}
	t.Cleanup(p.close)
	for _, kind := range media {
		if _, err := pc.AddTransceiverFromKind(kind, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly}); err != nil {
			t.Fatal(err)
		}
	}
	pc.OnConnectionStateChange(func(s webrtc.PeerConnectionState) { give(p, p.states, s) })
	pc.OnTrack(p.receive)
	return p
}

func (p *peer) receive(track *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
	give(p, p.ssrc, track.SSRC())
	for {
		r, _, err := track.ReadRTP()
		if err != nil {
			return
		}
		k := packet{r.SequenceNumber, r.Timestamp, r.Marker, 0}
		if len(r.Payload) > 0 {
			k.kind = r.Payload[0] & 0x1f
		}
		give(p, p.packets, k)
	}
}

func (p *peer) close() {
	p.leave.Do(func() { close(p.left) })
	_ = p.pc.GracefulClose()
}

// give hands a value to the test, or to nobody once the peer has left: GracefulClose waits for the callbacks.
func give[T any](p *peer, to chan T, v T) {
	select {
	case to <- v:
	case <-p.left:
	}
}

// take waits for a value, not for ever: a packet may be lost on a busy machine, and a test that hangs says nothing.
func take[T any](t *testing.T, what string, from <-chan T) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(patience):
		t.Fatalf("never came: %s", what)
		panic("unreachable")
	}
}

// describe makes the offer, complete with candidates.
func (p *peer) describe() string {
	p.t.Helper()
	offer, err := p.pc.CreateOffer(nil)
	if err != nil {
		p.t.Fatal(err)
	}
	gathered := webrtc.GatheringCompletePromise(p.pc)
	if err := p.pc.SetLocalDescription(offer); err != nil {
		p.t.Fatal(err)
	}
	take(p.t, "the candidates", gathered)
	p.offer = p.pc.LocalDescription().SDP
	return p.offer
}

// post negotiates.
func (p *peer) post() {
	p.t.Helper()
	resp, body := p.st.do(http.MethodPost, "/whep/cam"+p.query, typeSDP, p.describe())
	if resp.StatusCode != http.StatusCreated {
		p.t.Fatalf("%s: %s", resp.Status, body)
	}
	p.location, p.etag = resp.Header.Get("Location"), resp.Header.Get("ETag")
	if err := p.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: body}); err != nil {
		p.t.Fatal(err)
	}
}

func (p *peer) id() string { return p.location[strings.LastIndex(p.location, "/")+1:] }

// connect negotiates and waits for the connection on both sides.
func (p *peer) connect() *peer {
	p.t.Helper()
	p.post()
	p.reach(webrtc.PeerConnectionStateConnected)
	within(p.t, "the server sees the viewer", func() bool { v := p.st.viewer(p.id()); return v != nil && v.connected.Load() })
	return p
}

func (p *peer) reach(want webrtc.PeerConnectionState) {
	p.t.Helper()
	deadline := time.After(patience)
	for {
		select {
		case s := <-p.states:
			if s == want {
				return
			}
		case <-deadline:
			p.t.Fatalf("not %s", want)
		}
	}
}

// message waits for a message of a type.
func (p *peer) message(kind string) map[string]json.RawMessage {
	p.t.Helper()
	deadline := time.After(patience)
	for {
		select {
		case m := <-p.messages:
			if string(m["type"]) == `"`+kind+`"` {
				return m
			}
		case <-deadline:
			p.t.Fatalf("no %s came", kind)
		}
	}
}

func (p *peer) say(text string) {
	p.t.Helper()
	take(p.t, "the data channel", p.open)
	if err := p.dc.SendText(text); err != nil {
		p.t.Fatal(err)
	}
}

// picture waits for the next whole picture and gives its time and the kinds of its packets.
func (p *peer) picture() (rtp uint32, kinds []byte) {
	p.t.Helper()
	deadline := time.After(patience)
	for {
		select {
		case k := <-p.packets:
			kinds = append(kinds, k.kind)
			if k.marker {
				return k.time, kinds
			}
		case <-deadline:
			p.t.Fatal("no picture came")
		}
	}
}

// within waits for a condition that another goroutine brings about.
func within(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); runtime.Gosched() {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
		time.Sleep(time.Millisecond)
	}
}

// unit makes a unit of two slices: a keyframe with parameter sets, or not.
func unit(seq uint64, key bool, at time.Time) Unit {
	u := Unit{Seq: seq, Keyframe: key, Captured: at, Duration: 33 * time.Millisecond}
	slice := byte(0x61)
	if key {
		u.Data, slice = []byte{0, 0, 0, 1, 0x67, 0x42, 0xc0, 0x1f, 0, 0, 0, 1, 0x68, 0xce}, 0x65
	}
	u.Data = append(u.Data, 0, 0, 0, 1, slice)
	for range 1500 {
		u.Data = append(u.Data, 7)
	}
	return u
}

func disc(w, h int, cx, cy, r float64) *seg.Mask {
	m := seg.NewMask(w, h, image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			dx, dy := (float64(x)+0.5)/float64(w)-cx, (float64(y)+0.5)/float64(h)-cy
			if dx*dx+dy*dy < r*r {
				m.Bits[y*w+x] = 1
			}
		}
	}
	return m.Trim()
}
