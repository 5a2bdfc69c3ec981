package mqtt

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"image"
	"image/jpeg"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/api/dispatch"
	"github.com/segedge/segedge/seg"
)

const (
	imageEvery  = time.Minute     // between two pictures of a camera of which nothing new is seen
	imageAtMost = 2 * time.Second // between any two
	imageWait   = 5 * time.Second // for the frame of one
	mostCrops   = 16
)

// images are the retained pictures of the cameras and of their named objects. Their owner is the session's goroutine that sends them.
type images struct {
	last map[string]time.Time

	mu    sync.Mutex
	asked map[string]bool // somebody took a snapshot
}

func newImages() *images { return &images{last: map[string]time.Time{}, asked: map[string]bool{}} }

// ask has a camera's picture sent soon.
func (i *images) ask(camera string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.asked[camera] = true
}

// due reports whether a camera's picture is to be sent.
func (i *images) due(camera string, t *tally, now time.Time) bool {
	since := now.Sub(i.last[camera])
	if since < imageAtMost {
		return false
	}
	i.mu.Lock()
	asked := i.asked[camera]
	delete(i.asked, camera)
	i.mu.Unlock()
	fresh := t.fresh(camera)
	if !asked && !fresh && since < imageEvery {
		return false
	}
	i.last[camera] = now
	return true
}

// imageTopic is where a picture is kept: the camera's for the empty name.
func (t Topics) imageTopic(camera, name string) string {
	if name == "" {
		return t.Camera(camera, "image")
	}
	return t.Camera(camera, "image/"+level(name))
}

// level is a name as one level of a topic: what would mean something there is percent-encoded.
func level(name string) string {
	return strings.NewReplacer("%", "%25", "/", "%2F", "+", "%2B", "#", "%23").Replace(name)
}

// imageTopics are the topics of a camera's pictures by name; nil where none are sent.
func (c *Client) imageTopics(camera string, names []string) map[string]string {
	if c.o.Picture == nil {
		return nil
	}
	out := map[string]string{"": c.topics.imageTopic(camera, "")}
	for _, name := range names[:min(mostCrops, len(names))] {
		out[name] = c.topics.imageTopic(camera, name)
	}
	return out
}

// sendImages sends pictures as they are due until ctx ends. A camera that gives none is asked again in a minute.
func (c *Client) sendImages(ctx context.Context, k *keeper) error {
	tick := time.NewTicker(c.o.StateInterval)
	defer tick.Stop()
	for c.o.Picture != nil {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
		for _, camera := range c.o.Service.Cameras() {
			if s, ok := c.o.Service.State(camera); !ok || s.State != api.Running || !c.images.due(camera, c.tally, time.Now()) {
				continue
			}
			if err := c.sendImage(ctx, k, camera); err != nil {
				return err
			}
		}
	}
	<-ctx.Done()
	return ctx.Err()
}

// sendImage sends a camera's picture and the crops of its named objects.
func (c *Client) sendImage(ctx context.Context, k *keeper, camera string) error {
	wait, cancel := context.WithTimeout(ctx, imageWait)
	defer cancel()
	picture, err := c.o.Picture(wait, camera)
	if err != nil {
		c.log.Debug("no picture to keep with the broker", "camera", camera, "error", err)
		return ctx.Err()
	}
	list, _ := c.o.Service.Objects(camera)
	p, _ := c.presence(camera)
	topics := c.imageTopics(camera, slices.Sorted(maps.Keys(p.Names)))
	parts, err := crops(picture, list.Objects)
	if err != nil {
		c.log.Warn("a picture cannot be cut", "camera", camera, "error", err)
	}
	parts[""] = picture
	for _, name := range slices.Sorted(maps.Keys(parts)) {
		topic, ok := topics[name]
		if !ok {
			continue
		}
		small, err := dispatch.Fit(dispatch.Picture(parts[name]), min(mostPicture, c.room(outgoing{topic: topic})))
		if err != nil {
			c.log.Warn("a picture is left out", "topic", topic, "error", err)
			continue
		}
		m := outgoing{key: topic, topic: topic, qos: 1, retained: true, payload: small.JPEG}
		if err := k.step(ctx, []func(context.Context) error{func(ctx context.Context) error { return k.sendFitting(ctx, m) }}); err != nil {
			return err
		}
	}
	return nil
}

// crops are the parts of a picture that show the named objects, the largest of each name.
func crops(picture []byte, objects []seg.Object) (map[string][]byte, error) {
	out := map[string][]byte{}
	seen := slices.DeleteFunc(slices.Clone(objects), func(o seg.Object) bool {
		return o.Name == "" || !o.State.Visible() || o.Mask == nil || o.Mask.Rect.Empty()
	})
	if len(seen) == 0 {
		return out, nil
	}
	slices.SortFunc(seen, func(a, b seg.Object) int { return cmp.Compare(b.Mask.Area(), a.Mask.Area()) })
	full, err := jpeg.Decode(bytes.NewReader(picture))
	if err != nil {
		return out, fmt.Errorf("read a snapshot: %w", err)
	}
	whole, ok := full.(interface {
		SubImage(image.Rectangle) image.Image
	})
	if !ok {
		return out, fmt.Errorf("read a snapshot: %T cannot be cut", full)
	}
	for _, o := range seen {
		if out[o.Name] != nil || len(out) == mostCrops {
			continue
		}
		var buf bytes.Buffer
		if err := jpeg.Encode(&buf, whole.SubImage(around(o.Mask.Box(), full.Bounds())), &jpeg.Options{Quality: 85}); err != nil {
			return out, fmt.Errorf("cut a snapshot: %w", err)
		}
		out[o.Name] = buf.Bytes()
	}
	return out, nil
}

// around is a box with a margin, in pixels, at least 32 wide and high where the picture is.
func around(b seg.Box, whole image.Rectangle) image.Rectangle {
	w, h := float64(whole.Dx()), float64(whole.Dy())
	grow := func(lo, hi, size float64) (int, int) {
		more := max(0.15*(hi-lo)*size, (32-(hi-lo)*size)/2)
		return int(lo*size - more), int(hi*size + more)
	}
	x0, x1 := grow(b.X0, b.X1, w)
	y0, y1 := grow(b.Y0, b.Y1, h)
	return image.Rect(x0, y0, x1, y1).Add(whole.Min).Intersect(whole)
}
