package mqtt

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/supervise"
)

// Two agents with one name have one client id, and the broker ends the connection of the one whenever the other connects.
// Boxes that were written from one image do that. The one that was started later waits; both would else throw each other
// out for ever.

const (
	lookFor   = 1500 * time.Millisecond // how long the other may take to come back and describe itself
	heartbeat = 20 * time.Second        // the longest that an agent's state is not sent
	silence   = 3 * heartbeat           // after which another agent counts as gone

	gainsayPause = time.Second // between two times that the agent says again that it is there
)

// LookSuffix follows an agent's client id where it looks for another agent: a number comes after it.
const LookSuffix = "-look-"

// errTwin is why a client waits.
type errTwin struct{ other api.Info }

func (e errTwin) Error() string {
	return fmt.Sprintf("another agent called %q, started at %s, is connected to the broker: this one waits until it is gone; "+
		"give one of them another agent.name", e.other.Agent, e.other.Started.Format(time.RFC3339))
}

// standBack looks, under another client id, whether another agent with this one's topics was started before it, and waits as
// long as that one is there.
func (c *Client) standBack(ctx context.Context) {
	own := c.o.Service.Info().Started
	o := c.o.Connection
	o.ClientID += fmt.Sprintf("%s%x", LookSuffix, own.UnixNano())
	news := make(chan Message, 64)
	l, err := Dial(ctx, o, nil, false, func(m Message) {
		m.Done()
		select {
		case news <- m:
		default:
		}
	})
	if err != nil {
		return
	}
	defer l.Close(250 * time.Millisecond)
	var watch sync.WaitGroup
	defer watch.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	watch.Go(func() {
		select {
		case <-l.Lost():
			cancel()
		case <-ctx.Done():
		}
	})
	if l.Subscribe(ctx, c.topics.Info(), c.topics.Status(), c.topics.Camera("+", "state")) != nil {
		return
	}
	other, ok := c.earlier(ctx, news, own)
	if !ok {
		return
	}
	err = errTwin{other}
	c.setConnected(false, err)
	c.log.Error(err.Error(), "client_id", c.o.ClientID)
	c.untilGone(ctx, news)
}

// earlier is the description of an agent that was started before this one. This one's own says nothing: the other may be
// on its way back.
func (c *Client) earlier(ctx context.Context, news <-chan Message, own time.Time) (other api.Info, ok bool) {
	ctx, cancel := context.WithTimeout(ctx, lookFor)
	defer cancel()
	for {
		m, ok := receive(ctx, news, lookFor)
		if !ok {
			return other, false
		}
		if m.Topic != c.topics.Info() || json.Unmarshal(m.Payload, &other) != nil || other.Started.Equal(own) {
			continue
		}
		return other, other.Started.Before(own) && !other.Started.IsZero()
	}
}

// untilGone waits until the other has said goodbye, or nothing for long.
func (c *Client) untilGone(ctx context.Context, news <-chan Message) {
	patience := silence
	for {
		m, ok := receive(ctx, news, patience)
		if !ok {
			return
		}
		patience = silence
		if m.Topic == c.topics.Status() && string(m.Payload) != StatusOnline {
			patience = lookFor // it may be on its way back
		}
	}
}

func receive[T any](ctx context.Context, from <-chan T, within time.Duration) (v T, ok bool) {
	patience := time.NewTimer(within)
	defer patience.Stop()
	select {
	case v = <-from:
		return v, true
	case <-patience.C:
	case <-ctx.Done():
	}
	return v, false
}

// hear is the link's handler: the agent's own status, which proves that the broker passes on what the agent says, and
// commands, and Home Assistant's birth message.
func (c *Client) hear(m Message) {
	if m.Topic == c.birth() {
		if !m.Retained && string(m.Payload) == "online" {
			signal(c.reborn)
		}
		m.Done()
		return
	}
	if m.Topic != c.topics.Status() {
		if !c.forGroup(m) {
			c.commands.receive(m)
		}
		return
	}
	switch {
	case m.Retained: // what was said before this session
	case string(m.Payload) == StatusOnline:
		signal(c.heard)
	default:
		signal(c.gainsaid)
	}
	m.Done()
}

// listenToItself says so when the broker acknowledges and passes nothing on, which is what many do without the right to
// write; and says again that the agent is there where somebody else, such as the will of a connection before this one that a broker
// is late to see the end of, has said that it is not. It ends with ctx.
func (c *Client) listenToItself(ctx context.Context, l *Link) error {
	if _, ok := receive(ctx, c.heard, c.o.HearTimeout); !ok && ctx.Err() == nil {
		err := fmt.Errorf("the broker acknowledges what the agent says but does not pass it on: "+
			"its access list must let %s write to %s/# and read %s and %s",
			orAnybody(c.o.Username), c.topics.Prefix, c.topics.Status(), c.topics.Command("+", "+"))
		c.log.Error(err.Error())
		c.setDeaf(err)
		if _, ok = receive(ctx, c.heard, 1<<62); ok {
			c.setDeaf(nil)
		}
	}
	for {
		select {
		case <-c.gainsaid:
		case <-ctx.Done():
			return ctx.Err()
		}
		c.log.Warn("somebody said on the agent's own topic that it is not there: it says again that it is", "topic", c.topics.Status())
		if err := c.publish(ctx, l, c.status(StatusOnline)); err != nil {
			return err
		}
		_ = supervise.Wait(ctx, gainsayPause) // when ctx ends, the loop does
	}
}

func (c *Client) setDeaf(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.deaf = err
}

func orAnybody(user string) string {
	if user == "" {
		return "a client without a user name"
	}
	return strings.TrimSpace("user " + user)
}
