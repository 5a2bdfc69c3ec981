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
	lost  uint64
	wake  chan struct{}
}

// maxReplies bounds the queue; the oldest go first, and a client that repeats its command is answered again.
const maxReplies = 512

func newReplies() *replies { return &replies{wake: make(chan struct{}, 1)} }

func (q *replies) put(a answer) {
	q.mu.Lock()
	if len(q.items) >= maxReplies {
		q.items = q.items[1:]
		q.lost++
	}
	q.items = append(q.items, a)
	q.mu.Unlock()
	select {
	case q.wake <- struct{}{}:
	default:
	}
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
		q.items = q.items[1:]
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
