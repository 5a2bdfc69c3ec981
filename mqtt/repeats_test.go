package mqtt

import (
	"context"
	"encoding/json"
	"log/slog"
	"sync"
	"testing"

	"github.com/segedge/segedge/api"
)

// repeats are deliveries of events that had been heard before, by who brought them about.
type repeats struct {
	// agents are those of events that the agent sent more than once, up to as often as it did so; brokers are the others: a message that was
	// sent once, and that the broker, after its restart, knew of no acknowledgement for.
	agents, brokers int
	marked          int // of all, those that the broker itself marked as sent once more
}

// resent is a log that counts how often each event was sent again.
type resent struct {
	slog.Handler
	mu   sync.Mutex
	seqs map[uint64]int
}

// Enabled lets pass what is for who wants to know.
func (r *resent) Enabled(context.Context, slog.Level) bool { return true }

// Handle counts.
func (r *resent) Handle(ctx context.Context, record slog.Record) error {
	if record.Message == sentAgain {
		record.Attrs(func(a slog.Attr) bool {
			if a.Key == "seq" {
				r.mu.Lock()
				r.seqs[a.Value.Uint64()]++
				r.mu.Unlock()
			}
			return true
		})
		return nil
	}
	return r.Handler.Handle(ctx, record)
}

// repeated counts them of all that was heard.
func repeated(t *testing.T, ears *listener, log *resent) (out repeats) {
	t.Helper()
	log.mu.Lock()
	defer log.mu.Unlock()
	came := map[uint64]int{}
	for _, m := range ears.all("/events") {
		var e api.Event
		if err := json.Unmarshal(m.Payload, &e); err != nil {
			t.Fatal(err)
		}
		if came[e.Seq]++; came[e.Seq] > 1 && m.Repeated {
			out.marked++
		}
	}
	for seq, n := range came {
		agents := min(n-1, log.seqs[seq])
		out.agents += agents
		out.brokers += n - 1 - agents
	}
	return out
}

// TestRepeatsAreCountedByWhoMadeThem: what the agent sent twice is the agent's, whatever else came.
func TestRepeatsAreCountedByWhoMadeThem(t *testing.T) {
	ears := &listener{}
	for _, m := range []struct {
		seq      int
		repeated bool
	}{{1, false}, {1, true}, {2, false}, {2, false}, {3, false}, {3, true}, {3, false}, {4, false}} {
		ears.messages = append(ears.messages, Message{
			Topic: "segedge/box/cam/events", Payload: text(`{"seq":%d}`, m.seq), Repeated: m.repeated,
		})
	}
	log := &resent{Handler: slog.DiscardHandler, seqs: map[uint64]int{}}
	for _, seq := range []uint64{2, 3, 4} {
		slog.New(log).Debug(sentAgain, "seq", seq)
	}
	if got := repeated(t, ears, log); got != (repeats{agents: 2, brokers: 2, marked: 2}) {
		t.Errorf("%+v", got)
	}
}
