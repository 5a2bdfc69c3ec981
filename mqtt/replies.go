package mqtt

import (
	"context"
	"sync"
)

// answer is an encoded reply on its way.
type answer struct {
	topic   string
	payload []byte
	qos     byte
}

// replies is the bounded queue of answers; a reply outlives the link that its command came by.
type replies struct {
	mu    sync.Mutex
	items []answer
	bytes int
	lost  uint64
	wake  chan struct{}
}

// maxReplies and maxReplyQueue (in bytes) bound the queue; the oldest go first, and a client that repeats its command
// is answered again.
const (
	maxReplies    = 512
	maxReplyQueue = 16 << 20
)

func newReplies() *replies { return &replies{wake: make(chan struct{}, 1)} }

func (q *replies) put(a answer) {
	q.mu.Lock()
	q.items = append(q.items, a)
	q.bytes += len(a.payload)
	for len(q.items) > 1 && (len(q.items) > maxReplies || q.bytes > maxReplyQueue) {
		q.drop()
		q.lost++
	}
	q.mu.Unlock()
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// drop takes the first off; mu is held.
func (q *replies) drop() {
	q.bytes -= len(q.items[0].payload)
	q.items[0] = answer{}
	q.items = q.items[1:]
}

func (q *replies) len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.items)
}

func (q *replies) first() (answer, uint64, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.items) == 0 {
		return answer{}, 0, false
	}
	return q.items[0], q.lost, true
}

// sent removes the first, unless it was lost meanwhile.
func (q *replies) sent(lost uint64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.lost == lost {
		q.drop()
	}
}

// send delivers answers over one link until ctx ends or the link breaks.
func (q *replies) send(ctx context.Context, l *Link) error {
	for {
		a, lost, ok := q.first()
		if !ok {
			select {
			case <-q.wake:
				continue
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		if err := l.Publish(ctx, a.topic, a.qos, false, a.payload); err != nil {
			return err
		}
		q.sent(lost)
	}
}
