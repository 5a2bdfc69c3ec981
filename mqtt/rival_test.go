package mqtt

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/segedge/segedge/supervise"
)

// foreigner is a client that is no agent, has an agent's id and comes back whenever its connection ends.
type foreigner struct {
	connections atomic.Int64
	there       atomic.Bool
	stop        func()
}

func newForeigner(t *testing.T, c Connection, pause time.Duration) *foreigner {
	t.Helper()
	f := &foreigner{}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		for ctx.Err() == nil {
			l, err := Dial(ctx, c, nil, true, func(Message) {})
			if err == nil {
				f.connections.Add(1)
				f.there.Store(true)
				select {
				case <-l.Lost():
				case <-ctx.Done():
				}
				f.there.Store(false)
				l.Close(0)
			}
			_ = supervise.Wait(ctx, pause)
		}
	})
	f.stop = sync.OnceFunc(func() { cancel(); wg.Wait() })
	t.Cleanup(f.stop)
	return f
}

// TestAClientIDThatAnotherTakes is reported and not fought over, whatever is under way, and used again when the other has gone.
func TestAClientIDThatAnotherTakes(t *testing.T) {
	for _, version := range []int{4, 5} {
		for _, pause := range []time.Duration{0, 500 * time.Millisecond} {
			t.Run(fmt.Sprintf("%d after %s", version, pause), func(t *testing.T) {
				t.Parallel()
				m := startMosquitto(t, "")
				a := &agent{}
				a.set(cup(1))
				o := testOptions(t, m.url(), a)
				o.Version, o.StandBack, o.MasksInterval = version, 3*time.Second, 5*time.Millisecond
				c, _ := start(t, o)
				until(t, "connected", func() bool { return c.Ready() == nil })
				other := newForeigner(t, Connection{Broker: m.url(), ClientID: "segedge-box", Version: version}, pause)
				for i := range 3 {
					c.Publish(happened(i)) // one more that may be under way
				}
				until(t, "it is reported", func() bool {
					err := c.Ready()
					return err != nil && strings.Contains(err.Error(), `the client id "segedge-box" is taken by another client`)
				})
				until(t, "the other is there", other.there.Load)
				// Twenty seconds at most, then the other would count as somebody who passed by: a fight is a connection every quarter of a second.
				if n := other.connections.Load(); n > 8 {
					t.Errorf("the other had to connect %d times", n)
				}
				other.stop()
				until(t, "the agent is back", func() bool { return c.Ready() == nil && c.Stats().Outbox.Pending == 0 })
				if s := c.Stats().Outbox; s.SetAside != 0 || s.Sent < 3 || c.suspects.room("", time.Now()) != mostBytes {
					t.Errorf("messages were blamed: %+v, room for %d", s, c.suspects.room("", time.Now()))
				}
			})
		}
	}
}

// TestTwoAgentsWithOneClientID and other names: one goes on, the other stands back and says so.
func TestTwoAgentsWithOneClientID(t *testing.T) {
	for _, version := range []int{4, 5} {
		t.Run(fmt.Sprint(version), func(t *testing.T) {
			t.Parallel()
			m := startMosquitto(t, "")
			var agents [2]*Client
			for i, name := range []string{"box", "crate"} {
				o := testOptions(t, m.url(), &agent{})
				o.Version, o.Agent, o.ClientID = version, name, "one"
				agents[i], _ = start(t, o)
			}
			until(t, "one of them stands back, the other goes on", func() bool {
				one, other := agents[0].Ready(), agents[1].Ready()
				if one == nil {
					one, other = other, one
				}
				return one != nil && strings.Contains(one.Error(), "is taken by another client") && other == nil
			})
			if n := agents[0].Stats().Sessions + agents[1].Stats().Sessions; n > 12 {
				t.Errorf("%d sessions", n)
			}
		})
	}
}

// TestWhatTellsOfARival: sessions in a row that the broker ended soon, or its word; not a broker that is away, nor one that passed by.
func TestWhatTellsOfARival(t *testing.T) {
	yes, no := func() bool { return true }, func() bool { return false }
	var r rivalry
	if look, _ := r.ended(syscall.ECONNRESET, time.Second, yes); look {
		t.Error("one end tells of a rival")
	}
	if look, sure := r.ended(syscall.ECONNRESET, 2*time.Second, yes); !look || sure || r.longest != 2*time.Second {
		t.Errorf("two ends: %t, %t, %s", look, sure, r.longest)
	}
	for range lookAgain - 1 {
		if look, _ := r.ended(syscall.ECONNRESET, time.Second, yes); look {
			t.Error("it is looked for again at once, while messages are tried")
		}
	}
	if look, _ := r.ended(syscall.ECONNRESET, time.Second, yes); !look {
		t.Error("it is not looked for again")
	}
	r.ended(syscall.ECONNRESET, time.Second, no)
	if r.ends != 0 {
		t.Error("a broker that is away tells of a rival")
	}
	r = rivalry{left: 3}
	if look, sure := r.ended(reasonError{code: reasonTakenOver}, time.Second, yes); !look || !sure || r.left != 3 {
		t.Errorf("the broker's word: %t, %t", look, sure)
	}
	if look, _ := r.ended(reasonError{code: reasonTakenOver}, shortLived+time.Second, yes); look || r.left != 0 {
		t.Error("who comes after long is a rival")
	}
}
