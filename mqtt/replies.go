package mqtt

import (
	"context"
	"slices"
	"sync"
)

// answer is an encoded reply on its way.
type answer struct {
	topic   string
	payload []byte
	qos     byte
}

// replies is the queue of answers; a reply outlives the link that its command came by. Commands are taken only while
// their answers have room, so that none is lost; the hard bound is for those that come by without a window.
type replies struct {
	mu    sync.Mutex
	items []answer
	bytes int
	lost  uint64
	wake  chan struct{}
	freed chan struct{} // signalled when answers have left
}

const (
	enoughReplies = 512      // no commands are taken while so many answers wait
	maxReplies    = 4096     // the bound on answers
	maxReplyQueue = 16 << 20 // and on their bytes; the oldest go first
	replyWindow   = 32       // answers sent and not acknowledged
)

func newReplies() *replies {
	return &replies{wake: make(chan struct{}, 1), freed: make(chan struct{}, 1)}
}

// put queues an answer and returns how many have been lost so far, if one was now; else 0.
func (q *replies) put(a answer) (lost uint64) {
	q.mu.Lock()
	q.items = append(q.items, a)
	q.bytes += len(a.payload)
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
		q.bytes -= len(q.items[i].payload)
		q.items[i] = answer{}
	}
	q.items = q.items[n:]
}

func (q *replies) len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.items)
}

// room waits until there is room for the answers to more commands; false when ctx ends first.
func (q *replies) room(ctx context.Context) bool {
	for q.len() >= enoughReplies {
		select {
		case <-q.freed:
		case <-ctx.Done():
			return false
		}
	}
	if q.len() < enoughReplies/2 {
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

// send delivers answers over one link until ctx ends or the link breaks. What was not acknowledged is sent again over the
// next.
func (q *replies) send(ctx context.Context, l *Link) error {
	for {
		window, lost := q.first(replyWindow)
		if len(window) == 0 {
			select {
			case <-q.wake:
				continue
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		tokens := make([]Token, len(window))
		for i, a := range window {
			tokens[i] = l.Send(a.topic, a.qos, false, a.payload)
		}
		for i, t := range tokens {
			if err := l.Await(ctx, t); err != nil {
				q.sent(i, lost)
				return err
			}
		}
		q.sent(len(window), lost)
	}
}
