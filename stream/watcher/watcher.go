// Package watcher is a viewer without a screen: it asks an agent for a camera's video over WHEP (draft-ietf-wish-whep), counts what comes,
// and leaves as told. It is for soaks and benchmarks; it decodes nothing and draws nothing.
package watcher

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/pion/webrtc/v4"
)

// maxAnswer bounds what is read of an answer, bytes.
const maxAnswer = 256 << 10

// Watch watches until ctx ends and answers how many packets of video came. With vanish it then leaves without a word, as a phone does that
// loses its network; else it says goodbye. The error is about getting in, not about leaving.
func Watch(ctx context.Context, endpoint string, vanish bool) (packets int64, err error) {
	return watch(ctx, endpoint, vanish, func() {})
}

// Visit watches until the first packet of video has come, and says goodbye. No packet before ctx ends is an error.
func Visit(ctx context.Context, endpoint string) error {
	visit, enough := context.WithCancel(ctx)
	defer enough()
	packets, err := watch(visit, endpoint, false, enough)
	if err == nil && packets == 0 {
		err = fmt.Errorf("watcher: no video came: %w", ctx.Err())
	}
	return err
}

// watch calls seen with the first packet.
func watch(ctx context.Context, endpoint string, vanish bool, seen func()) (packets int64, err error) {
	pc, err := webrtc.NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		return 0, fmt.Errorf("watcher: %w", err)
	}
	defer func() { err = errors.Join(err, pc.Close()) }()
	if _, err := pc.AddTransceiverFromKind(
		webrtc.RTPCodecTypeVideo,
		webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly},
	); err != nil {
		return 0, fmt.Errorf("watcher: %w", err)
	}
	var count atomic.Int64
	pc.OnTrack(func(track *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
		for {
			if _, _, err := track.ReadRTP(); err != nil {
				return
			}
			if count.Add(1) == 1 {
				seen()
			}
		}
	})
	session, err := negotiate(ctx, pc, endpoint)
	if err != nil {
		return 0, err
	}
	<-ctx.Done()
	if !vanish {
		err = leave(session)
	}
	return count.Load(), err
}

// negotiate posts the offer, with all candidates in it, and takes the answer. It gives the session's address.
func negotiate(ctx context.Context, pc *webrtc.PeerConnection, endpoint string) (session string, err error) {
	offer, err := pc.CreateOffer(nil)
	if err != nil {
		return "", fmt.Errorf("watcher: %w", err)
	}
	gathered := webrtc.GatheringCompletePromise(pc)
	if err := pc.SetLocalDescription(offer); err != nil {
		return "", fmt.Errorf("watcher: %w", err)
	}
	select {
	case <-gathered:
	case <-ctx.Done():
		return "", ctx.Err()
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, strings.NewReader(pc.LocalDescription().SDP))
	if err != nil {
		return "", fmt.Errorf("watcher: %w", err)
	}
	req.Header.Set("Content-Type", "application/sdp")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", fmt.Errorf("watcher: %w", err)
	}
	defer func() { _ = resp.Body.Close() }() // it was only read
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return "", fmt.Errorf("watcher: %w", err)
	}
	if resp.StatusCode != http.StatusCreated {
		return "", fmt.Errorf("watcher: %s: %s", resp.Status, strings.TrimSpace(string(body)))
	}
	at, err := resp.Location()
	if err != nil {
		return "", fmt.Errorf("watcher: the answer names no session: %w", err)
	}
	if err := pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: string(body)}); err != nil {
		return "", fmt.Errorf("watcher: %w", err)
	}
	return at.String(), nil
}

// leave ends a session. It must work when the watcher's own time is over.
func leave(session string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodDelete, session, nil)
	if err != nil {
		return fmt.Errorf("watcher: %w", err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("watcher: %w", err)
	}
	return resp.Body.Close()
}
