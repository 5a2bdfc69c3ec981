package web

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/segedge/segedge/api"
)

// slowDeadline is a connection that takes a deadline only when it is let.
type slowDeadline struct {
	*httptest.ResponseRecorder
	let chan struct{}
}

func (s *slowDeadline) SetReadDeadline(time.Time) error {
	<-s.let
	return nil
}

// A key that is taken away ends the reads of the requests that came in with it, and never those of the connection's next.
func TestARevokedKeyLeavesTheNextRequestAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKey(api.Caller{Role: api.RoleAdmin}, "token", "cookie")
		w := &slowDeadline{httptest.NewRecorder(), make(chan struct{})}
		returned := make(chan struct{})
		go func() {
			defer close(returned)
			r := httptest.NewRequestWithContext(context.Background(), http.MethodPost, "/", http.NoBody)
			k.enter(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
				k.revoke()
				synctest.Wait()
			}), w, r)
		}()
		time.Sleep(time.Second)
		select {
		case <-returned:
			t.Error("the deadline may still be set on the connection's next request")
		default:
		}
		close(w.let)
		<-returned
	})
}
