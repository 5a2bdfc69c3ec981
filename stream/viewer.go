package stream

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	mrand "math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/rtp/codecs"
	"github.com/pion/webrtc/v4"

	"github.com/segedge/segedge/api"
)

// mtu is the size of an RTP payload: what is left of 1200 bytes, which pass everywhere, beside headers and extensions.
const mtu = 1160

// viewer is one WHEP session.
type viewer struct {
	id     string
	camera string
	client string // the address that the offer came from
	caller api.Caller
	epoch  uint64 // of the caller's rights
	server *Server
	log    *slog.Logger

	pc        *webrtc.PeerConnection
	track     *webrtc.TrackLocalStaticRTP
	sender    *webrtc.RTPSender
	queue     *queue
	history   history
	commands  chan message
	channel   atomic.Pointer[webrtc.DataChannel]
	connected atomic.Bool
	vp8       bool         // it takes no H.264
	clean     bool         // it gets the picture without the overlay, and draws it itself
	level     int          // of H.264 that its decoder promises to take
	aim, gets atomic.Int32 // the rendition that it should get, and the one it gets
	tooHigh   atomic.Bool  // the full rendition has turned out to be above its level
	path      path         // owned by feedback
	since     time.Time
	first     uint16        // RTP sequence number, random (RFC 3550, 5.1)
	up        chan struct{} // closed at the first connection
	once      sync.Once
	traffic   traffic

	deltas  bool       // it understands what has changed in a list
	listing sync.Mutex // what it was told of the objects: below
	lists   bucket
	had     *listing // the list that it has; nil where it cannot be told what has changed
	listed  []byte   // the whole of it

	stating sync.Mutex

	mu   sync.Mutex // one negotiation at a time
	etag string

	ctx    context.Context // ends the session; in the struct because callbacks of the stack end it
	cancel context.CancelFunc
}

// newViewer makes a session that has not negotiated yet.
func (s *Server) newViewer(camera string, vp8 bool, rtc *webrtc.API, config webrtc.Configuration) (*viewer, error) {
	codec := h264(profiles[0])
	if vp8 {
		rtc, codec = s.rtcVP8, vp8Codec()
	}
	pc, err := rtc.NewPeerConnection(config)
	if err != nil {
		return nil, fmt.Errorf("peer connection: %w", err)
	}
	v := &viewer{
		id:       token(),
		camera:   camera,
		server:   s,
		pc:       pc,
		etag:     `"` + token()[:16] + `"`,
		since:    time.Now(),
		vp8:      vp8,
		level:    commonLevel,
		lists:    lists(),
		queue:    newQueue(queueLength),
		commands: make(chan message, commandQueue),
		up:       make(chan struct{}),
	}
	v.gets.Store(none)
	v.first = uint16(mrand.Uint32()) // #nosec G404 -- where RTP counts from is no secret
	v.log = s.opts.Logger.With("camera", camera, "viewer", v.id[:8])
	v.ctx, v.cancel = context.WithCancel(context.Background())
	v.track, err = webrtc.NewTrackLocalStaticRTP(codec, "video", "segedge-"+camera)
	if err == nil {
		v.sender, err = pc.AddTrack(v.track)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("track: %w", err), pc.GracefulClose())
	}
	pc.OnConnectionStateChange(v.state)
	pc.OnDataChannel(v.open)
	return v, nil
}

// token is 128 random bits: who knows a session's id may end it.
func token() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	return hex.EncodeToString(b[:])
}

// state follows the connection. It is called by the stack and must not wait for it. Calls may overtake each other: what
// counts is the state that the connection has, not the one that is told.
func (v *viewer) state(webrtc.PeerConnectionState) {
	v.stating.Lock()
	defer v.stating.Unlock()
	s := v.pc.ConnectionState()
	v.log.Debug("viewer", "state", s.String())
	switch s {
	case webrtc.PeerConnectionStateConnected:
		if v.connected.Swap(true) {
			return
		}
		v.queue.restart()
		v.once.Do(func() { close(v.up) })
		v.server.opts.RequestKeyframe(v.camera, v.of(v.aim.Load()))
	case webrtc.PeerConnectionStateDisconnected:
		v.connected.Store(false) // may come back by itself
	case webrtc.PeerConnectionStateFailed, webrtc.PeerConnectionStateClosed:
		v.connected.Store(false)
		v.cancel()
	}
}

// run serves the viewer until its session ends, and joins everything.
func (v *viewer) run() {
	var wg sync.WaitGroup
	wg.Go(v.send)
	wg.Go(v.feedback)
	wg.Go(v.work)
	late := time.NewTimer(v.server.opts.ConnectTimeout)
	defer late.Stop()
	select {
	case <-v.up:
		v.log.Info("viewer connected", "after", time.Since(v.since).Round(time.Millisecond))
		<-v.ctx.Done()
	case <-late.C:
		v.log.Info("viewer never connected: no path between the addresses of offer and answer", "waited", v.server.opts.ConnectTimeout)
	case <-v.ctx.Done():
	}
	v.cancel()
	v.connected.Store(false)
	v.close(&wg)
	v.log.Info("viewer left",
		"after", time.Since(v.since).Round(time.Second), "units", v.traffic.units.Load(), "dropped", v.queue.dropped.Load())
}

// closeTime bounds the wait for the stack to close a connection: a viewer must not hold up the agent's end.
const closeTime = 3 * time.Second

// close ends the connection and joins what served it.
func (v *viewer) close(served *sync.WaitGroup) {
	closed := make(chan error, 1)
	go func() {
		err := v.pc.GracefulClose()
		served.Wait()
		closed <- err
	}()
	late := time.NewTimer(closeTime)
	defer late.Stop()
	select {
	case err := <-closed:
		if err != nil {
			v.log.Debug("viewer did not close cleanly", "error", err)
		}
	case <-late.C:
		v.log.Warn("viewer did not close in time and is left behind", "waited", closeTime)
	}
}

// payloader packs units into RTP: RFC 6184, or RFC 7741.
func (v *viewer) payloader() rtp.Payloader {
	if v.vp8 {
		return &codecs.VP8Payloader{EnablePictureID: true}
	}
	return &codecs.H264Payloader{}
}

// send packs units into RTP and writes them. A write that fails is one lost packet; the connection's state
// tells when it is over.
func (v *viewer) send() {
	pack := v.payloader()
	var out rtp.Packet
	out.Version, out.SequenceNumber = 2, v.first
	for {
		select {
		case <-v.ctx.Done():
			return
		case u := <-v.queue.units:
			out.Timestamp = v.history.stamp(u.Seq, u.Captured)
			parts := pack.Payload(mtu, u.Data)
			for i, p := range parts {
				out.Payload, out.Marker = p, i == len(parts)-1
				out.SequenceNumber++
				if err := v.track.WriteRTP(&out); err != nil && errors.Is(err, io.ErrClosedPipe) {
					break
				}
			}
			v.traffic.units.Add(1)
			v.traffic.bytes.Add(uint64(len(u.Data)))
			v.list(u.list, out.Timestamp, u.Keyframe)
		}
	}
}

// feedback reads what the viewer reports, until the connection closes.
func (v *viewer) feedback() {
	var video uint32 // reports speak of the repair stream as well
	if e := v.sender.GetParameters().Encodings; len(e) > 0 {
		video = uint32(e[0].SSRC)
	}
	asked := requests()
	for {
		packets, _, err := v.sender.ReadRTCP()
		if err != nil {
			return
		}
		for _, p := range packets {
			switch p := p.(type) {
			case *rtcp.PictureLossIndication, *rtcp.FullIntraRequest:
				v.traffic.keyframes.Add(1)
				if asked.take(time.Now(), 1) {
					v.server.opts.RequestKeyframe(v.camera, v.of(v.aim.Load()))
				}
			case *rtcp.ReceiverReport:
				for _, r := range p.Reports {
					if r.SSRC == video {
						v.report(r.FractionLost, r.Jitter)
					}
				}
				v.server.throttle(v.camera)
			}
		}
	}
}
