package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/segedge/segedge/api"
)

func TestSnapshotOverHTTP(t *testing.T) {
	agent := newFakeAgent("cam")
	var fail error
	door := newDoor(t, Options{Service: agent, Picture: func(_ context.Context, camera string, overlay bool, width int) ([]byte, uint64, error) {
		return fmt.Appendf(nil, "%s %v %d", camera, overlay, width), 812, fail
	}})
	get := func(target string) (int, string, string) {
		res := ask(door, "GET", target, "")
		body, _ := io.ReadAll(res.Body)
		if res.StatusCode == 200 && res.Header.Get("X-Frame") != "812" {
			t.Errorf("of frame %q", res.Header.Get("X-Frame"))
		}
		return res.StatusCode, res.Header.Get("Content-Type"), string(body)
	}
	const at = "/api/v1/cameras/cam/snapshot.jpg"
	for target, want := range map[string]string{
		at: "cam true 0", at + "?overlay=0": "cam false 0", at + "?overlay=1&width=640": "cam true 640", at + "?width=": "cam true 0",
	} {
		if status, kind, body := get(target); status != 200 || kind != "image/jpeg" || body != want {
			t.Errorf("%s: %d %s %s", target, status, kind, body)
		}
	}
	for target, want := range map[string]struct {
		status int
		words  string
	}{
		"/api/v1/cameras/nix/snapshot.jpg": {404, "there is no camera"}, at + "?width=3": {422, "width"}, at + "?width=x": {422, "width"},
		at + "?overlay=perhaps": {422, "overlay"}, at + "?size=3": {422, "size"},
	} {
		if status, _, body := get(target); status != want.status || !strings.Contains(body, want.words) {
			t.Errorf("%s: %d %s", target, status, body)
		}
	}
	fail = errors.New("no frame came")
	agent.set(func(f *fakeAgent) { f.state, f.reason = api.Stalled, "unplugged" })
	if status, _, body := get(at); status != 503 || !strings.Contains(body, "stalled: unplugged") {
		t.Errorf("%d %s", status, body)
	}
	if res := ask(newDoor(t, Options{}), "GET", at, ""); res.StatusCode != 404 {
		t.Errorf("without pictures: %d", res.StatusCode)
	}
}
