package stream

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
