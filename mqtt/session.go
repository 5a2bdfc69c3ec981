package mqtt

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/segedge/segedge/supervise"
)

// The payloads of the topic status.
const (
	StatusOnline  = "online"
	StatusStopped = "stopped" // a clean exit
	StatusOffline = "offline" // the last will
)

const (
	firstPause = 250 * time.Millisecond
	lastPause  = 1600 * time.Millisecond // a broker that is back is found within two seconds
	farewell   = time.Second             // for the last retained messages
	// stable is how long a session must have lasted for the pause before the next to begin anew: two agents with one
	// client id throw each other out at once.
	stable = 3 * time.Second
	// sayAgain is how often it is said that the broker is away, if the reason stays the same.
	sayAgain = 30 * time.Second
)

// backoff is the pause after n sessions or attempts in a row that failed: doubling, with a quarter of chance.
func backoff(n int, chance float64) time.Duration {
	d := min(firstPause<<min(n, 10), lastPause)
	return d - time.Duration(float64(d)/4*chance)
}

// connectForever holds one session after another until ctx ends. drained is closed when no further event can come.
func (c *Client) connectForever(ctx context.Context, drained <-chan struct{}) {
	var said away
	for failures := 0; ctx.Err() == nil; failures++ {
		began := time.Now()
		err := c.session(ctx, drained)
		if ctx.Err() != nil {
			c.setConnected(false, errors.New("stopped"))
			return
		}
		c.setConnected(false, err)
		look, sure := c.rival.ended(err, time.Since(began), func() bool { return c.o.Connection.answers(ctx) })
		if time.Since(began) > stable || c.suspects.isTrial() {
			failures, said = 0, away{}
		}
		pause := backoff(failures, rand.Float64()) // #nosec G404 -- it only spreads the attempts
		said.tell(c.log, err, time.Now(), pause)
		_ = supervise.Wait(ctx, pause) // when ctx ends, the loop does
		if look {
			c.standBack(ctx, sure)
		}
	}
}

// away is what was last said of a broker that is not there.
type away struct {
	why string
	at  time.Time
}

func (a *away) tell(log *slog.Logger, err error, now time.Time, pause time.Duration) {
	if why := err.Error(); why != a.why || now.Sub(a.at) >= sayAgain {
		a.why, a.at = why, now
		log.Warn("the broker is away; events are kept and video goes on", "error", err, "again_in", pause.Round(time.Millisecond))
	}
}

func (c *Client) setConnected(yes bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.connected, c.lastErr, c.deaf = yes, err, nil
	if yes {
		c.sessions++
	}
}

// session is one connection: connect, subscribe, describe, say online, then deliver until it breaks or ctx ends.
func (c *Client) session(ctx context.Context, drained <-chan struct{}) error {
	l, err := Dial(ctx, c.o.Connection, &Will{c.topics.Status(), StatusOffline}, true, c.hear)
	if err != nil {
		return err
	}
	defer l.Close(250 * time.Millisecond)
	c.suspects.told(l.Limit())
	// The session outlives ctx by the time that a clean exit takes.
	run, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	keeper := newKeeper(c, l)
	for _, c := range []chan struct{}{c.heard, c.gainsaid} {
		select {
		case <-c: // of an earlier session
		default:
		}
	}
	if err := c.announce(ctx, l, keeper); err != nil {
		err = l.ending(err)
		c.verdict(err)
		return err
	}
	c.setConnected(true, nil)
	c.log.Info("connected to the broker", "broker", redact(c.o.Broker), "prefix", c.topics.Prefix)

	keep, stopKeeping := context.WithCancel(run)
	defer stopKeeping()
	kept, listened := make(chan struct{}), make(chan struct{})
	var group sync.WaitGroup
	failed := make(chan error, 5)
	for _, part := range []func() error{
		func() error { defer close(kept); return keeper.run(keep) },
		func() error { return c.deliver(run, l) },
		func() error { return c.commands.answer(run, l) },
		func() error { defer close(listened); return c.listenToItself(keep, l) },
		func() error { return c.sendImages(keep, keeper) },
	} {
		group.Go(func() { failed <- part() })
	}
	select {
	case <-l.Lost():
		err = l.Err()
	case err = <-failed:
	case <-ctx.Done():
		stopKeeping() // what it is sending may wait for a broker that says nothing any more
		<-kept
		<-listened // its "online" must not come after "stopped"
		err = c.leave(l, keeper, drained)
	}
	cancel()
	if err != nil {
		err = l.ending(err)
		l.cut()
	}
	group.Wait()
	c.verdict(err)
	return err
}

// announce subscribes and sends everything that is retained, online last.
func (c *Client) announce(ctx context.Context, l *Link, k *keeper) error {
	if err := l.Subscribe(ctx, c.topics.Command("+", "+")); err != nil {
		return err
	}
	if c.o.Group {
		if err := l.Subscribe(ctx, c.topics.group().Command("+", "+")); err != nil {
			return err
		}
	}
	if err := l.Subscribe(ctx, c.topics.Status()); err != nil {
		if l.Err() != nil || ctx.Err() != nil {
			return err
		}
		c.log.Warn("the agent cannot read its own status, so it would not notice that it may not write", "error", err)
		signal(c.heard)
	}
	if birth := c.birth(); birth != "" {
		if err := l.Subscribe(ctx, birth); err != nil {
			if l.Err() != nil || ctx.Err() != nil {
				return err
			}
			c.log.Warn("the agent cannot hear that Home Assistant starts; what it retains is found all the same", "topic", birth, "error", err)
		}
	}
	if err := k.all(ctx); err != nil {
		return err
	}
	c.announced.topic(c.topics.Status())
	return c.publish(ctx, l, c.status(StatusOnline))
}

// birth is the topic on which Home Assistant says that it has started; empty without discovery.
func (c *Client) birth() string {
	if c.o.Discovery == "" {
		return ""
	}
	return c.o.Discovery + "/status"
}

func (c *Client) status(word string) outgoing {
	return outgoing{key: c.topics.Status(), topic: c.topics.Status(), qos: 1, retained: true, payload: []byte(word)}
}

// leave delivers what it can, brings the retained state up to date and says stopped.
func (c *Client) leave(l *Link, k *keeper, drained <-chan struct{}) error {
	ctx, cancel := context.WithTimeout(context.Background(), c.o.StopTimeout)
	defer cancel()
	select {
	case <-drained:
	case <-ctx.Done():
	}
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	for c.outbox.Stats().Pending > 0 || c.commands.waiting() > 0 {
		select {
		case <-look.C:
			continue
		case <-l.Lost():
			return l.Err()
		case <-ctx.Done():
			c.log.Warn("events or replies are left for the next start", "events", c.outbox.Stats().Pending)
		}
		break
	}
	last, done := context.WithTimeout(context.Background(), farewell)
	defer done()
	if err := k.all(last); err != nil {
		return err
	}
	return c.publish(last, l, c.status(StatusStopped))
}
