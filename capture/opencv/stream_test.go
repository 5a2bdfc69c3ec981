package opencv

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
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
	if _, set := os.LookupEnv(optionsEnv); set {
		t.Error("the options of one opening were left behind")
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
	if n < 20 || f.Width != 320 || strings.Contains(err.Error(), "geheim") || !strings.Contains(err.Error(), "no more pictures") {
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

func TestGStreamerPipeline(t *testing.T) {
	spec, err := capture.ParseSource("gst: videotestsrc num-buffers=5 ! video/x-raw,width=320,height=240")
	if err != nil {
		t.Fatal(err)
	}
	src, err := Open(t.Context(), spec)
	if err != nil {
		t.Skipf("this OpenCV has no GStreamer, or GStreamer no base plugins (apt install gstreamer1.0-plugins-base): %v", err)
	}
	defer src.Close()
	f := frame.New(2, 2)
	n := 0
	for ; err == nil; n++ {
		err = src.Read(t.Context(), f)
	}
	if n < 2 || f.Width != 320 || f.Height != 240 || !src.(capture.Describer).Info().Live {
		t.Errorf("%d frames of %dx%d, then %v", n, f.Width, f.Height, err)
	}
}

// Two sources opened at once do not see each other's options, and an opening that waits ends with its context.
func TestOpeningsTakeTurns(t *testing.T) {
	path := clip(t, "a.avi", "-f", "lavfi", "-i", "testsrc2=size=64x64:rate=20", "-frames:v", "3", "-c:v", "ffv1")
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			src, err := Open(t.Context(), capture.Spec{Kind: capture.KindFile, Address: path})
			if err != nil {
				t.Error(err)
				return
			}
			if err := src.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	turn <- struct{}{}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := Open(ctx, capture.Spec{Kind: capture.KindFile, Address: path})
	<-turn
	if !errors.Is(err, context.Canceled) {
		t.Errorf("an opening that waits for its turn: %v", err)
	}
}

func TestReadEndsWithItsContext(t *testing.T) {
	path := clip(t, "a.avi", "-f", "lavfi", "-i", "testsrc2=size=64x64:rate=20", "-frames:v", "3", "-c:v", "ffv1")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := openFile(t, path).Read(ctx, frame.New(2, 2)); !errors.Is(err, context.Canceled) {
		t.Errorf("read: %v", err)
	}
}

// The whole way: a file, supervised, played twice at its own rate.
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
			if last = f.Seq; f.Width != 62 || f.Height != 40 {
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
