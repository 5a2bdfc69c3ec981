package rtsp

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/bluenviron/gortsplib/v4"
	"github.com/bluenviron/gortsplib/v4/pkg/base"
	"github.com/bluenviron/gortsplib/v4/pkg/liberrors"
)

// describeTime is how long a reader waits for a camera's keyframe.
const describeTime = 8 * time.Second

// handler is the server as gortsplib calls it.
type handler struct{ s *Server }

// OnConnOpen bounds the connections: each may wait for a camera.
func (h handler) OnConnOpen(ctx *gortsplib.ServerHandlerOnConnOpenCtx) {
	h.s.mu.Lock()
	defer h.s.mu.Unlock()
	h.s.conns++
	if h.s.conns > 2*h.s.o.MaxReaders {
		ctx.Conn.Close()
	}
}

// OnConnClose makes room.
func (h handler) OnConnClose(*gortsplib.ServerHandlerOnConnCloseCtx) {
	h.s.mu.Lock()
	defer h.s.mu.Unlock()
	h.s.conns--
}

// OnDescribe says what a picture is, as soon as there is one.
func (h handler) OnDescribe(ctx *gortsplib.ServerHandlerOnDescribeCtx) (*base.Response, *gortsplib.ServerStream, error) {
	if _, refused, err := h.s.admit(ctx.Conn, ctx.Request); refused != nil {
		return refused, nil, err
	}
	f, of, ok := h.s.feed(ctx.Path)
	if !ok {
		return refuse(base.StatusNotFound, "there is no camera "+of.camera), nil, nil
	}
	wait, cancel := context.WithTimeout(context.Background(), describeTime)
	defer cancel()
	stream := f.describe(wait, func() { h.s.o.Keyframe(of.camera, of.clean) })
	if stream == nil {
		why := "camera " + of.camera + " has no picture now"
		if w := h.s.o.Why(of.camera); w != "" {
			why += ": " + w
		}
		h.s.o.Logger.Info("a reader was sent away", "camera", of.camera, "from", from(ctx.Conn), "why", why)
		return refuse(base.StatusServiceUnavailable, why), nil, nil
	}
	return &base.Response{StatusCode: base.StatusOK}, stream, nil
}

// OnSetup takes a reader in.
func (h handler) OnSetup(ctx *gortsplib.ServerHandlerOnSetupCtx) (*base.Response, *gortsplib.ServerStream, error) {
	token, refused, err := h.s.admit(ctx.Conn, ctx.Request)
	if refused != nil {
		return refused, nil, err
	}
	f, of, ok := h.s.feed(ctx.Path)
	if !ok {
		return refuse(base.StatusNotFound, "there is no camera "+of.camera), nil, nil
	}
	stream := f.current()
	if stream == nil {
		return refuse(base.StatusNotFound, "ask what it is first: DESCRIBE"), nil, nil
	}
	h.s.mu.Lock()
	defer h.s.mu.Unlock()
	if _, known := h.s.sessions[ctx.Session]; !known && len(h.s.sessions) >= h.s.o.MaxReaders {
		return refuse(base.StatusNotEnoughBandwidth, fmt.Sprintf("%d readers are here already", h.s.o.MaxReaders)), nil, nil
	}
	h.s.sessions[ctx.Session] = session{feed: f, token: token}
	return &base.Response{StatusCode: base.StatusOK}, stream, nil
}

// OnPlay begins with a keyframe.
func (h handler) OnPlay(ctx *gortsplib.ServerHandlerOnPlayCtx) (*base.Response, error) {
	h.s.mu.Lock()
	of := h.s.sessions[ctx.Session]
	if of.feed != nil && !of.plays {
		of.plays = true
		of.feed.readers.Add(1)
		h.s.sessions[ctx.Session] = of
	}
	h.s.mu.Unlock()
	if _, of, ok := h.s.feed(ctx.Path); ok {
		h.s.o.Logger.Info("a reader plays", "camera", of.camera, "clean", of.clean, "from", from(ctx.Conn))
		h.s.o.Keyframe(of.camera, of.clean)
	}
	return &base.Response{StatusCode: base.StatusOK}, nil
}

// OnSessionClose lets a reader go.
func (h handler) OnSessionClose(ctx *gortsplib.ServerHandlerOnSessionCloseCtx) {
	h.s.mu.Lock()
	defer h.s.mu.Unlock()
	if of := h.s.sessions[ctx.Session]; of.plays {
		of.feed.readers.Add(-1)
	}
	delete(h.s.sessions, ctx.Session)
}

// OnStreamWriteError lets a reader go that does not keep up: it is called while a unit is written, and must not wait.
func (h handler) OnStreamWriteError(ctx *gortsplib.ServerHandlerOnStreamWriteErrorCtx) {
	h.s.o.Logger.Debug("a reader is let go", "err", ctx.Error)
	ctx.Session.Close()
}

// admit checks who comes: a refusal where they may not.
func (s *Server) admit(c *gortsplib.ServerConn, r *base.Request) (Token, *base.Response, error) {
	s.mu.RLock()
	tokens := s.tokens
	s.mu.RUnlock()
	if len(tokens) == 0 {
		return Token{}, nil, nil
	}
	if wait := s.tries.Wait(from(c)); wait > 0 {
		return Token{}, refuse(base.StatusForbidden, "too many wrong passwords came from this address: wait a while"), nil
	}
	for _, t := range tokens {
		if c.VerifyCredentials(r, t.User, t.Password) {
			return t, nil, nil
		}
	}
	if len(r.Header["Authorization"]) > 0 {
		s.tries.Failed(from(c))
		s.o.Logger.Warn("somebody came with a wrong password", "from", from(c), "door", "rtsp")
	}
	return Token{}, &base.Response{StatusCode: base.StatusUnauthorized}, liberrors.ErrServerAuth{}
}

func from(c *gortsplib.ServerConn) string { return c.NetConn().RemoteAddr().String() }

// refuse is an answer that says why in its first line.
func refuse(code base.StatusCode, why string) *base.Response {
	why = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, why)
	return &base.Response{StatusCode: code, StatusMessage: why[:min(len(why), 200)]}
}
