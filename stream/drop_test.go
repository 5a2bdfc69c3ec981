package stream

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/pion/webrtc/v4"
)

// Sessions keep the rights that they were made with: when those change, all of them end, and whoever may still come makes a new one.
func TestDropAllEndsEverySession(t *testing.T) {
	st := start(t)
	p, q := newPeer(t, st, false).connect(), newPeer(t, st, false)
	q.post() // not connected yet
	st.DropAll()
	for _, session := range []string{p.location, q.location} {
		if resp, _ := st.do("GET", session, "", ""); resp.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %s", session, resp.Status)
		}
	}
	p.reach(webrtc.PeerConnectionStateClosed)
	newPeer(t, st, false).connect()
}

// overtaken calls something at the first read.
type overtaken struct {
	io.Reader
	by func()
}

func (o *overtaken) Read(b []byte) (int, error) {
	if o.by != nil {
		o.by()
		o.by = nil
	}
	return o.Reader.Read(b)
}

// A request whose body is held back until the rights have changed was let in with the old ones.
func TestDropAllRefusesRequestsUnderWay(t *testing.T) {
	st := start(t)
	offer := newPeer(t, st, false).describe()
	post := func(by func()) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodPost, "/whep/cam", &overtaken{strings.NewReader(offer), by})
		r.Header.Set("Content-Type", typeSDP)
		w := httptest.NewRecorder()
		st.ServeHTTP(w, r)
		return w
	}
	w := post(st.DropAll)
	if w.Code != http.StatusServiceUnavailable || w.Header().Get("Location") != "" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	checkRefusal(t, w.Result(), w.Body.String())
	st.mu.RLock()
	if len(st.viewers) != 0 || st.pending != 0 {
		t.Errorf("%d sessions, %d pending", len(st.viewers), st.pending)
	}
	st.mu.RUnlock()
	if w := post(nil); w.Code != http.StatusCreated {
		t.Errorf("asked again: %d %s", w.Code, w.Body)
	}
}

// What waits in the queue of a session that has ended is not done any more.
func TestCommandsOfAnEndedSessionAreNotDone(t *testing.T) {
	st := start(t)
	dc, err := newPeer(t, st, false).pc.CreateDataChannel("other", nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 32 { // without the check each is done with a chance of one half
		v := &viewer{id: token(), camera: "cam", server: st.Server, log: st.opts.Logger, ctx: ctx, cancel: cancel}
		v.commands = make(chan message, 1)
		v.commands <- message{dc, []byte(`{"verb":"clear"}`)}
		v.work()
	}
	st.agent.mu.Lock()
	defer st.agent.mu.Unlock()
	if n := len(st.agent.commands); n != 0 {
		t.Errorf("%d of 32 commands were done", n)
	}
}
