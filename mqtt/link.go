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

	paho "github.com/eclipse/paho.mqtt.golang"
	"github.com/eclipse/paho.mqtt.golang/packets"
)

// Will is the message that the broker sends when the link breaks.
type Will struct {
	Topic   string
	Payload string
}

// Link is one connection to a broker, from its CONNACK to its end; it never comes back. paho's own reconnecting
// client completes tokens without an error across a reconnect, which proves nothing; on a Link a completed token is an
// acknowledgement of this very connection. Safe for concurrent use.
type Link struct {
	client paho.Client
	once   sync.Once
	lost   chan struct{}
	err    error
	ack    time.Duration

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
	Done     func()
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
	o := paho.NewClientOptions().AddBroker(u.String()).SetClientID(c.ClientID).SetProtocolVersion(4).
		SetUsername(user).SetPassword(password).SetTLSConfig(tlsConfig).
		SetCleanSession(!keep).SetAutoReconnect(false).SetConnectRetry(false).SetOrderMatters(true).SetAutoAckDisabled(true).
		SetKeepAlive(c.KeepAlive).SetPingTimeout(5 * time.Second).SetConnectTimeout(c.ConnectTimeout).SetWriteTimeout(c.WriteTimeout).
		SetConnectionLostHandler(func(_ paho.Client, err error) { l.end(err) }).
		SetDefaultPublishHandler(func(_ paho.Client, m paho.Message) {
			handler(Message{m.Topic(), m.Payload(), m.Retained(), m.Ack})
		})
	if will != nil {
		o.SetWill(will.Topic, will.Payload, 1, true)
	}
	if u.Scheme != "ws" && u.Scheme != "wss" {
		o.SetCustomOpenConnectionFn(func(*url.URL, paho.ClientOptions) (net.Conn, error) {
			return l.open(ctx, u, tlsConfig, c.ConnectTimeout)
		})
	}
	l.client = paho.NewClient(o)
	if err := l.connect(ctx); err != nil {
		l.Close(0)
		return nil, fmt.Errorf("connect to the broker %s: %w", redact(c.Broker), refusalOf(err))
	}
	return l, nil
}

// refusals are what a broker may answer to a connection (MQTT 3.1.1, section 3.2.2.3), in words.
var refusals = []struct {
	err  error
	says string
}{
	{packets.ErrorRefusedBadProtocolVersion, "the broker refuses: it does not speak MQTT 3.1.1"},
	{packets.ErrorRefusedIDRejected, "the broker refuses the client id: set mqtt.client_id"},
	{packets.ErrorRefusedServerUnavailable, "the broker refuses for now: it says that it is not available"},
	{packets.ErrorRefusedBadUsernameOrPassword, "the broker refuses the user name or the password"},
	{packets.ErrorRefusedNotAuthorised, "the broker refuses: it says that this client is not authorised; check user name, password and access list"},
}

// refusalOf is a broker's refusal in words, or the error as it is.
func refusalOf(err error) error {
	for _, r := range refusals {
		if errors.Is(err, r.err) {
			return fmt.Errorf("%s (%w)", r.says, err)
		}
	}
	return err
}

// reach makes a connection to where the broker listens.
func reach(ctx context.Context, u *url.URL) (net.Conn, error) {
	network, address := "tcp", u.Host
	if u.Scheme == "unix" {
		network, address = "unix", u.Path
	}
	dialer := net.Dialer{KeepAlive: 15 * time.Second}
	return dialer.DialContext(ctx, network, address)
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

// open makes the network connection and keeps hold of it, so that it can be broken at once.
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
	l.mu.Lock()
	l.conn = conn
	l.mu.Unlock()
	return conn, nil
}

func (l *Link) connect(ctx context.Context) error {
	token := l.client.Connect()
	select {
	case <-token.Done():
	case <-ctx.Done():
		l.cut()
		<-token.Done() // bounded by the connect timeout
		return ctx.Err()
	}
	return token.Error()
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
	t   paho.Token
	err error
}

// ErrUnsendable is a message that MQTT does not allow, and that was therefore not sent.
var ErrUnsendable = errors.New("MQTT does not allow the message")

// Send hands a message to the link without waiting for its acknowledgement.
func (l *Link) Send(topic string, qos byte, retained bool, payload []byte) Token {
	if err := validTopic(topic); err != nil {
		return Token{err: fmt.Errorf("%w: %w", ErrUnsendable, err)}
	}
	return Token{t: l.client.Publish(topic, qos, retained, payload)}
}

// Await returns nil once the broker has acknowledged the message on this link (QoS 1), or it was written (QoS 0).
func (l *Link) Await(ctx context.Context, t Token) error {
	if t.err != nil {
		return t.err
	}
	timeout := time.NewTimer(l.ack)
	defer timeout.Stop()
	select {
	case <-t.t.Done():
		if err := t.t.Error(); err != nil {
			return fmt.Errorf("publish: %w", err)
		}
		return nil
	case <-l.lost:
		return l.err
	case <-ctx.Done():
		return ctx.Err()
	case <-timeout.C:
		return fmt.Errorf("publish: the broker has not acknowledged for %s", l.ack)
	}
}

// Publish sends a message and waits for its acknowledgement.
func (l *Link) Publish(ctx context.Context, topic string, qos byte, retained bool, payload []byte) error {
	return l.Await(ctx, l.Send(topic, qos, retained, payload))
}

// Subscribe asks for messages at QoS 1 and waits until the broker has agreed.
func (l *Link) Subscribe(ctx context.Context, filters ...string) error {
	want := make(map[string]byte, len(filters))
	for _, f := range filters {
		want[f] = 1
	}
	token := l.client.SubscribeMultiple(want, nil)
	if err := l.Await(ctx, Token{t: token}); err != nil {
		return fmt.Errorf("subscribe: %w", err)
	}
	if sub, ok := token.(*paho.SubscribeToken); ok {
		for f, qos := range sub.Result() {
			if qos == 0x80 { // MQTT 3.1.1, section 3.9.3
				return fmt.Errorf("subscribe: the broker refuses %q: check its access list", f)
			}
		}
	}
	return nil
}

// Close ends the link: after a DISCONNECT the broker does not send the will. With a quiesce of 0 the network
// connection is simply broken.
func (l *Link) Close(quiesce time.Duration) {
	if quiesce == 0 {
		l.cut()
	}
	l.client.Disconnect(uint(max(quiesce, 250*time.Millisecond) / time.Millisecond))
	l.cut()
}
