package main

import (
	"cmp"
	"fmt"
	"net"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/config"
	"github.com/segedge/segedge/rtsp"
	"github.com/segedge/segedge/video"
)

// anyUser is the user whose password is http.token.
const anyUser = "segedge"

// buildRTSP makes the door for recorders, if one is wanted, and takes its address.
func (b *builder) buildRTSP() error {
	listen := b.cfg.RTSP.Listen
	if listen == "" {
		return nil
	}
	if !loopback(listen) && len(readers(&b.cfg.HTTP)) == 0 {
		return fmt.Errorf("rtsp.listen %s can be reached from the network and there is no token: give one of 16 characters or more "+
			"with --token TOKEN or SEGEDGE_HTTP_TOKEN=TOKEN, or listen on 127.0.0.1", listen)
	}
	l, err := net.Listen("tcp", listen)
	if err != nil {
		return fmt.Errorf("rtsp.listen: %w; stop what uses the address, or set another", err)
	}
	b.recorders.Store(&l)
	address := l.Addr().String()
	b.rtsp, err = rtsp.New(rtsp.Options{
		Listen: func() (net.Listener, error) {
			if l := b.recorders.Swap(nil); l != nil {
				return *l, nil
			}
			return net.Listen("tcp", address)
		},
		Cameras: b.agent.Cameras,
		Keyframe: func(camera string, clean bool) {
			b.onSink(camera, func(s *video.Sink) { s.RequestKeyframe(video.Full.With(clean)) })
		},
		Why: func(camera string) string {
			if st, ok := b.agent.State(camera); ok && st.State != api.Running {
				return cmp.Or(st.Reason, st.State)
			}
			return ""
		},
		Tokens: readers(&b.cfg.HTTP), MaxReaders: b.cfg.RTSP.MaxReaders, Logger: b.log,
	})
	return err
}

// readers are the page's tokens as recorders give them: the token's name is the user, the token the password.
func readers(c *config.HTTP) (out []rtsp.Token) {
	if c.Token != "" {
		out = append(out, rtsp.Token{User: anyUser, Password: c.Token})
	}
	for _, t := range c.Tokens {
		out = append(out, rtsp.Token{User: t.Name, Password: t.Token})
	}
	return out
}

// recorded sends recorders what they read.
func (b *builder) recorded(camera string, u video.Unit) {
	if b.rtsp != nil && u.Rendition == video.Full.With(u.Rendition.Clean()) {
		b.rtsp.Write(camera, u.Rendition.Clean(), u)
	}
}

// read reports whether recorders read a rendition.
func (b *builder) read(camera string, r video.Rendition) bool {
	return b.rtsp != nil && r == video.Full.With(r.Clean()) && b.rtsp.Wanted(camera, r.Clean())
}
