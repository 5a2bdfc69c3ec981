package mqtt

import (
	"context"
	"errors"
	"time"
)

// outgoing is a message on its way. Key names it among those under way: what is sent again has the same.
type outgoing struct {
	key      string
	topic    string
	qos      byte
	retained bool
	event    bool
	payload  []byte

	correlation []byte        // of the command that is answered (MQTT 5)
	expiry      time.Duration // after which the broker need not deliver it any more (MQTT 5)
}

func (m *outgoing) size() int {
	return len(m.topic) + len(m.payload) + len(m.correlation) + overhead
}

// sending is a message that was handed to a link.
type sending struct {
	c     *Client
	l     *Link
	key   string
	event bool
	token Token
}

// begin hands a message to a link without waiting for its acknowledgement.
func (c *Client) begin(ctx context.Context, l *Link, m outgoing) (sending, error) {
	exact, err := c.suspects.enter(ctx, m.key, m.size(), m.qos > 0)
	if err != nil {
		return sending{}, err
	}
	if exact {
		m.qos = 1
	}
	p := Packet{Topic: m.topic, QoS: m.qos, Retained: m.retained, Payload: m.payload, Correlation: m.correlation, Expiry: m.expiry}
	return sending{c, l, m.key, m.event, l.Send(ctx, p)}, nil
}

// await waits for the acknowledgement.
func (s sending) await(ctx context.Context) error {
	err := s.l.Await(ctx, s.token)
	if errors.Is(err, ErrUnsendable) {
		s.c.log.Error("a message is left out", "message", s.key, "error", err)
		err = nil
	}
	if err == nil {
		s.c.suspects.through(s.key, s.event)
	}
	return err
}

// publish sends a message and waits for its acknowledgement.
func (c *Client) publish(ctx context.Context, l *Link, m outgoing) error {
	s, err := c.begin(ctx, l, m)
	if err != nil {
		return err
	}
	return s.await(ctx)
}

// fits reports whether the broker would take a packet of that size, as far as is known.
func (c *Client) fits(m outgoing) bool { return len(m.payload) <= c.room(m) }

// room is how many bytes the message's payload may have.
func (c *Client) room(m outgoing) int {
	return c.suspects.room(m.key, time.Now()) - len(m.topic) - overhead
}

// ceiling is how many bytes the payload of a message may have that is tried rather than given up.
func (c *Client) ceiling(m outgoing) int {
	return c.suspects.ceiling(m.key, time.Now()) - len(m.topic) - overhead
}

// verdict notes the end of a connection and tells what was learnt from it.
func (c *Client) verdict(err error) {
	key, size := c.suspects.ended(peerClosed(err), time.Now())
	if key == "" {
		return
	}
	if room := c.suspects.room("", time.Now()); room < mostBytes {
		c.log.Error("the broker ends the connection at a packet of this size: from now on larger ones than allowed are reduced, or left out",
			"message", key, "bytes", size, "allowed", room)
		return
	}
	c.log.Error("the broker ends the connection at this message", "message", key, "bytes", size)
}
