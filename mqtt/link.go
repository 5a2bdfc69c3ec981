package mqtt

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"sync"
	"time"
)

// Will is the message that the broker sends when the link breaks.
type Will struct {
	Topic   string
	Payload string
}

// wire is one protocol's client on one connection.
type wire interface {
	// connect makes the connection; a broker's refusal is an error in words.
	connect(ctx context.Context) error
	// send hands a message over in the order of the calls. It may wait for the broker's window, as long as ctx lasts.
	send(ctx context.Context, m Packet) (pending, error)
	// subscribe asks for messages at QoS 1 and waits for the answer.
	subscribe(ctx context.Context, filters []string) (pending, error)
	// limit is the largest packet that the broker takes, as far as it said so; 0 is unknown.
	limit() int
	// close says goodbye, which may take so long, and joins what runs.
	close(quiesce time.Duration)
}

// pending is what the broker has yet to answer.
type pending interface {
	Done() <-chan struct{}
	Error() error
}

// Link is one connection to a broker, from its CONNACK to its end; it never comes back. A client that reconnects by itself
// completes what it was given without an error across a reconnect, which proves nothing; on a Link a completed token is an
// acknowledgement of this very connection. Safe for concurrent use.
type Link struct {
	wire wire
	once sync.Once
	lost chan struct{}
	err  error
	ack  time.Duration

	mu   sync.Mutex
	conn net.Conn
}

// ErrLinkLost is what everything on a link returns once it is broken.
var ErrLinkLost = errors.New("the connection to the broker is lost")

// Message is a message that came in. Done acknowledges it; until then the broker keeps it for the next link of this
// client.
type Message struct {
	Topic    string
	Payload  []byte
	Retained bool
	Repeated bool // the broker sends it once more, since it knows of no acknowledgement (MQTT 3.1.1, section 3.3.1.1)
	Done     func()
	group    bool // it came for a whole group of agents, on the topics of all
	// ResponseTopic and Correlation are where an answer is wanted and what it is to carry (MQTT 5, section 4.10); empty in
	// MQTT 3.1.1.
	ResponseTopic string
	Correlation   []byte
	Expiry        time.Duration // how long it is good for from now on (MQTT 5, section 3.3.2.3.3); 0 for ever
}

// size is what a message holds in memory.
func (m *Message) size() int {
	return len(m.Topic) + len(m.Payload) + len(m.ResponseTopic) + len(m.Correlation)
}

// Packet is a message to send.
type Packet struct {
	Topic    string
	QoS      byte
	Retained bool
	Payload  []byte
	// Only in MQTT 5: where an answer is wanted, and what it is to carry, or carries; and for how long the broker keeps it for who is away,
	// in whole seconds, 0 for ever.
	ResponseTopic string
	Correlation   []byte
	Expiry        time.Duration
}

// Dial connects once. The session on the broker is kept (clean session off) where keep is set, so that what is sent to
// it meanwhile waits there. The handler is called in order and must not block.
func Dial(ctx context.Context, c Connection, will *Will, keep bool, handler func(Message)) (*Link, error) {
	c.defaults()
	u, err := parseBroker(c.Broker)
	if err != nil {
		return nil, err
	}
	user, password, err := c.credentials()
	if err != nil {
		return nil, err
	}
	tlsConfig, err := c.TLS.config(u.Hostname())
	if err != nil {
		return nil, err
	}
	l := &Link{lost: make(chan struct{}), ack: c.AckTimeout}
	u.User = nil
	w := dialing{c: c, l: l, url: u, user: user, password: password, tls: tlsConfig, will: will, keep: keep, handler: handler}
	if c.Version == 5 {
		l.wire = newWire5(w)
	} else {
		l.wire = newWire3(ctx, w)
	}
	if err := l.wire.connect(ctx); err != nil {
		l.Close(0)
		return nil, fmt.Errorf("connect to the broker %s: %w", redact(c.Broker), err)
	}
	return l, nil
}

// dialing is what a protocol's client is made of.
type dialing struct {
	c              Connection
	l              *Link
	url            *url.URL
	user, password string
	tls            *tls.Config
	will           *Will
	keep           bool
	handler        func(Message)
}

// reach makes a connection to where the broker listens.
func reach(ctx context.Context, u *url.URL) (net.Conn, error) {
	network, address := "tcp", u.Host
	if u.Scheme == "unix" {
		network, address = "unix", u.Path
	}
	dialer := net.Dialer{KeepAlive: 15 * time.Second}
	conn, err := dialer.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return &steady{Conn: conn}, nil
}

// answers reports whether something listens where the broker should: one that was killed does not.
func (c *Connection) answers(ctx context.Context) bool {
	u, err := parseBroker(c.Broker)
	if err != nil {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	conn, err := reach(ctx, u)
	if err == nil {
		_ = conn.Close()
	}
	return err == nil
}

// open makes the network connection and keeps hold of it.
func (l *Link) open(ctx context.Context, u *url.URL, tlsConfig *tls.Config, timeout time.Duration) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	conn, err := reach(ctx, u)
	if err == nil && encrypted(u.Scheme) {
		secure := tls.Client(conn, tlsConfig)
		if err = secure.HandshakeContext(ctx); err != nil {
			_ = conn.Close()
		}
		conn = secure
	}
	if err != nil {
		return nil, err
	}
	return l.hold(conn), nil
}

// hold keeps hold of a connection, so that it can be broken at once.
func (l *Link) hold(conn net.Conn) net.Conn {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conn = conn
	return newFrames(conn)
}

// cut breaks the network connection. paho takes an end that was closed here for intended and tells nobody.
func (l *Link) cut() {
	l.end(nil)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.conn != nil {
		_ = l.conn.Close()
	}
}

func (l *Link) end(err error) {
	l.once.Do(func() {
		l.err = ErrLinkLost
		if err != nil {
			l.err = fmt.Errorf("%w: %w", ErrLinkLost, err)
		}
		close(l.lost)
	})
}

// Lost is closed when the link is broken; Err then says why.
func (l *Link) Lost() <-chan struct{} { return l.lost }

// Err is nil while the link stands.
func (l *Link) Err() error {
	select {
	case <-l.lost:
		return l.err
	default:
		return nil
	}
}

// ending is why the link ended, where it did and err only says that something on it failed: paho tells that first.
func (l *Link) ending(err error) error {
	grace := time.NewTimer(100 * time.Millisecond)
	defer grace.Stop()
	select {
	case <-l.lost:
		return l.err
	case <-grace.C:
		return err
	}
}

// Token is a message on its way.
type Token struct {
	p   pending
	err error
}

// ErrUnsendable is a message that MQTT does not allow, and that was therefore not sent.
var ErrUnsendable = errors.New("MQTT does not allow the message")

// Send hands a message to the link without waiting for its acknowledgement.
func (l *Link) Send(ctx context.Context, m Packet) Token {
	if err := validTopic(m.Topic); err != nil {
		return Token{err: fmt.Errorf("%w: %w", ErrUnsendable, err)}
	}
	p, err := l.wire.send(ctx, m)
	return Token{p, err}
}

// Await returns nil once the broker has acknowledged the message on this link (QoS 1), or it was written (QoS 0).
func (l *Link) Await(ctx context.Context, t Token) error {
	if t.err != nil {
		return t.err
	}
	timeout := time.NewTimer(l.ack)
	defer timeout.Stop()
	select {
	case <-t.p.Done():
		return t.or(nil)
	case <-l.lost:
		return t.or(l.err)
	case <-ctx.Done():
		return t.or(ctx.Err())
	case <-timeout.C:
		return fmt.Errorf("publish: the broker has not acknowledged for %s", l.ack)
	}
}

// or is the broker's answer, or err where there is none: one that came just before the end counts.
func (t Token) or(err error) error {
	select {
	case <-t.p.Done():
		if err = t.p.Error(); err != nil {
			return fmt.Errorf("publish: %w", err)
		}
		return nil
	default:
		return err
	}
}

// Publish sends a message and waits for its acknowledgement.
func (l *Link) Publish(ctx context.Context, topic string, qos byte, retained bool, payload []byte) error {
	return l.Await(ctx, l.Send(ctx, Packet{Topic: topic, QoS: qos, Retained: retained, Payload: payload}))
}

// Subscribe asks for messages at QoS 1 and waits until the broker has agreed.
func (l *Link) Subscribe(ctx context.Context, filters ...string) error {
	p, err := l.wire.subscribe(ctx, filters)
	if err := l.Await(ctx, Token{p, err}); err != nil {
		return fmt.Errorf("subscribe: %w", err)
	}
	return nil
}

// Limit is the largest packet that the broker takes, in bytes, as far as it said so; 0 is unknown.
func (l *Link) Limit() int { return l.wire.limit() }

// Close ends the link: after a DISCONNECT the broker does not send the will. With a quiesce of 0 the network
// connection is simply broken.
func (l *Link) Close(quiesce time.Duration) {
	if quiesce == 0 {
		l.cut()
	}
	l.wire.close(quiesce)
	l.cut()
}
