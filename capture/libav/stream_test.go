package libav

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/segedge/segedge/capture"
	"github.com/segedge/segedge/frame"
)

func TestFileOverHTTP(t *testing.T) {
	path := clip(t, "a.avi", "-f", "lavfi", "-i", "testsrc2=size=320x240:rate=20", "-frames:v", "12", "-c:v", "mjpeg")
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, path) }))
	defer web.Close()
	src := openFile(t, web.URL+"/a.avi")
	if times := all(t, src, frame.New(2, 2)); len(times) != 12 {
		t.Errorf("times %v", times)
	}
}

// A camera's MJPEG page: it is live, so that its end is a failure and not the end of a film.
func TestMJPEGOverHTTP(t *testing.T) {
	path := clip(t, "a.mjpeg", "-f", "lavfi", "-i", "testsrc2=size=320x240:rate=20", "-frames:v", "30", "-c:v", "mjpeg")
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := multipart(w, path); err != nil && r.Context().Err() == nil {
			t.Error(err)
		}
	}))
	defer web.Close()
	src := openFile(t, web.URL+"/video?user=me&pass=geheim")
	f := frame.New(2, 2)
	n := 0
	var err error
	for ; err == nil; n++ {
		err = src.Read(t.Context(), f)
	}
	if n < 20 || f.Width != 320 || strings.Contains(err.Error(), "geheim") || !strings.Contains(err.Error(), "has ended") {
		t.Errorf("%d frames of %dx%d, then %v", n, f.Width, f.Height, err)
	}
}

// multipart serves the pictures of an MJPEG file one by one.
func multipart(w http.ResponseWriter, path string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "multipart/x-mixed-replace;boundary=next")
	for _, picture := range strings.SplitAfter(string(data), "\xff\xd9\xff\xd8") {
		picture = strings.TrimSuffix(picture, "\xff\xd8")
		if !strings.HasPrefix(picture, "\xff\xd8") {
			picture = "\xff\xd8" + picture
		}
		if _, err := w.Write([]byte("--next\r\nContent-Type: image/jpeg\r\n\r\n" + picture + "\r\n")); err != nil {
			return err
		}
	}
	return nil
}

func TestReadEndsWithItsContext(t *testing.T) {
	path := clip(t, "a.avi", "-f", "lavfi", "-i", "testsrc2=size=64x64:rate=20", "-frames:v", "3", "-c:v", "ffv1")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := openFile(t, path).Read(ctx, frame.New(2, 2)); !errors.Is(err, context.Canceled) {
		t.Errorf("read: %v", err)
	}
}

// The whole way: a file, supervised, played twice at its own rate, with its odd size whole.
func TestSupervisedFileLoops(t *testing.T) {
	path := clip(t, "a.avi", "-f", "lavfi", "-i", "testsrc=size=63x41:rate=50", "-frames:v", "10", "-c:v", "ffv1", "-pix_fmt", "bgr0")
	spec, err := capture.ParseSource(path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	pool, out := frame.NewPool(4), frame.NewLatest()
	var states []capture.Kind
	c, err := capture.New(capture.Options{Open: Opener(spec), Pool: pool, Out: out, Loop: true,
		OnState: func(s capture.State) { states = append(states, s.Kind) }})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		defer cancel()
		for last := uint64(0); last < 25; {
			f, err := out.Take(ctx)
			if err != nil {
				t.Error(err)
				return
			}
			if last = f.Seq; f.Width != 63 || f.Height != 41 {
				t.Errorf("frame %d is %dx%d", f.Seq, f.Width, f.Height)
			}
			f.Release()
		}
	})
	if err := c.Run(ctx); err != nil {
		t.Error(err)
	}
	wg.Wait()
	out.Close()
	if err := pool.Close(); err != nil {
		t.Error(err)
	}
	if len(states) != 2 || states[1] != capture.Opened {
		t.Errorf("states %v: a loop is no failure", states)
	}
}

// A finished list of segments, and a recording whose address tells nothing, are recordings: they end, and are paced.
func TestRecordingsOverHTTPAreFoundOut(t *testing.T) {
	dir := t.TempDir()
	film := clip(t, "film.mp4", "-f", "lavfi", "-i", "testsrc2=s=64x36:r=10", "-t", "5", "-c:v", "libx264", "-preset", "ultrafast", "-g", "10", "-movflags", "+faststart")
	data, err := os.ReadFile(film)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "download"), data, 0o600); err != nil {
		t.Fatal(err)
	}
	hls := func(name string, args ...string) {
		cmd := exec.Command("ffmpeg", append(append([]string{"-v", "error", "-i", film, "-c", "copy", "-f", "hls", "-hls_time", "1"}, args...), filepath.Join(dir, name))...)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("ffmpeg: %v: %s", err, out)
		}
	}
	hls("finished.m3u8", "-hls_playlist_type", "vod")
	hls("live.m3u8", "-hls_flags", "omit_endlist", "-hls_segment_filename", filepath.Join(dir, "live%d.ts"))
	web := httptest.NewServer(http.FileServer(http.Dir(dir)))
	defer web.Close()
	for address, want := range map[string]capture.Info{
		"/download?token=x": {FPS: 10}, "/finished.m3u8": {FPS: 10, Paced: true}, "/live.m3u8": {Live: true, Paced: true, FPS: 10},
	} {
		src := openFile(t, web.URL+address)
		if got := src.Info(); got != want {
			t.Errorf("%s: %+v, want %+v", address, got, want)
		}
		if !want.Live {
			if times := all(t, src, frame.New(2, 2)); len(times) != 50 || times[49].Seconds() < 4.8 {
				t.Errorf("%s: %d pictures, the last at %v", address, len(times), times[len(times)-1])
			}
		}
	}
}

// TestAPictureWithoutEnd: a camera that never says where a picture ends fills no memory, be it the first picture or a later one.
func TestAPictureWithoutEnd(t *testing.T) {
	path := clip(t, "a.mjpeg", "-f", "lavfi", "-i", "testsrc2=size=320x240:rate=20", "-frames:v", "30", "-c:v", "mjpeg")
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/later" {
			_ = multipart(w, path)
		} else {
			w.Header().Set("Content-Type", "multipart/x-mixed-replace; boundary=f")
		}
		_, err := w.Write([]byte("\r\n--f\r\nContent-Type: image/jpeg\r\n\r\n\xff\xd8"))
		for more := bytes.Repeat([]byte("x"), 1<<20); err == nil; {
			_, err = w.Write(more)
		}
	}))
	defer web.Close()
	for _, at := range []string{"/first", "/later"} {
		spec, err := capture.ParseSource(web.URL + at)
		if err != nil {
			t.Fatal(err)
		}
		src, err := Open(t.Context(), spec)
		if err == nil {
			f := frame.New(2, 2)
			for err == nil {
				err = src.Read(t.Context(), f)
			}
			err = errors.Join(err, src.Close())
		}
		if !strings.Contains(err.Error(), "no picture ended") {
			t.Errorf("%s: %v", at, err)
		}
	}
}
