package broker

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/mochi-mqtt/server/v2/listeners"
)

// A gate is where connections come in, in the place of mochi's own listener, which ends for good at the first accept that fails (no
// descriptors left), waits for ever for who says nothing, makes room for whatever length is announced, and lets a packet that its decoders
// stumble over take the whole agent down.
type gate struct {
	id       string
	listener net.Listener
	log      *slog.Logger
	broken   func(a *arrival, why any) // a connection's handling panicked

	inside sync.WaitGroup
	mu     sync.Mutex
	closed bool
	before []*arrival // those that have not been let in, in the order of coming
}

const (
	maxBefore  = 32               // connections that have not been let in; the oldest goes for the next
	maxGreeted = 10 * time.Second // until one is let in
	maxHello   = 128 << 10        // bytes of the packet that asks for it
)

// arrival is a connection that is let in once its first packet has been read.
type arrival struct {
	net.Conn
	gate *gate
	head []byte // of the first packet, until its length is known
	in   bool   // the length was looked at
}

// Read refuses a first packet that announces itself as larger than any that asks to be let in.
func (a *arrival) Read(b []byte) (int, error) {
	n, err := a.Conn.Read(b)
	if a.in || n == 0 {
		return n, err
	}
	a.head = append(a.head, b[:min(n, 5-len(a.head))]...)
	length, whole := remaining(a.head)
	if length > maxHello {
		return 0, fmt.Errorf("a first packet of %d bytes", length)
	}
	a.in = whole || len(a.head) == 5
	return n, err
}

// remaining is the length that the first bytes of a packet announce (MQTT 3.1.1, section 2.2.3), as far as they are there.
func remaining(head []byte) (length int, whole bool) {
	for i, b := range head[min(1, len(head)):] {
		length |= int(b&127) << (7 * i)
		if b < 128 {
			return length, true
		}
	}
	return length, false
}

// letIn takes an arrival off the list of those that wait.
func (a *arrival) letIn() {
	g := a.gate
	g.mu.Lock()
	defer g.mu.Unlock()
	g.before = slices.DeleteFunc(g.before, func(other *arrival) bool { return other == a })
}

// Init has nothing to do: the port is taken.
func (g *gate) Init(*slog.Logger) error { return nil }

// ID names the gate.
func (g *gate) ID() string { return g.id }

// Address is where it listens.
func (g *gate) Address() string { return g.listener.Addr().String() }

// Protocol is the network that it listens on.
func (g *gate) Protocol() string { return g.listener.Addr().Network() }

// Serve takes connections until the gate is closed.
func (g *gate) Serve(establish listeners.EstablishFn) {
	said := false
	for {
		c, err := g.listener.Accept()
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil:
			if !said {
				g.log.Error("mqtt broker: connections cannot be taken; it goes on trying", "err", err)
			}
			said = true
			time.Sleep(100 * time.Millisecond) // no descriptor may be free for a while
			continue
		}
		said = false
		if a := g.arrive(c); a != nil {
			go g.attend(establish, a)
		}
	}
}

// arrive notes a connection; nil when the gate is closed.
func (g *gate) arrive(c net.Conn) *arrival {
	a := &arrival{Conn: c, gate: g}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		_ = c.Close()
		return nil
	}
	if len(g.before) >= maxBefore {
		_ = g.before[0].Close()
		g.before = g.before[1:]
	}
	g.before = append(g.before, a)
	_ = c.SetDeadline(time.Now().Add(maxGreeted)) // mochi sets its own once it has read the first packet
	g.inside.Add(1)
	return a
}

// attend serves a connection to its end. What is wrong with it ends it and nothing else.
func (g *gate) attend(establish listeners.EstablishFn, a *arrival) {
	defer g.inside.Done()
	defer a.letIn()
	defer func() {
		if why := recover(); why != nil {
			g.log.Debug("mqtt broker: a packet was too much", "stack", string(debug.Stack()))
			_ = a.Close()
			g.broken(a, why)
		}
	}()
	_ = establish(g.id, a) // how a client leaves is its own affair
}

// Close ends the listening and the connections.
func (g *gate) Close(closeClients listeners.CloseFn) {
	g.mu.Lock()
	before := slices.Clone(g.before)
	was := g.closed
	g.closed = true
	g.mu.Unlock()
	if was {
		return
	}
	_ = g.listener.Close()
	for _, a := range before {
		_ = a.Close()
	}
	closeClients(g.id)
}
