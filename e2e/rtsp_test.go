package e2e

import (
	"bytes"
	"fmt"
	"os/exec"
	"testing"
)

// A recorder reads both pictures with a token's name and the token, and the one has what the other has not.
func TestRecordersReadRTSP(t *testing.T) {
	ffmpeg := need(t, "ffmpeg", "ffmpeg")
	port := freePort(t)
	start(t, "--set", fmt.Sprintf("rtsp.listen=127.0.0.1:%d", port), "--set", "cameras.0.width=320", "--set", "cameras.0.height=180",
		"--set", "http.tokens.0.name=recorder", "--set", "http.tokens.0.role=view", "--set", "http.tokens.0.token=0123456789abcdef")
	still := func(login, path string) ([]byte, error) {
		cmd := exec.CommandContext(t.Context(), ffmpeg, "-v", "error", "-i", fmt.Sprintf("rtsp://%s127.0.0.1:%d/camera%s", login, port, path),
			"-frames:v", "20", "-f", "rawvideo", "-pix_fmt", "gray", "-")
		var said bytes.Buffer
		cmd.Stderr = &said
		out, err := cmd.Output()
		if err != nil {
			err = fmt.Errorf("%w: %s", err, said.String())
		}
		return out, err
	}
	var sizes [2]int
	for i, path := range []string{"", "/clean"} {
		out, err := still("recorder:0123456789abcdef@", path)
		if err != nil {
			t.Fatal(err)
		}
		sizes[i] = len(out)
	}
	if want := 20 * 320 * 180; sizes[0] != want || sizes[1] != want {
		t.Errorf("%d and %d bytes of 20 pictures, want %d", sizes[0], sizes[1], want)
	}
	if _, err := still("", ""); err == nil {
		t.Error("a recorder without a token reads")
	}
}
