package stream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image/color"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/pion/webrtc/v4"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/api/dispatch"
	"github.com/segedge/segedge/seg"
)

// Unit is one encoded picture: an H.264 access unit in Annex B form, or a frame of VP8. Its fields are those of video.Unit.
type Unit struct {
	Data          []byte // never written again
	Keyframe      bool
	Rendition     int // full, common, low, VP8, low VP8; the same five without the overlay
	Width, Height int
	Level         int // level_idc of its parameter sets
	Seq           uint64
	Captured      time.Time
	PTS           time.Duration
	Duration      time.Duration

	list *listing
}

// ICEServer is a STUN or TURN server that viewers are told of and that this server uses itself.
type ICEServer struct {
	URLs       []string // stun:host:port, turn:host:port?transport=udp
	Username   string
	Credential string
}

// Options configure a server. Service is required.
type Options struct {
	Service api.Service
	// Commands does what comes over the data channels, and is shared with the other doors. Nil makes one of its own.
	Commands *dispatch.Dispatcher
	// RequestKeyframe asks a camera's encoder of a rendition for a keyframe; it must not block. Nil is nobody.
	RequestKeyframe func(camera string, rendition int)
	// Throttle tells a camera's encoder how much of its usual bitrate the best of a rendition's paths can carry, 0..1; it must
	// not block. Nil is nobody.
	Throttle func(camera string, rendition int, share float64)
	// Level is the H.264 level (level_idc) that a camera's full rendition has; 0 where it is not known yet. Nil is always.
	Level func(camera string) int
	// Fault is why a camera's picture cannot be encoded, nil where it can. Nil is never.
	Fault func(camera string) error
	// VP8 is why a camera's picture cannot be had in VP8, nil where it can; it is asked when a viewer takes nothing else. Nil is that it
	// never can.
	VP8 func() error
	// UDP is the address that all media goes through. An empty host is every interface of the machine, one socket each.
	// Empty is any free port of every interface.
	UDP string
	// TCP is the address for viewers that cannot use UDP (ICE-TCP). Empty is none.
	TCP        string
	ICEServers []ICEServer
	// Interfaces are the network interfaces whose addresses viewers are told of; empty is all.
	Interfaces []string
	// PublicIPs are addresses that a router in front translates to this machine; they replace its own in the answer.
	PublicIPs []string
	// MaxViewers bounds the viewers of all cameras together, until SetPlaces; 0 is 16.
	MaxViewers int
	// BasePath is what a proxy in front puts before the paths of this server, for Location; empty where it puts nothing.
	BasePath string
	// AllowOrigin says which other web pages may talk to this server; its own page always may. Nil is all of them, which
	// is only right where every request carries a token.
	AllowOrigin func(origin string) bool
	// Color is what an object is painted in. Nil leaves "color" out of the messages.
	Color func(*seg.Object) color.RGBA
	// ObjectsInterval is the time between object lists on the data channel while no picture is sent; 0 is 100 ms. States go out a
	// fifth as often.
	ObjectsInterval time.Duration
	// ConnectTimeout is how long a session may exist without a connection; 0 is 30 s.
	ConnectTimeout time.Duration
	Logger         *slog.Logger
}

func (o *Options) check() error {
	if o.Service == nil {
		return errors.New("stream: Service is required")
	}
	if o.RequestKeyframe == nil {
		o.RequestKeyframe = func(string, int) {}
	}
	if o.Throttle == nil {
		o.Throttle = func(string, int, float64) {}
	}
	if o.Level == nil {
		o.Level = func(string) int { return 0 }
	}
	if o.Fault == nil {
		o.Fault = func(string) error { return nil }
	}
	if o.VP8 == nil {
		o.VP8 = func() error { return errors.New("it has no encoder for that") }
	}
	if o.AllowOrigin == nil {
		o.AllowOrigin = func(string) bool { return true }
	}
	if o.MaxViewers <= 0 {
		o.MaxViewers = 16
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	or := func(d *time.Duration, def time.Duration) {
		if *d <= 0 {
			*d = def
		}
	}
	or(&o.ObjectsInterval, 100*time.Millisecond)
	or(&o.ConnectTimeout, 30*time.Second)
	return nil
}

// Server serves the viewers of all cameras. It is an http.Handler for everything below /whep/.
type Server struct {
	opts  Options
	mux   *http.ServeMux
	ready chan struct{}

	mu      sync.RWMutex
	addrs   []string    // of the UDP sockets
	rtc     *webrtc.API // nil while Run is not running
	rtcVP8  *webrtc.API // the same, in VP8
	config  webrtc.Configuration
	viewers map[string]*viewer
	places  int    // for viewers
	pending int    // sessions under negotiation, which count as viewers
	epoch   uint64 // of the rights that requests come with, counted by DropAll
	wg      sync.WaitGroup

	throttles throttles
	listings  listings
	news      news
}

var _ http.Handler = (*Server)(nil)

// New makes a server. It opens no socket: until Run has, offers wait, for a few seconds, and are answered 503 then.
func New(opts Options) (*Server, error) {
	if err := opts.check(); err != nil {
		return nil, err
	}
	s := &Server{opts: opts, ready: make(chan struct{}), viewers: make(map[string]*viewer), places: opts.MaxViewers}
	s.throttles.told = make(map[string]*[2 * versions]share)
	s.listings.newest = make(map[string]*listing)
	s.news.kept, s.news.queue = make(map[string][]json.RawMessage), make(chan item, newsQueue)
	s.mux = s.routes()
	if s.opts.Commands == nil {
		s.opts.Commands = dispatch.New(dispatch.Options{Service: opts.Service, Frames: s, Logger: opts.Logger})
	}
	return s, nil
}

// Ready is closed when Run has its sockets.
func (s *Server) Ready() <-chan struct{} { return s.ready }

// Run opens the sockets and serves until ctx ends; then every viewer is told goodbye and everything is joined. It runs once.
func (s *Server) Run(ctx context.Context) error {
	net, err := listen(&s.opts)
	if err != nil {
		return fmt.Errorf("stream: %w", err)
	}
	s.mu.Lock()
	s.addrs, s.rtc, s.rtcVP8, s.config = net.addrs, net.api, net.vp8, webrtc.Configuration{ICEServers: iceServers(s.opts.ICEServers)}
	s.mu.Unlock()
	close(s.ready)
	s.opts.Logger.Info("video is ready for viewers", "udp", net.addrs, "tcp", s.opts.TCP, "max", s.opts.MaxViewers)
	s.push(ctx)
	s.mu.Lock()
	s.rtc = nil
	for _, v := range s.viewers {
		v.cancel()
	}
	s.mu.Unlock()
	s.wg.Wait()
	if err := net.close(); err != nil {
		return fmt.Errorf("stream: %w", err)
	}
	return nil
}

// Write sends one unit to all viewers of a camera that get its rendition, and the objects of its frame with it. It never blocks: a
// viewer that does not keep up loses units until the next keyframe. The objects' masks are kept, the slice is not.
func (s *Server) Write(camera string, u Unit, objects []seg.Object) {
	var ask [2 * versions]bool
	s.mu.RLock()
	for _, v := range s.viewers {
		if v.camera != camera || !v.connected.Load() {
			continue
		}
		if u.list == nil {
			u.list = s.listing(camera, &u, objects)
		}
		if v.take(u) {
			ask[v.of(v.aim.Load())] = true
		}
	}
	s.mu.RUnlock()
	for r, wanted := range ask {
		if wanted {
			s.opts.RequestKeyframe(camera, r)
		}
	}
}

// Viewers is the number of connected viewers of a camera. Cheap: video.Options.Wanted may call it for every frame.
func (s *Server) Viewers(camera string) int {
	n := 0
	s.mu.RLock()
	for _, v := range s.viewers {
		if v.camera == camera && v.connected.Load() {
			n++
		}
	}
	s.mu.RUnlock()
	return n
}

// FrameAt is the sequence of the frame that a viewer saw at an RTP time; false when it never existed or was too long ago.
func (s *Server) FrameAt(viewer string, rtpTime uint32) (seq uint64, ok bool) {
	if v := s.viewer(viewer); v != nil {
		return v.history.at(rtpTime)
	}
	return 0, false
}

func (s *Server) viewer(id string) *viewer {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.viewers[id]
}

// giveUp gives a place back that no viewer came of.
func (s *Server) giveUp() {
	s.mu.Lock()
	s.pending--
	s.mu.Unlock()
	s.wg.Done()
}

// admit makes a negotiated viewer known and starts it, unless the server stopped or DropAll was called meanwhile.
func (s *Server) admit(v *viewer) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.rtc == nil:
		return &refusal{http.StatusServiceUnavailable, api.NotReady, "video is stopping"}
	case v.epoch != s.epoch:
		return errDropped
	}
	s.pending--
	s.viewers[v.id] = v
	go func() {
		defer s.wg.Done()
		v.run()
		s.mu.Lock()
		delete(s.viewers, v.id)
		s.mu.Unlock()
		s.throttle(v.camera)
	}()
	return nil
}
