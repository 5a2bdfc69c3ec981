package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/overlay"
	"github.com/segedge/segedge/stream"
	"github.com/segedge/segedge/video"
	"github.com/segedge/segedge/web"
)

// cookieKey is what the page's cookies are made with, so that who is in stays in over restarts. A disk that refuses keeps nobody out.
func (b *builder) cookieKey() []byte {
	key, err := keptSecret(b.state, "cookie-key")
	if err != nil {
		b.log.Warn("who is in has to log in again after a restart", "err", err)
	}
	return []byte(key)
}

// buildDoors makes WHEP, the page and their socket.
func (b *builder) buildDoors() error {
	listen := b.cfg.HTTP.Listen
	host, _, err := net.SplitHostPort(cmp.Or(listen, "127.0.0.1:0"))
	if err != nil {
		return fmt.Errorf("http.listen: %w", err)
	}
	servers, err := iceServers(&b.cfg.HTTP)
	if err != nil {
		return err
	}
	b.stream, err = stream.New(stream.Options{
		TCP: b.cfg.HTTP.ICETCP, ICEServers: servers, Interfaces: b.cfg.HTTP.ICEInterfaces, PublicIPs: b.cfg.HTTP.PublicIPs,
		BasePath: strings.TrimRight(b.cfg.HTTP.BasePath, "/"),
		Service:  b.agent,
		Commands: b.commands,
		RequestKeyframe: func(camera string, r int) {
			b.onSink(camera, func(s *video.Sink) { s.RequestKeyframe(video.Rendition(r)) })
		},
		Throttle: func(camera string, r int, share float64) {
			b.onSink(camera, func(s *video.Sink) { s.Throttle(video.Rendition(r), share) })
		},
		Level: func(camera string) (level int) {
			b.onSink(camera, func(s *video.Sink) { level = int(s.Level()) })
			return level
		},
		Fault: func(camera string) (err error) {
			b.onSink(camera, func(s *video.Sink) { err = s.Fault() })
			return err
		},
		VP8: probeVP8(b.cfg.Video.FFmpeg),
		UDP: net.JoinHostPort(host, fmt.Sprint(b.cfg.HTTP.ICEPort)), MaxViewers: b.cfg.HTTP.MaxViewers * len(b.cfg.Cameras),
		Color: overlay.ColorOf, Logger: b.log,
		AllowOrigin: func(string) bool { return b.cfg.HTTP.Token != "" || len(b.cfg.HTTP.Tokens) > 0 },
	})
	if err != nil {
		return err
	}
	b.relay.viewers = b.stream
	if err := b.buildRTSP(); err != nil {
		return err
	}
	if listen == "" {
		return nil
	}
	judge, err := b.buildReview()
	if err != nil {
		return err
	}
	b.web, err = web.New(web.Options{
		Review:  judge,
		Picture: b.picture, Clips: b.clips, BasePath: b.cfg.HTTP.BasePath, TrustedProxies: b.cfg.HTTP.TrustedProxies,
		Service: b.agent, Commands: b.commands, WHEP: b.stream, Health: b.health, Vitals: b.vitals, Schema: api.JSONSchema(),
		Token: b.cfg.HTTP.Token, Tokens: tokens(b.cfg.HTTP.Tokens), CookieKey: b.cookieKey(),
		Version: version, Logger: b.log,
	})
	if err != nil {
		return err
	}
	if b.cfg.HTTP.Cert != "" {
		if b.certificate, err = web.LoadCertificate(b.cfg.HTTP.Cert, b.cfg.HTTP.Key, b.log); err != nil {
			return configFault{err}
		}
	}
	l, err := b.listen(listen)
	if err != nil {
		return fmt.Errorf("http.listen: %w; stop what uses the address, or give another with --listen", err)
	}
	b.listener.Store(&l)
	b.address = l.Addr()
	return nil
}

// listen opens the page's socket. The address in a file may be one that the box has only once it has a network; on a command line it is
// mistyped.
func (b *builder) listen(address string) (net.Listener, error) {
	l, err := net.Listen("tcp", address)
	if b.run.Config == "" || !errors.Is(err, syscall.EADDRNOTAVAIL) {
		return l, err
	}
	b.log.Warn("no interface has the address of http.listen: the page answers once one has it", "address", address)
	return stream.Early.Listen(context.Background(), "tcp", address)
}
