package mqtt

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
	"github.com/eclipse/paho.mqtt.golang/packets"
)

// wire3 speaks MQTT 3.1.1.
type wire3 struct {
	client paho.Client
	l      *Link
}

func newWire3(ctx context.Context, d dialing) *wire3 {
	l, c := d.l, d.c
	o := paho.NewClientOptions().AddBroker(d.url.String()).SetClientID(c.ClientID).SetProtocolVersion(4).
		SetUsername(d.user).SetPassword(d.password).SetTLSConfig(d.tls).
		SetCleanSession(!d.keep).SetAutoReconnect(false).SetConnectRetry(false).SetOrderMatters(true).SetAutoAckDisabled(true).
		SetKeepAlive(c.KeepAlive).SetPingTimeout(5 * time.Second).SetConnectTimeout(c.ConnectTimeout).SetWriteTimeout(c.WriteTimeout).
		SetConnectionLostHandler(func(_ paho.Client, err error) { l.end(err) }).
		SetDefaultPublishHandler(func(_ paho.Client, m paho.Message) {
			d.handler(Message{Topic: m.Topic(), Payload: m.Payload(), Retained: m.Retained(), Repeated: m.Duplicate(), Done: m.Ack})
		})
	if d.will != nil {
		o.SetWill(d.will.Topic, d.will.Payload, 1, true)
	}
	o.SetCustomOpenConnectionFn(func(*url.URL, paho.ClientOptions) (net.Conn, error) {
		if d.url.Scheme == "ws" || d.url.Scheme == "wss" {
			return d.openWebSocket()
		}
		return l.open(ctx, d.url, d.tls, c.ConnectTimeout)
	})
	return &wire3{paho.NewClient(o), l}
}

func (d *dialing) openWebSocket() (net.Conn, error) {
	security := d.tls
	if !encrypted(d.url.Scheme) {
		security = nil
	}
	conn, err := paho.NewWebsocket(d.url.String(), security, d.c.ConnectTimeout, nil, nil)
	if err != nil {
		return nil, err
	}
	return d.l.hold(conn), nil
}

func (w *wire3) connect(ctx context.Context) error {
	token := w.client.Connect()
	select {
	case <-token.Done():
	case <-ctx.Done():
		w.l.cut()
		<-token.Done() // bounded by the connect timeout
		return ctx.Err()
	}
	return refusalOf(token.Error())
}

func (w *wire3) send(_ context.Context, m Packet) (pending, error) {
	return w.client.Publish(m.Topic, m.QoS, m.Retained, m.Payload), nil
}

func (w *wire3) subscribe(_ context.Context, filters []string) (pending, error) {
	want := make(map[string]byte, len(filters))
	for _, f := range filters {
		want[f] = 1
	}
	return subscribing{w.client.SubscribeMultiple(want, nil)}, nil
}

// subscribing is a subscription on its way.
type subscribing struct{ paho.Token }

// Error tells also of a filter that the broker refused, which paho does not call an error.
func (s subscribing) Error() error {
	if sub, ok := s.Token.(*paho.SubscribeToken); ok && s.Token.Error() == nil {
		for f, qos := range sub.Result() {
			if qos == 0x80 { // MQTT 3.1.1, section 3.9.3
				return fmt.Errorf("the broker refuses %q: check its access list", f)
			}
		}
	}
	return s.Token.Error()
}

func (w *wire3) limit() int { return 0 }

func (w *wire3) close(quiesce time.Duration) {
	w.client.Disconnect(uint(max(quiesce, 250*time.Millisecond) / time.Millisecond))
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
	{packets.ErrorRefusedNotAuthorised, "the broker refuses: this client is not authorised; check user name, password and access list"},
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
