package mqtt

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/segedge/segedge/api"
)

// answer is an encoded reply on its way.
type answer struct {
	number  uint64 // in the order of coming
	id      string // of the command
	topic   string
	payload []byte
	qos     byte

	correlation []byte
}

// size is what an answer holds in memory: an MQTT 5 client may have its topic and correlation data be 64 KiB each.
func (a *answer) size() int { return len(a.id) + len(a.topic) + len(a.payload) + len(a.correlation) }

// replies is the queue of answers; a reply outlives the link that its command came by. Commands are taken only while
// their answers have room, so that none is lost; the hard bound is for those that come by without a window.
type replies struct {
	mu    sync.Mutex
	items []answer
	bytes int
	lost  uint64
	count uint64
	wake  chan struct{}
	freed chan struct{} // signalled when answers have left
}

const (
	enoughReplies    = 512      // no commands are taken or done while so many answers wait
	enoughReplyBytes = 8 << 20  // or so many bytes of them: a snapshot is as long as hundreds of others
	maxReplies       = 4096     // the bound on answers
	maxReplyQueue    = 16 << 20 // and on their bytes; the oldest go first
	replyWindow      = 32       // answers sent and not acknowledged
	// replyExpiry is for how long a command's id is remembered: who comes back later has to ask anew.
	replyExpiry = 10 * time.Minute
)

func newReplies() *replies {
	return &replies{wake: make(chan struct{}, 1), freed: make(chan struct{}, 1)}
}

// put queues an answer and returns how many have been lost so far, if one was now; else 0.
func (q *replies) put(a answer) (lost uint64) {
	q.mu.Lock()
	q.count++
	a.number = q.count
	q.items = append(q.items, a)
	q.bytes += a.size()
	for len(q.items) > 1 && (len(q.items) > maxReplies || q.bytes > maxReplyQueue) {
		q.drop(1)
		q.lost++
		lost = q.lost
	}
	q.mu.Unlock()
	signal(q.wake)
	return lost
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// drop takes the first n off; mu is held.
func (q *replies) drop(n int) {
	for i := range n {
		q.bytes -= q.items[i].size()
		q.items[i] = answer{}
	}
	q.items = q.items[n:]
}

func (q *replies) len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.items)
}

// full reports whether a share of what is enough waits: 1 for all of it, 2 for half.
func (q *replies) full(share int) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.items) >= enoughReplies/share || q.bytes >= enoughReplyBytes/share
}

// room waits until there is room for the answers to more commands; false when ctx ends first.
func (q *replies) room(ctx context.Context) bool {
	for q.full(1) {
		select {
		case <-q.freed:
		case <-ctx.Done():
			return false
		}
	}
	if !q.full(2) {
		signal(q.freed) // for the next who waits
	}
	return ctx.Err() == nil
}

// first are the oldest answers and the number lost before them.
func (q *replies) first(n int) ([]answer, uint64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return slices.Clone(q.items[:min(n, len(q.items))]), q.lost
}

// sent removes the n oldest, but for those that were lost meanwhile.
func (q *replies) sent(n int, lost uint64) {
	q.mu.Lock()
	q.drop(max(0, n-int(q.lost-lost)))
	q.mu.Unlock()
	signal(q.freed)
}

// answer delivers replies over one link until ctx ends or the link breaks. What was not acknowledged is sent again over
// the next.
func (cs *commands) answer(ctx context.Context, l *Link) error {
	q := cs.replies
	for {
		window, lost := q.first(replyWindow)
		if cs.c.suspects.isCareful() {
			window = window[:min(1, len(window))]
		}
		if len(window) == 0 {
			select {
			case <-q.wake:
				continue
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		n, err := cs.sendWindow(ctx, l, window)
		q.sent(n, lost)
		if err != nil {
			return err
		}
	}
}

// sendWindow sends answers and says how many of them, from the first on, are through.
func (cs *commands) sendWindow(ctx context.Context, l *Link, window []answer) (int, error) {
	under := make([]sending, 0, len(window))
	for _, a := range window {
		m, ok := cs.reply(a)
		if !ok {
			break // the first: what is before it goes first
		}
		s, err := cs.c.begin(ctx, l, m)
		if err != nil {
			return 0, err
		}
		under = append(under, s)
	}
	for i, s := range under {
		err := s.await(ctx)
		if refused(err) { // where it goes was the sender's choice: that must hold nobody else up
			cs.c.log.Error("a reply that the broker does not take is left out", "id", window[i].id, "error", err)
			cs.c.suspects.through(s.key, false)
			err = nil
		}
		if err != nil {
			return i, err
		}
	}
	if len(under) == 0 {
		return 1, nil // the first is left out
	}
	return len(under), nil
}

// reply is an answer as the broker will take it; false for one that it will not.
func (cs *commands) reply(a answer) (outgoing, bool) {
	m := outgoing{key: "reply " + strconv.FormatUint(a.number, 10), topic: a.topic, qos: a.qos, payload: a.payload, correlation: a.correlation}
	m.expiry = replyExpiry
	if cs.c.suspects.isCondemned(m.key) {
		cs.c.log.Error("a reply that the broker does not take is left out", "topic", m.topic, "id", a.id)
		cs.c.suspects.acquit(m.key)
		return m, false
	}
	if cs.c.fits(m) {
		return m, true
	}
	const sentence = "the command was carried out, but its answer is too long for the broker: ask over HTTP"
	m.payload, _ = json.Marshal(api.Refuse(a.id, api.TooLarge, sentence)) // a refusal always encodes
	return m, cs.c.fits(m) && a.qos > 0
}
