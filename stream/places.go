package stream

import (
	"fmt"
	"net/http"

	"github.com/pion/webrtc/v4"

	"github.com/segedge/segedge/api"
)

// mostHalfOpen is how many sessions of one client's address may wait for their connection: offers that never connect (crawlers, a
// proxy that posts twice, an attacker) take each other's place, and nobody else's.
const mostHalfOpen = 4

// mostLeaving is how many sessions may be in the middle of closing: who posts faster than they close has to wait.
const mostLeaving = 32

// SetPlaces bounds the viewers of all cameras together from now on. Who watches stays.
func (s *Server) SetPlaces(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.places = n
}

// reserve takes a place for a new viewer, or says why there is none. Viewers that are connected keep theirs; of the others those go
// that are least likely to come.
func (s *Server) reserve(client string) (*webrtc.API, webrtc.Configuration, *refusal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.rtc == nil {
		return nil, s.config, &refusal{http.StatusServiceUnavailable, api.NotReady, "video is not running: try again later"}
	}
	if v, n := s.oldestHalfOpen(client); n >= mostHalfOpen {
		v.evict("another offer came from its address")
	}
	for s.taken()+s.pending >= s.places {
		v := s.leastLikely()
		if v == nil {
			return nil, s.config, &refusal{
				http.StatusServiceUnavailable,
				api.Overloaded,
				fmt.Sprintf("all %d places for viewers are taken: close one or try again later", s.places),
			}
		}
		v.evict("its place was needed")
	}
	if len(s.viewers)-s.taken() >= mostLeaving {
		return nil, s.config, &refusal{http.StatusServiceUnavailable, api.Overloaded, "too many sessions are just ending: try again in a moment"}
	}
	s.pending++
	s.wg.Add(1) // given back by the viewer's last goroutine, or by giveUp
	return s.rtc, s.config, nil
}

// evict ends a session that has no connection.
func (v *viewer) evict(why string) {
	v.log.Info("viewer without a connection goes", "why", why)
	v.cancel()
}

// taken is how many sessions have not ended.
func (s *Server) taken() (n int) {
	for _, v := range s.viewers {
		if v.ctx.Err() == nil {
			n++
		}
	}
	return n
}

// halfOpen reports whether a session has never been connected.
func (v *viewer) halfOpen() bool {
	select {
	case <-v.up:
		return false
	default:
		return v.ctx.Err() == nil
	}
}

// oldestHalfOpen is the session of an address that has waited longest for its connection, and how many there are.
func (s *Server) oldestHalfOpen(client string) (oldest *viewer, n int) {
	for _, v := range s.viewers {
		if v.client != client || !v.halfOpen() {
			continue
		}
		n++
		if oldest == nil || v.since.Before(oldest.since) {
			oldest = v
		}
	}
	return oldest, n
}

// leastLikely is the session without a connection that should go first: of the address with the most that never connected, else
// one whose connection was lost; nil where all are connected.
func (s *Server) leastLikely() *viewer {
	var worst, lost *viewer
	most := 0
	for _, v := range s.viewers {
		if v.ctx.Err() != nil || v.connected.Load() {
			continue
		}
		if !v.halfOpen() {
			if lost == nil || v.since.Before(lost.since) {
				lost = v
			}
			continue
		}
		if oldest, n := s.oldestHalfOpen(v.client); n > most {
			worst, most = oldest, n
		}
	}
	if worst == nil {
		return lost
	}
	return worst
}

// bound is how many viewers there may be.
func (s *Server) bound() int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.places
}

// waiting is the number of sessions without a connection yet.
func (s *Server) waiting() (n int) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, v := range s.viewers {
		if !v.connected.Load() && v.ctx.Err() == nil {
			n++
		}
	}
	return n
}
