package soak

import (
	"bytes"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/segedge/segedge/capture/synthetic"
	"github.com/segedge/segedge/dataset"
	"github.com/segedge/segedge/frame"
)

// cameraMood is what the failing camera does.
type cameraMood int

const (
	well   cameraMood = iota // it gives pictures
	silent                   // the connection stays and nothing comes
	gone                     // it hangs up and takes nobody
	small                    // it gives pictures of another size
)

const (
	cameraFPS    = 15
	cameraFrames = 4 * cameraFPS // after which it begins anew
)

// camera is an MJPEG camera over HTTP that fails when told: the built-in scene, rendered once.
type camera struct {
	pictures map[cameraMood][][]byte

	mu   sync.Mutex
	mood cameraMood
}

func newCamera() (*camera, error) {
	c := &camera{pictures: map[cameraMood][][]byte{}}
	for mood, size := range map[cameraMood][2]int{well: {640, 360}, small: {480, 272}} {
		scene, err := synthetic.New(synthetic.Options{Width: size[0], Height: size[1], Preset: "calm"})
		if err != nil {
			return nil, err
		}
		f := frame.New(size[0], size[1])
		for n := range uint64(cameraFrames) {
			scene.Render(2*n, f)
			var b bytes.Buffer
			if err := dataset.EncodeJPEG(&b, f, 85); err != nil {
				return nil, err
			}
			c.pictures[mood] = append(c.pictures[mood], b.Bytes())
		}
	}
	return c, nil
}

func (c *camera) be(m cameraMood) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.mood = m
}

func (c *camera) now() cameraMood {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.mood
}

// ServeHTTP sends multipart/x-mixed-replace, as network cameras do, until the client leaves or the camera hangs up.
func (c *camera) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if c.now() == gone {
		http.Error(w, "no camera", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "multipart/x-mixed-replace; boundary=picture")
	ticker := time.NewTicker(time.Second / cameraFPS)
	defer ticker.Stop()
	for n := 0; ; n++ {
		select {
		case <-r.Context().Done():
			return
		case <-ticker.C:
		}
		mood := c.now()
		switch mood {
		case gone:
			return
		case silent:
			continue
		case well, small:
		}
		pictures := c.pictures[mood]
		p := pictures[n%len(pictures)]
		if _, err := fmt.Fprintf(w, "--picture\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n%s\r\n", len(p), p); err != nil {
			return
		}
		if f, ok := w.(http.Flusher); ok {
			f.Flush()
		}
	}
}
