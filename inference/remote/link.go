package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// link is the way to the server: connections, the token, the limits, the counting. Both protocols go over it.
type link struct {
	s      *Server
	base   string
	client *http.Client

	mu    sync.Mutex
	spare []*body
}

// maxConnections are those to the server: one for each lane of the cameras that share it, and no more than it can take.
const maxConnections = 16

func newLink(s *Server, base string, protocols *http.Protocols) *link {
	return &link{s: s, base: base, client: &http.Client{
		Transport: &http.Transport{
			DialContext:     (&net.Dialer{Timeout: s.o.Timeout, KeepAlive: 15 * time.Second}).DialContext,
			TLSClientConfig: s.o.TLS, TLSHandshakeTimeout: s.o.Timeout, Protocols: protocols,
			MaxConnsPerHost: maxConnections, MaxIdleConnsPerHost: maxConnections, IdleConnTimeout: 90 * time.Second,
			MaxResponseHeaderBytes: 64 << 10, DisableCompression: true, WriteBufferSize: 64 << 10, ReadBufferSize: 64 << 10,
		},
		// Whoever is sent elsewhere would take the token there.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// body is the memory of a request. It goes back for the next one when its caller and every attempt to send it have let go of it: net/http
// may read a body for some time after the call.
type body struct {
	l    *link
	data []byte

	mu   sync.Mutex
	uses int
}

// take is an empty body, the caller's to let go of.
func (l *link) take() *body {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := &body{l: l}
	if n := len(l.spare); n > 0 {
		b, l.spare = l.spare[n-1], l.spare[:n-1]
	}
	b.data, b.uses = b.data[:0], 1
	return b
}

func (b *body) letGo() {
	b.mu.Lock()
	b.uses--
	last := b.uses == 0
	b.mu.Unlock()
	if !last {
		return
	}
	b.l.mu.Lock()
	if len(b.l.spare) < 4 {
		b.l.spare = append(b.l.spare, b)
	}
	b.l.mu.Unlock()
}

// attempt reads a body once. Over HTTP/2 it may be closed while it is read, and may be read afterwards: it has let go of the body by then.
type attempt struct {
	of *body

	mu     sync.Mutex
	left   []byte
	closed bool
}

func (b *body) attempt() *attempt {
	b.mu.Lock()
	b.uses++
	b.mu.Unlock()
	return &attempt{of: b, left: b.data}
}

func (a *attempt) Read(p []byte) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.closed:
		return 0, http.ErrBodyReadAfterClose
	case len(a.left) == 0:
		return 0, io.EOF
	}
	n := copy(p, a.left)
	a.left = a.left[n:]
	return n, nil
}

// Close lets go of the body.
func (a *attempt) Close() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.closed {
		a.closed = true
		a.of.letGo()
	}
	return nil
}

// send makes one request and gives the reply, whose body has been read into a.raw. b may be nil.
func (l *link) send(ctx context.Context, method, path string, header http.Header, b *body, a *answer) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, l.base+path, http.NoBody)
	if err != nil {
		return nil, err
	}
	req.Header = header
	if b != nil {
		req.Body, req.ContentLength = b.attempt(), int64(len(b.data))
	}
	if l.s.o.Token != nil {
		token, err := l.s.o.Token()
		if err != nil {
			return nil, errors.Join(err, req.Body.Close())
		}
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := l.client.Do(req)
	if err != nil {
		return nil, &passing{unwrapURL(err)}
	}
	defer res.Body.Close()
	if b != nil {
		l.s.sent.Add(uint64(len(b.data)))
	}
	err = a.read(res, l.s.o.MaxReply)
	l.s.received.Add(uint64(len(a.raw)))
	return res, err
}

// unwrapURL takes the address off an error: whoever reads it knows it.
func unwrapURL(err error) error {
	for {
		inner := errors.Unwrap(err)
		if _, isNet := errors.AsType[*net.OpError](inner); !isNet {
			return err
		}
		if _, is := err.(*net.OpError); is { //nolint:errorlint // the outermost that is one
			return err
		}
		err = inner
	}
}

// read reads the reply's body, of at most so many bytes.
func (a *answer) read(res *http.Response, most int64) error {
	a.raw = a.raw[:0]
	if res.ContentLength > most {
		return fmt.Errorf("%w: it has %d bytes, and %d are the most", ErrReply, res.ContentLength, most)
	}
	if n := int(res.ContentLength); n > cap(a.raw) {
		a.raw = make([]byte, 0, n)
	}
	for {
		if len(a.raw) == cap(a.raw) {
			a.raw = append(a.raw, 0)[:len(a.raw)]
		}
		n, err := res.Body.Read(a.raw[len(a.raw):cap(a.raw)])
		a.raw = a.raw[:len(a.raw)+n]
		switch {
		case int64(len(a.raw)) > most:
			return fmt.Errorf("%w: it has more than %d bytes", ErrReply, most)
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return &passing{fmt.Errorf("the reply was cut off after %d bytes: %w", len(a.raw), err)}
		}
	}
}
