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

// Two clients with one client id end each other's connection for ever: the broker ends the one whenever the other connects. Two agents
// with one name are such, as boxes are that were written from one image: the one that was started later waits until the other is gone. Of
// any other client nothing is known, so the agent leaves it the id for long, and tries again more and more seldom.

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

// lookout hears what is said on this agent's topics, under another client id.
type lookout struct {
	link *Link
	news chan Message
	own  time.Time // when this agent was started
}

func (c *Client) lookOut(ctx context.Context) (*lookout, error) {
	w := &lookout{news: make(chan Message, 64), own: c.o.Service.Info().Started}
	o := c.o.Connection
	o.ClientID += fmt.Sprintf("%s%x", LookSuffix, w.own.UnixNano())
	l, err := Dial(ctx, o, nil, false, func(m Message) {
		m.Done()
		select {
		case w.news <- m:
		default:
		}
	})
	if err != nil {
		return nil, err
	}
	w.link = l
	if err := l.Subscribe(ctx, c.topics.Info(), c.topics.Status(), c.topics.Camera("+", "state")); err != nil {
		w.close()
		return nil, err
	}
	return w, nil
}

func (w *lookout) close() { w.link.Close(250 * time.Millisecond) }

// standBack looks who else has this one's client id: another agent with its topics, of which the one that was started earlier goes on and
// the other waits as long as that one is there; or another client, to which it leaves the id for a while. sure is where the broker said so;
// else it is found out.
func (c *Client) standBack(ctx context.Context, sure bool) {
	w, err := c.lookOut(ctx)
	if err != nil {
		if sure || c.isTaken(ctx, nil) {
			_ = supervise.Wait(ctx, c.leaveID()) // when ctx ends, so does the loop
		}
		return
	}
	defer w.close()
	var watch sync.WaitGroup
	defer watch.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	watch.Go(func() {
		select {
		case <-w.link.Lost():
			cancel()
		case <-ctx.Done():
		}
	})
	for patience := lookFor; ctx.Err() == nil; {
		other, ok := c.twin(ctx, w, patience)
		switch {
		case ok && other.Started.Before(w.own):
			err := errTwin{other}
			c.setConnected(false, err)
			c.log.Error(err.Error(), "client_id", c.o.ClientID)
			c.untilGone(ctx, w.news)
			return
		case ok: // it stands back itself
			return
		case !sure && !c.isTaken(ctx, w.link):
			return
		}
		sure, patience = false, c.leaveID()
	}
}

// twin is the description of another agent with this one's topics that is there. This one's own says nothing: the other may be on its way
// back. Nor does one that an earlier run left behind.
func (c *Client) twin(ctx context.Context, w *lookout, within time.Duration) (other api.Info, ok bool) {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	found, there := false, false
	for {
		m, ok := receive(ctx, w.news, within)
		if !ok {
			return other, false
		}
		switch m.Topic {
		case c.topics.Status():
			there = string(m.Payload) == StatusOnline
		case c.topics.Info():
			var i api.Info
			if json.Unmarshal(m.Payload, &i) != nil || i.Started.IsZero() {
				continue
			}
			other, found = i, !i.Started.Equal(w.own)
			there = there || !m.Retained
		}
		if found && there {
			return other, true
		}
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
