package mqtt

import (
	"context"
	"sync"
	"time"

	"github.com/segedge/segedge/api"
)

// Rejections are told at once up to a burst, and then at this pace: somebody who sends nonsense must not fill the
// journal, nor everyone's screens, with it.
const (
	rejectionBurst = 16
	rejectionPause = time.Second
)

// rejection is a refused command.
type rejection struct {
	camera string // empty where it was none of ours
	cmd    api.Command
	err    api.Error
}

// rejections is a token bucket for the news of refused commands, which counts what does not pass. No clock.
type rejections struct {
	mu     sync.Mutex
	spent  float64 // of the burst
	at     time.Time
	last   rejection // the newest that was not told
	untold uint64
}

// note says whether a rejection is told, and how many others were not since the one before.
func (r *rejections) note(what rejection, now time.Time) (told rejection, others uint64, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.pass(now) {
		r.last, r.untold = what, r.untold+1
		return rejection{}, 0, false
	}
	others, r.untold = r.untold, 0
	return what, others, true
}

// due is the newest that was not told, once its time has come.
func (r *rejections) due(now time.Time) (told rejection, others uint64, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.untold == 0 || !r.pass(now) {
		return rejection{}, 0, false
	}
	others, r.untold = r.untold-1, 0
	return r.last, others, true
}

// pass takes a token; mu is held. A clock that was set back gives none.
func (r *rejections) pass(now time.Time) bool {
	if since := now.Sub(r.at); since > 0 {
		r.spent = max(0, r.spent-since.Seconds()/rejectionPause.Seconds())
	}
	r.at = now
	if r.spent > rejectionBurst-1 {
		return false
	}
	r.spent++
	return true
}

// tellRejections tells the last of a run of rejections, so that their number is whole, until ctx ends.
func (cs *commands) tellRejections(ctx context.Context) {
	tick := time.NewTicker(rejectionPause)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			cs.tell(cs.reject.due(time.Now()))
		case <-ctx.Done():
			return
		}
	}
}
