package e2e

import (
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"
)

// A path decides about each packet that comes to a viewer: whether it is let through.
type path func(packet []byte, now time.Time) bool

// everything is a path that is well.
func everything() path { return func([]byte, time.Time) bool { return true } }

// trickle is a path of 300 kbit/s with a queue of 16 KiB: what comes faster is lost.
func trickle() path {
	const rate, queue = 300_000 / 8, 16 << 10
	room, last := float64(queue), time.Time{}
	return func(packet []byte, now time.Time) bool {
		if !last.IsZero() {
			room = min(queue, room+now.Sub(last).Seconds()*rate)
		}
		last = now
		if room < float64(len(packet)) {
			return false
		}
		room -= float64(len(packet))
		return true
	}
}

// keepalives lets a connection come about and then only what keeps it open: STUN begins with a byte below 4, DTLS with one below 64
// (RFC 7983). The viewer so reads no picture and reports nothing, and is not gone.
func keepalives() path {
	return func(packet []byte, _ time.Time) bool { return len(packet) > 0 && packet[0] < 64 }
}

// peer is a viewer without a screen.
type peer struct {
	lost atomic.Int64 // packets that its path has dropped

	mu   sync.Mutex
	last time.Time // when the newest picture had come
	gaps []float64 // ms between pictures
}

// restart forgets what came before.
func (p *peer) restart() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last, p.gaps = time.Time{}, nil
}

func (p *peer) intervals() []float64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]float64(nil), p.gaps...)
}

// came notes the end of a picture.
func (p *peer) came(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.last.IsZero() {
		p.gaps = append(p.gaps, now.Sub(p.last).Seconds()*1000)
	}
	p.last = now
}

// join has a viewer come over a path; it leaves with the test.
func join(t *testing.T, endpoint string, over func() path) *peer {
	t.Helper()
	socket, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &peer{}
	var engine webrtc.SettingEngine
	engine.SetIncludeLoopbackCandidate(true)
	engine.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4})
	mux := webrtc.NewICEUDPMux(nil, &filtered{PacketConn: socket, let: over(), lost: &p.lost})
	engine.SetICEUDPMux(mux)
	pc, err := webrtc.NewAPI(webrtc.WithSettingEngine(engine)).NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = pc.Close()
		_ = mux.Close()
	})
	if _, err := pc.AddTransceiverFromKind(webrtc.RTPCodecTypeVideo, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly}); err != nil {
		t.Fatal(err)
	}
	pc.OnTrack(func(track *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
		for {
			packet, _, err := track.ReadRTP()
			if err != nil {
				return
			}
			if packet.Marker {
				p.came(time.Now())
			}
		}
	})
	connected := make(chan struct{})
	pc.OnConnectionStateChange(func(s webrtc.PeerConnectionState) {
		if s == webrtc.PeerConnectionStateConnected {
			close(connected)
		}
	})
	_, answer := negotiate(t, pc, endpoint)
	if err := pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer}); err != nil {
		t.Fatal(err)
	}
	select {
	case <-connected:
	case <-time.After(patience):
		t.Fatal("a viewer found no way")
	}
	return p
}

// filtered is a socket behind a path.
type filtered struct {
	net.PacketConn
	let  path // one goroutine reads
	lost *atomic.Int64
}

func (f *filtered) ReadFrom(b []byte) (int, net.Addr, error) {
	for {
		n, from, err := f.PacketConn.ReadFrom(b)
		if err != nil || f.let(b[:n], time.Now()) {
			return n, from, err
		}
		f.lost.Add(1)
	}
}
