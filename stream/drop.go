package stream

import (
	"net/http"

	"github.com/segedge/segedge/api"
)

// DropAll ends the sessions of all cameras, because who may do what has changed: a session keeps the rights that it was made with. A
// request for one that is under way is refused, for it was let in before.
func (s *Server) DropAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.epoch++
	for _, v := range s.viewers {
		v.cancel()
	}
}

// rights is which rights requests come with now: DropAll changes it.
func (s *Server) rights() uint64 {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.epoch
}

// errDropped answers a request that DropAll overtook.
var errDropped = &refusal{http.StatusServiceUnavailable, api.NotReady, "the tokens have changed meanwhile: ask again"}

// Drop ends the sessions of a camera that is no more.
func (s *Server) Drop(camera string) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, v := range s.viewers {
		if v.camera == camera {
			v.cancel()
		}
	}
}
