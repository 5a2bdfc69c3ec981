package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/segedge/segedge/config"
)

func TestWhatACameraLooksAt(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	stillPicture(t, "a")
	stillPicture(t, "b")
	for _, c := range []struct {
		one, other  string
		same, named bool // on a command line, and of a camera named in a file
	}{
		{"rtsp://u:old@cam/s", "rtsp://u:new@cam/s", true, true},
		{"rtsp://u:old@cam/s", "rtsp://CAM:554/s", true, true},
		{"rtsp://cam/s", "rtsps://cam/s", true, true},
		{"rtsp://cam:554/s", "rtsp://cam:8554/s", false, true},
		{"rtsp://cam/s?token=abcdefgh", "rtsp://cam/s?token=ijklmnop", true, true},
		{"rtsp://cam/s?channel=1", "rtsp://cam/s?channel=2", false, false},
		{"rtsp://cam/front", "rtsp://cam/back", false, false},
		{"rtsp://cam/s", "rtsp://other/s", false, false},
		{"http://cam/a.mp4", "rtsp://cam/a.mp4", false, false},
		{"a", filepath.Join(dir, "a"), true, true},
		{"a", "file://" + filepath.Join(dir, "a"), true, true},
		{"a", "b", false, false},
		{"a", "absent.mp4", false, false},
		{"absent.mp4", "./absent.mp4", true, true},
		{"/dev/video0", "0", true, true},
		{"/dev/video0", "/dev/video1", false, false},
		{"synthetic", "synthetic:calm", false, false},
		{"csi", "csi:0", true, true},
		{"gst: videotestsrc  ! identity", "gst: gst-launch-1.0 videotestsrc ! identity", true, true},
		{"gst: videotestsrc", "gst: v4l2src", false, false},
	} {
		for named, want := range map[bool]bool{false: c.same, true: c.named} {
			a, b := viewKey(&config.Camera{Source: c.one}, named), viewKey(&config.Camera{Source: c.other}, named)
			if (a == b) != want || strings.Contains(a, "old") {
				t.Errorf("%s and %s, named %v: %q, %q", c.one, c.other, named, a, b)
			}
		}
	}
	plain, turned := config.Camera{Source: "a", FPS: 5}, config.Camera{Source: "a", Rotate: 90}
	if viewKey(&plain, true) == viewKey(&turned, true) || viewKey(&plain, true) != viewKey(&config.Camera{Source: "a"}, true) {
		t.Error("a turned picture is another, and one at another rate is not")
	}
}

// TestAnotherSourceBeginsAnew: what was followed on one source is not found again on another one with the same state folder, its zones are
// gone, and its number is not given again; what is the same source goes on.
func TestAnotherSourceBeginsAnew(t *testing.T) {
	folder := t.TempDir()
	life := func(name, source string, use func(*live)) {
		t.Run(name, func(t *testing.T) {
			use(startAgent(t, "cameras:\n- {name: camera, source: \""+source+"\", width: 160, height: 120, fps: 8, prompts: [\"point:0.2,0.5\"]}\n",
				"--state", folder))
		})
	}
	const told = "looks at something else"
	life("first", "synthetic:calm", func(l *live) {
		l.until("the object", func() bool { return strings.Contains(l.objects(), `"id":"camera-1","name":"","state":"tracking"`) })
	})
	life("again", "synthetic:calm", func(l *live) {
		l.until("the object", func() bool { return strings.Contains(l.objects(), `"id":"camera-1","name":"","state":"tracking"`) })
		if strings.Contains(l.log.String(), told) {
			l.t.Error("the same source is taken for another")
		}
	})
	life("another", "synthetic", func(l *live) {
		l.until("an object", func() bool { return strings.Contains(l.objects(), `"id":"camera-`) })
		if list := l.objects(); strings.Contains(list, `"id":"camera-1"`) || strings.Count(l.log.String(), told) != 1 {
			l.t.Error(list)
		}
	})
}

func (l *live) objects() string { return l.get("api/v1/cameras/camera/objects") }
