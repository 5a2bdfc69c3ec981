package mqtt

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"sync"
	"time"

	"github.com/eclipse/paho.golang/packets"
	"github.com/eclipse/paho.golang/paho"
	"github.com/eclipse/paho.golang/paho/session"
	"github.com/eclipse/paho.golang/paho/session/state"
)

// receiveWindow is how many messages the broker may send before they are acknowledged.
const receiveWindow = 256

// wire5 speaks MQTT 5.
type wire5 struct {
	d       dialing
	session *tracked
	client  *paho.Client
	most    int
	turn    chan struct{} // held while a message is handed over: the order of the calls is the order on the wire
	answers sync.WaitGroup
}

func newWire5(d dialing) *wire5 {
	return &wire5{d: d, session: &tracked{SessionManager: state.NewInMemory()}, turn: make(chan struct{}, 1)}
}

func (w *wire5) connect(ctx context.Context) error {
	d := w.d
	if d.url.Scheme == "ws" || d.url.Scheme == "wss" {
		return errors.New("MQTT 5 is spoken here over TCP, TLS and sockets, not over WebSockets: leave mqtt.version out")
	}
	conn, err := d.l.open(ctx, d.url, d.tls, d.c.ConnectTimeout)
	if err != nil {
		return err
	}
	gate := &gated{Conn: &impatient{conn, d.c.WriteTimeout}, open: make(chan struct{})}
	defer close(gate.open)
	w.client = paho.NewClient(paho.ClientConfig{
		ClientID: d.c.ClientID, Conn: packets.NewThreadSafeConn(gate),
		Session: w.session, PacketTimeout: d.c.ConnectTimeout,
		EnableManualAcknowledgment: true, SendAcksInterval: 5 * time.Millisecond,
		OnPublishReceived:  []func(paho.PublishReceived) (bool, error){w.received},
		OnServerDisconnect: func(p *paho.Disconnect) { d.l.end(reasonError{p.ReasonCode, reasonString(p)}) },
		OnClientError:      func(err error) { d.l.end(err) },
	})
	answer, err := w.client.Connect(ctx, w.request())
	if answer != nil && answer.ReasonCode >= 0x80 {
		return connectRefusal(answer)
	}
	if err != nil {
		return err
	}
	if p := answer.Properties; p != nil && p.MaximumPacketSize != nil {
		w.most = int(min(*p.MaximumPacketSize, math.MaxInt32))
	}
	return nil
}

// request is the CONNECT packet.
func (w *wire5) request() *paho.Connect {
	d := w.d
	window, forever, most := uint16(receiveWindow), uint32(math.MaxUint32), uint32(maxPacket)
	c := &paho.Connect{
		ClientID: d.c.ClientID, CleanStart: !d.keep, KeepAlive: uint16(min(d.c.KeepAlive/time.Second, math.MaxUint16)),
		Username: d.user, UsernameFlag: d.user != "", Password: []byte(d.password), PasswordFlag: d.password != "",
		Properties: &paho.ConnectProperties{ReceiveMaximum: &window, MaximumPacketSize: &most},
	}
	if d.keep {
		c.Properties.SessionExpiryInterval = &forever
	}
	if d.will != nil {
		c.WillMessage = &paho.WillMessage{Topic: d.will.Topic, Payload: []byte(d.will.Payload), QoS: 1, Retain: true}
	}
	return c
}

// received hands a message to the handler. paho acknowledges in the order of coming, whenever each is done.
func (w *wire5) received(in paho.PublishReceived) (bool, error) {
	p := in.Packet
	m := Message{Topic: p.Topic, Payload: p.Payload, Retained: p.Retain, Repeated: p.Duplicate(), Done: func() { _ = w.client.Ack(p) }}
	if p.Properties != nil {
		m.ResponseTopic, m.Correlation = p.Properties.ResponseTopic, p.Properties.CorrelationData
		if e := p.Properties.MessageExpiry; e != nil {
			m.Expiry = time.Duration(*e) * time.Second
		}
	}
	w.d.handler(m)
	return true, nil
}

func (w *wire5) send(ctx context.Context, m Packet) (pending, error) {
	select {
	case w.turn <- struct{}{}:
	case <-w.d.l.lost:
		return nil, w.d.l.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-w.turn }()
	out := &answer5{done: make(chan struct{})}
	response := make(chan packets.ControlPacket, 1)
	w.session.expect(response)
	p := &paho.Publish{
		Topic: m.Topic, QoS: m.QoS, Retain: m.Retained, Payload: m.Payload,
		Properties: &paho.PublishProperties{ResponseTopic: m.ResponseTopic, CorrelationData: m.Correlation},
	}
	if m.Expiry > 0 {
		p.Properties.MessageExpiry = new(uint32)
		*p.Properties.MessageExpiry = uint32(m.Expiry / time.Second)
	}
	_, err := w.client.PublishWithOptions(ctx, p, paho.PublishOptions{Method: paho.PublishMethod_AsyncSend})
	switch {
	case w.session.expect(nil) != nil && m.QoS > 0: // it never came to be under way
		return nil, err
	case m.QoS == 0 || err != nil && !errors.Is(err, paho.ErrNetworkErrorAfterStored):
		out.finish(err)
	default:
		w.answers.Go(func() {
			select {
			case p := <-response:
				out.finish(publishError(p, m.Topic))
			case <-w.d.l.lost:
				out.finish(errUnanswered)
			}
		})
	}
	return out, nil
}

func (w *wire5) subscribe(ctx context.Context, filters []string) (pending, error) {
	s := &paho.Subscribe{}
	for _, f := range filters {
		s.Subscriptions = append(s.Subscriptions, paho.SubscribeOptions{Topic: f, QoS: 1})
	}
	ctx, cancel := context.WithCancel(ctx) // paho waits for an answer over a connection that has ended
	defer cancel()
	w.answers.Go(func() {
		select {
		case <-w.d.l.lost:
			cancel()
		case <-ctx.Done():
		}
	})
	answer, err := w.client.Subscribe(ctx, s)
	if answer != nil {
		for i, code := range answer.Reasons {
			if code >= 0x80 && i < len(filters) {
				err = fmt.Errorf("the broker refuses %q: %w; check its access list", filters[i], reasonError{code: code})
			}
		}
	}
	out := &answer5{done: make(chan struct{})}
	out.finish(err)
	return out, nil
}

func (w *wire5) limit() int { return w.most }

func (w *wire5) close(quiesce time.Duration) {
	if w.client != nil && quiesce > 0 && w.d.l.Err() == nil {
		_ = w.client.Disconnect(&paho.Disconnect{})
	}
	w.d.l.cut()
	if w.client != nil {
		select {
		case <-w.client.Done():
		case <-time.After(time.Second): // it never came to be connected
		}
	}
	_ = w.session.Close()
	w.answers.Wait()
}

// answer5 is what the broker has yet to answer.
type answer5 struct {
	done chan struct{}
	err  error
}

func (a *answer5) finish(err error) { a.err = err; close(a.done) }

// Done is closed with the answer.
func (a *answer5) Done() <-chan struct{} { return a.done }

// Error is nil when the broker has taken the message.
func (a *answer5) Error() error { return a.err }

// tracked is a session that tells who asked when a message is answered, which paho does not for messages that it does not
// wait for.
type tracked struct {
	session.SessionManager
	mu   sync.Mutex
	next chan packets.ControlPacket
}

// expect sets the channel for the next message's answer, and returns the one that nobody took.
func (t *tracked) expect(c chan packets.ControlPacket) chan packets.ControlPacket {
	t.mu.Lock()
	defer t.mu.Unlock()
	was := t.next
	t.next = c
	return was
}

// AddToSession hands the expected channel in.
func (t *tracked) AddToSession(ctx context.Context, p session.Packet, response chan<- packets.ControlPacket) error {
	if p.Type() == packets.PUBLISH {
		if c := t.expect(nil); c != nil {
			err := t.SessionManager.AddToSession(ctx, p, c)
			if err != nil {
				t.expect(c) // it was not taken
			}
			return err
		}
	}
	return t.SessionManager.AddToSession(ctx, p, response)
}

// impatient is a connection that does not wait for ever to write: a broker that reads nothing is as good as gone.
type impatient struct {
	net.Conn
	within time.Duration
}

func (i *impatient) Write(b []byte) (int, error) {
	if err := i.SetWriteDeadline(time.Now().Add(i.within)); err != nil {
		return 0, err
	}
	return i.Conn.Write(b)
}
