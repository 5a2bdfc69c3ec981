package stream

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/pion/webrtc/v4"

	"github.com/segedge/segedge/api"
)

// gatherTime bounds the wait for own candidates: those of the machine are there at once, those of a STUN server may be late,
// and the answer is complete without trickling.
const gatherTime = 2 * time.Second

// startTime bounds the wait of an offer that comes before video runs: the page opens in the same moment, and who was quick is no failure.
const startTime = 5 * time.Second

func (s *Server) awaitStart(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	select {
	case <-s.ready:
	case <-ctx.Done():
	}
}

// watch negotiates a new session and starts it, with the rights of its request, which were those of an epoch.
func (s *Server) watch(ctx context.Context, epoch uint64, camera, client string, how wish, offer []byte) (*viewer, string, error) {
	vp8 := onlyVP8(offer)
	if vp8 {
		if err := s.opts.VP8(); err != nil {
			return nil, "", &refusal{
				http.StatusNotAcceptable,
				api.Unsupported,
				fmt.Sprintf("the offer has VP8 and no H.264 of packetization mode 1 and level 3, and this agent cannot send VP8: %v", err),
			}
		}
	}
	s.awaitStart(ctx)
	rtc, config, full := s.reserve(client)
	if full != nil {
		return nil, "", full
	}
	v, err := s.newViewer(camera, vp8, rtc, config)
	if err != nil {
		s.giveUp()
		return nil, "", err
	}
	v.client, v.caller, v.epoch, v.clean, v.deltas = client, api.CallerOf(ctx), epoch, how.clean, how.deltas
	prepared, undo := alone(string(offer))
	sdp, err := v.answer(ctx, prepared)
	if err == nil {
		err = checkAnswer(sdp)
	}
	if err == nil {
		v.level = negotiatedLevel(string(offer), sdp)
		v.choose()
	}
	if err == nil {
		err = s.admit(v)
	}
	sdp = undo(sdp)
	if err != nil {
		v.cancel()
		err = errors.Join(err, v.pc.GracefulClose())
		s.giveUp()
		return nil, "", err
	}
	return v, sdp, nil
}

// answer takes an offer and gives the complete answer.
func (v *viewer) answer(ctx context.Context, offer string) (string, error) {
	if err := v.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: offer}); err != nil {
		return "", &refusal{http.StatusBadRequest, api.BadRequest, "the offer cannot be used: " + err.Error()}
	}
	answer, err := v.pc.CreateAnswer(nil)
	if err != nil {
		return "", &refusal{http.StatusUnprocessableEntity, api.Unsupported, "the offer cannot be answered: " + err.Error()}
	}
	gathered := webrtc.GatheringCompletePromise(v.pc)
	if err := v.pc.SetLocalDescription(answer); err != nil {
		return "", &refusal{http.StatusNotAcceptable, api.Unsupported, "the offer cannot be answered: " + err.Error()}
	}
	late := time.NewTimer(gatherTime)
	defer late.Stop()
	select {
	case <-gathered:
	case <-late.C:
	case <-ctx.Done():
		return "", fmt.Errorf("the client left: %w", ctx.Err())
	}
	return v.pc.LocalDescription().SDP, nil
}

// sessionPatch takes candidates that trickle in, and ICE restarts (RFC 9725, 4.3; the same in draft-ietf-wish-whep).
func (s *Server) sessionPatch(w http.ResponseWriter, r *http.Request) error {
	v, err := s.session(r)
	if err != nil {
		return err
	}
	raw, err := body(w, r, typeFragment)
	if err != nil {
		return err
	}
	match := r.Header.Get("If-Match")
	if match == "" {
		return &refusal{
			http.StatusPreconditionRequired,
			api.BadRequest,
			"If-Match is missing: the session's ETag for candidates, * for an ICE restart",
		}
	}
	frag, err := parseFragment(raw)
	if err != nil {
		return err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	switch match {
	case "*":
		return v.restart(w, r, frag)
	case v.etag:
		return v.trickle(w, frag)
	}
	return &refusal{http.StatusPreconditionFailed, api.BadRequest, "If-Match is not the session's ETag: ICE was restarted meanwhile"}
}

// trickle adds candidates.
func (v *viewer) trickle(w http.ResponseWriter, f *fragment) error {
	remote := v.pc.RemoteDescription()
	if f.ufrag != "" && remote != nil && f.ufrag != ufragOf(remote.SDP) {
		return &refusal{
			http.StatusUnprocessableEntity,
			api.BadRequest,
			"the fragment has other ICE credentials: a restart comes with If-Match: *",
		}
	}
	for _, c := range f.candidates {
		init := webrtc.ICECandidateInit{Candidate: c, SDPMid: &f.mid}
		if f.ufrag != "" {
			init.UsernameFragment = &f.ufrag
		}
		if err := v.pc.AddICECandidate(init); err != nil {
			return &refusal{http.StatusBadRequest, api.BadRequest, fmt.Sprintf("candidate %q: %v", c, err)}
		}
	}
	w.Header().Set("ETag", v.etag)
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// restart takes new ICE credentials and gives its own.
func (v *viewer) restart(w http.ResponseWriter, r *http.Request, f *fragment) error {
	if f.ufrag == "" || f.pwd == "" {
		return &refusal{http.StatusUnprocessableEntity, api.BadRequest, "an ICE restart needs ice-ufrag and ice-pwd"}
	}
	remote := v.pc.RemoteDescription()
	if remote == nil {
		return &refusal{http.StatusConflict, api.NotReady, "the session is not negotiated yet"}
	}
	offer, err := restartOffer(remote.SDP, f)
	if err != nil {
		return err
	}
	// Nothing is sent until there is a path again: a write without one is fatal to the stack's DTLS. state undoes this.
	v.connected.Store(false)
	local, err := v.answer(r.Context(), offer)
	if err != nil {
		v.state(v.pc.ConnectionState())
		return err
	}
	v.etag = `"` + token()[:16] + `"`
	h := w.Header()
	h.Set("Content-Type", typeFragment)
	h.Set("ETag", v.etag)
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write([]byte(fragmentOf(local)))
	return nil
}
