// Package rtsp serves the cameras' pictures to recorders (RFC 2326): rtsp://host/<camera> with the overlay, rtsp://host/<camera>/clean
// without. A picture is encoded only while somebody reads it. It encodes nothing itself: units come in through Write. It sends over the
// connection that the reader made, never over UDP, and takes nothing but what a reader says.
package rtsp

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/bluenviron/gortsplib/v4"
	"github.com/bluenviron/gortsplib/v4/pkg/auth"

	"github.com/segedge/segedge/throttle"
	"github.com/segedge/segedge/video"
)

// Token lets somebody in: as its user's password. Every role may look.
type Token struct{ User, Password string }

// Options of a server. Listen and Cameras are required.
type Options struct {
	Listen  func() (net.Listener, error) // called by Run
	Cameras func() []string
	// Keyframe asks for one of a camera's full picture. It must not block.
	Keyframe func(camera string, clean bool)
	// Why says in a few words why a camera has no picture; nil where that is not known.
	Why        func(camera string) string
	Tokens     []Token // none: everybody who reaches the listener, which must be on loopback
	MaxReaders int     // of all pictures together; 0 is 8
	Logger     *slog.Logger
}

// Server serves readers. Safe for concurrent use; Run runs once at a time.
type Server struct {
	o     Options
	tries *throttle.Throttle

	mu       sync.RWMutex
	server   *gortsplib.Server // while it runs
	tokens   []Token
	feeds    map[source]*feed
	sessions map[*gortsplib.ServerSession]session
	conns    int
}

// source is a picture of a camera.
type source struct {
	camera string
	clean  bool
}

type session struct {
	feed  *feed
	token Token
	plays bool
}

// New makes a server. It opens nothing.
func New(o Options) (*Server, error) {
	if o.Listen == nil || o.Cameras == nil {
		return nil, errors.New("rtsp: Listen and Cameras are required")
	}
	if o.Keyframe == nil {
		o.Keyframe = func(string, bool) {}
	}
	if o.Why == nil {
		o.Why = func(string) string { return "" }
	}
	o.MaxReaders = cmp.Or(o.MaxReaders, 8)
	o.Logger = cmp.Or(o.Logger, slog.New(slog.DiscardHandler))
	return &Server{
		o: o, tries: throttle.New(time.Now), tokens: slices.Clone(o.Tokens), feeds: map[source]*feed{},
		sessions: map[*gortsplib.ServerSession]session{},
	}, nil
}

// Limits of a connection.
const (
	writeQueue   = 1024 // packets that wait for a reader: a keyframe of a 4K picture has room
	writeTimeout = 10 * time.Second
)

// Run serves until ctx ends; then every reader is let go.
func (s *Server) Run(ctx context.Context) error {
	l, err := s.o.Listen()
	if err != nil {
		return fmt.Errorf("rtsp: %w", err)
	}
	server := &gortsplib.Server{
		Handler: handler{s}, RTSPAddress: l.Addr().String(), WriteQueueSize: writeQueue, WriteTimeout: writeTimeout,
		AuthMethods: []auth.VerifyMethod{auth.VerifyMethodDigestMD5}, // never the token itself
		Listen:      func(string, string) (net.Listener, error) { return l, nil },
	}
	s.mu.Lock()
	s.server = server
	s.mu.Unlock()
	if err := server.Start(); err != nil {
		return fmt.Errorf("rtsp: %w", errors.Join(err, l.Close()))
	}
	s.o.Logger.Info("recorders are served", "rtsp", l.Addr().String())
	ended := make(chan error, 1)
	go func() { ended <- server.Wait() }()
	select {
	case <-ctx.Done():
		s.dropAll()
		server.Close()
		<-ended
		return nil
	case err := <-ended:
		s.dropAll()
		return fmt.Errorf("rtsp: %w", err)
	}
}

// dropAll ends all pictures and their readers.
func (s *Server) dropAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.server = nil
	for _, f := range s.feeds {
		f.close()
	}
	clear(s.feeds)
}

// SetTokens changes who may come in; who is in with a token that is gone is out.
func (s *Server) SetTokens(tokens []Token) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tokens = slices.Clone(tokens)
	for ss, of := range s.sessions {
		if !slices.Contains(tokens, of.token) {
			ss.Close()
		}
	}
}

// Drop ends a camera's pictures and lets their readers go.
func (s *Server) Drop(camera string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for of, f := range s.feeds {
		if of.camera == camera {
			f.close()
			delete(s.feeds, of)
		}
	}
}

// Wanted reports whether somebody reads a picture, or is about to. It is cheap.
func (s *Server) Wanted(camera string, clean bool) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	f := s.feeds[source{camera, clean}]
	return f != nil && f.wanted(time.Now())
}

// Write sends a unit of the full rendition to its readers. It never blocks: a reader that does not keep up is let go. One goroutine
// writes the units of a picture.
func (s *Server) Write(camera string, clean bool, u video.Unit) {
	s.mu.RLock()
	f, server := s.feeds[source{camera, clean}], s.server
	s.mu.RUnlock()
	if f == nil || server == nil {
		return
	}
	if err := f.write(server, u); err != nil {
		s.o.Logger.Debug("rtsp: a picture was not sent", "camera", camera, "err", err)
	}
}

// feed is the picture that a path means, made where there is none; false for no camera of ours.
func (s *Server) feed(path string) (*feed, source, bool) {
	of := source{camera: strings.Trim(path, "/")}
	if camera, ok := strings.CutSuffix(of.camera, "/clean"); ok {
		of = source{camera, true}
	}
	if !slices.Contains(s.o.Cameras(), of.camera) {
		return nil, of, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.feeds[of] == nil {
		s.feeds[of] = newFeed()
	}
	return s.feeds[of], of, true
}
