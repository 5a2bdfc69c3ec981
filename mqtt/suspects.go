package mqtt

import (
	"context"
	"errors"
	"io"
	"maps"
	"sync"
	"syscall"
	"time"
)

const (
	// careAfter is how many connections must have ended, one after the other, with the same message unacknowledged for the
	// next ones to carry one message at a time.
	careAfter = 2
	// condemnAfter is how many connections must then have ended with that message alone under way for it to be the reason.
	condemnAfter = 3
	// oneByOne is how many messages in a row may be condemned while none of their kind gets through: then it is not they.
	oneByOne = 3
	// leastLimit is less than an event can be said in: what ends the connection below it does so for another reason than its size.
	leastLimit = 1 << 9
	// limitHolds is how long a broker's limit that was found this way is believed.
	limitHolds = time.Hour
	// overhead is what MQTT adds to a topic and a payload: the fixed header, the topic's length, the packet's number, and in
	// MQTT 5 the lengths of the properties.
	overhead = 16
	// mostBytes is the largest packet there is (MQTT 3.1.1, 2.2.3), which no broker takes.
	mostBytes = 256<<20 - 1
)

// suspects finds out at which message a broker ends the connection: one above its limit, or one that it will not have.
// Without that the same message would be sent first over every connection, and nothing behind it ever.
type suspects struct {
	turn chan struct{} // taken by the message under way while the client is careful

	mu        sync.Mutex
	flying    map[string]int // bytes of what was sent over this connection and not acknowledged, by key
	loose     map[string]int // of what is never acknowledged, since the last acknowledgement
	strikes   map[string]int // connections in a row that ended with it unacknowledged
	alone     map[string]int // of those, the ones that carried nothing else
	condemned map[string]bool
	careful   bool
	inARow    int // condemned since an event got through
	lately    int // bytes of the largest packet that was acknowledged while the client is careful
	bounds    bounds
	trial     trial
	most      int // what the broker says that it takes; 0 is unknown
}

// bounds are what is known of a limit that the broker does not tell.
type bounds struct {
	fits  int // bytes of the largest packet that was acknowledged
	limit int // of the smallest at which the connection ended; 0 is unknown
	found time.Time
}

// trial is a message that is said in fewer and fewer bytes, since it ended the connection: either it gets through, then it was the broker's
// limit, which may have become smaller than what got through before; or it is the message.
type trial struct {
	key    string
	sizes  int    // how many sizes it was tried in
	before bounds // which hold again if it is the message
}

func newSuspects() *suspects {
	return &suspects{
		turn: make(chan struct{}, 1), flying: map[string]int{}, loose: map[string]int{}, strikes: map[string]int{}, alone: map[string]int{},
		condemned: map[string]bool{},
	}
}

// enter notes a message that is about to be sent. A careful client waits here until the one before is through; exact then
// asks for an acknowledgement also where none is needed.
func (s *suspects) enter(ctx context.Context, key string, size int, acked bool) (exact bool, err error) {
	s.mu.Lock()
	careful := s.careful
	s.mu.Unlock()
	if careful {
		select {
		case s.turn <- struct{}{}:
		case <-ctx.Done():
			return false, ctx.Err()
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if acked || careful {
		s.flying[key] = size
	} else {
		s.loose[key] = size
	}
	return careful, nil
}

// through notes an acknowledgement.
func (s *suspects) through(key string, event bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	size, ok := s.flying[key]
	if !ok {
		return // it needs none
	}
	delete(s.flying, key)
	delete(s.strikes, key)
	delete(s.alone, key)
	for k := range s.loose {
		delete(s.strikes, k)
	}
	clear(s.loose)
	s.bounds.fits, s.lately = max(s.bounds.fits, size), max(s.lately, size)
	if s.trial.key == key {
		s.trial = trial{} // it was the size
	}
	if event {
		s.inARow = 0
	}
	s.release()
	if len(s.strikes) == 0 {
		s.careful = false
	}
}

// release gives the turn back; mu is held.
func (s *suspects) release() {
	select {
	case <-s.turn:
	default:
	}
}

// ended notes the end of a connection, and whether the broker ended it. It says what was found out: the key of a message
// that is condemned, and its size.
func (s *suspects) ended(byBroker bool, now time.Time) (key string, size int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.release()
	maps.Copy(s.flying, s.loose)
	if byBroker && len(s.flying) > 0 {
		key, size = s.strike()
	}
	clear(s.flying)
	clear(s.loose)
	if key != "" {
		s.condemn(key, size, now)
	}
	return key, size
}

// strike counts for and against what was under way when the broker ended the connection; mu is held. The count of what was
// not is over: only connections in a row tell anything.
func (s *suspects) strike() (key string, size int) {
	strikes, alone := map[string]int{}, map[string]int{}
	careful := false
	for k, n := range s.flying {
		strikes[k] = s.strikes[k] + 1
		if s.careful && len(s.flying) == 1 {
			if alone[k] = s.alone[k] + 1; alone[k] >= condemnAfter {
				key, size = k, n
			}
		}
		careful = careful || strikes[k] >= careAfter
	}
	if careful && !s.careful {
		s.lately = 0
	}
	s.strikes, s.alone, s.careful = strikes, alone, careful
	return key, size
}

// condemn draws the conclusion; mu is held. A packet larger than any that got through is over the broker's limit, also where larger ones
// did before: brokers are started again with another limit. One that is not has something else about it.
func (s *suspects) condemn(key string, size int, now time.Time) {
	delete(s.alone, key)
	if size > max(s.lately, leastLimit) {
		if s.trial.key != key {
			s.trial = trial{key: key, before: s.bounds}
		}
		s.trial.sizes++
		if s.bounds.limit, s.bounds.found = size, now; size <= s.bounds.fits {
			s.bounds.fits = s.lately
		}
		return
	}
	s.settle(key, true)
	if s.inARow++; s.inARow <= oneByOne {
		s.condemned[key] = true
		return
	}
	clear(s.strikes)
	s.careful = false
}

// settle ends the trial of a message that will not get through; mu is held. Where it is the message, what was known before holds again.
func (s *suspects) settle(key string, isTheMessage bool) {
	if s.trial.key != key {
		return
	}
	if isTheMessage {
		s.bounds = s.trial.before
	}
	s.trial = trial{}
}

// isCondemned reports, once, whether a message must not be sent.
func (s *suspects) isCondemned(key string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	yes := s.condemned[key]
	delete(s.condemned, key)
	return yes
}

// acquit forgets a message that will not be sent.
func (s *suspects) acquit(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.strikes, key)
	delete(s.alone, key)
	s.settle(key, s.trial.sizes > 1) // in fewer bytes it did not get through either
	s.careful = s.careful && len(s.strikes) > 0
}

// pardon forgets all suspicion: it was no message that ended the connections.
func (s *suspects) pardon() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.strikes)
	clear(s.alone)
	s.careful = false
}

// isCareful reports whether one message at a time is sent.
func (s *suspects) isCareful() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.careful
}

// isTrial reports whether the next connection is there to find a message out, and need not wait long.
func (s *suspects) isTrial() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.careful && s.inARow <= oneByOne
}

// room is how many bytes the packet of a message may have. Above the broker's limit, wherever that is, a try costs a few connections; so it
// is what got through before and a little more, until that too has got through. The one on trial has a quarter less than it had.
func (s *suspects) room(key string, now time.Time) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	most := mostBytes
	if s.most > 0 {
		most = s.most
	}
	b := &s.bounds
	if b.limit == 0 || now.Sub(b.found) > limitHolds {
		b.limit = 0
		return most
	}
	if key != "" && key == s.trial.key {
		return min(most, b.limit/4*3)
	}
	return min(most, max(b.fits, min(b.limit/2, b.fits*5/4), leastLimit))
}

// ceiling is how many bytes a packet may have that is tried rather than given up: fewer than ended a connection.
func (s *suspects) ceiling(key string, now time.Time) int {
	room := s.room(key, now)
	s.mu.Lock()
	defer s.mu.Unlock()
	if key == s.trial.key || s.bounds.limit == 0 {
		return room
	}
	return max(room, s.bounds.limit-1)
}

// told takes what the broker said at the beginning of a connection about the packets that it takes; 0 for nothing.
func (s *suspects) told(most int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.most = most
}

// peerClosed reports whether a connection ended because the other side closed it: not for want of an answer, nor here.
func peerClosed(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) || hasReason(err, reasonTooLarge)
}
