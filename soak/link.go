package soak

import (
	"context"
	"io"
	"net"
	"sync"
)

// link is a TCP proxy that can be cut, so that connections break and none is taken, or frozen, so that they stay and nothing passes.
type link struct {
	to       string
	listener net.Listener

	mu     sync.Mutex
	cut    bool
	frozen chan struct{} // closed when bytes may pass
	conns  map[net.Conn]bool
	wg     sync.WaitGroup
}

func newLink(ctx context.Context, to string) (*link, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	open := make(chan struct{})
	close(open)
	return &link{to: to, listener: l, frozen: open, conns: map[net.Conn]bool{}}, nil
}

// addr is where clients connect.
func (l *link) addr() string { return l.listener.Addr().String() }

// run takes connections until ctx ends, then closes and joins them all.
func (l *link) run(ctx context.Context) {
	stop := context.AfterFunc(ctx, func() { _ = l.listener.Close() })
	defer stop()
	for {
		in, err := l.listener.Accept()
		if err != nil {
			l.setCut(true)
			l.setFrozen(false)
			l.wg.Wait()
			return
		}
		l.take(ctx, in)
	}
}

func (l *link) take(ctx context.Context, in net.Conn) {
	var d net.Dialer
	out, err := d.DialContext(ctx, "tcp", l.to)
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil || l.cut {
		_ = in.Close()
		if out != nil {
			_ = out.Close()
		}
		return
	}
	l.conns[in], l.conns[out] = true, true
	for _, pair := range [][2]net.Conn{{in, out}, {out, in}} {
		l.wg.Go(func() { l.pass(pair[0], pair[1]) })
	}
}

// pass copies until either side closes, and waits while the link is frozen.
func (l *link) pass(from, to net.Conn) {
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		l.mu.Lock()
		open := l.frozen
		l.mu.Unlock()
		<-open
		if n > 0 {
			if _, werr := to.Write(buf[:n]); werr != nil {
				err = io.ErrClosedPipe
			}
		}
		if err != nil {
			break
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range []net.Conn{from, to} {
		_ = c.Close()
		delete(l.conns, c)
	}
}

// setCut breaks every connection and refuses new ones, or takes them again.
func (l *link) setCut(cut bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cut = cut
	if cut {
		for c := range l.conns {
			_ = c.Close()
		}
	}
}

// setFrozen lets nothing pass, or lets it pass again.
func (l *link) setFrozen(frozen bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case <-l.frozen:
		if frozen {
			l.frozen = make(chan struct{})
		}
	default:
		if !frozen {
			close(l.frozen)
		}
	}
}
