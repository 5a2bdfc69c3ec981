// Package clips keeps short recordings of cameras in a folder: begun and ended by command, or cut out around an event, with the pictures
// from before it out of a bounded ring of encoded ones. A clip is an MP4 that a power cut leaves playable (package mp4); what is too old,
// or too much, is deleted. It encodes nothing and asks for no picture itself: units come in through Camera.Unit.
package clips

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/seg"
)

// Options of the clips of all cameras. Folder is required.
type Options struct {
	Folder   string        // made with the first clip
	PreRoll  time.Duration // of pictures that are kept for a clip that may come; 0 keeps none, and the encoder off
	PostRoll time.Duration // how long a clip around an event goes on after it
	Longest  time.Duration // that a clip may become
	MaxAge   time.Duration // after which a clip is deleted; 0 is never
	MaxBytes int64         // of all clips together: the oldest go first, and one has at most half of it; 0 is no limit
	Events   []seg.EventType
	// Keyframe asks a camera's encoder for one. It must not block.
	Keyframe func(camera string)
	// Finished is told of every clip that has become whole, in the goroutine that wrote it. Nil is nobody.
	Finished func(api.Clip)
	Logger   *slog.Logger // nil discards
}

// Library is the clips of all cameras. Safe for concurrent use; Run runs once.
type Library struct {
	o      Options
	folder folder

	mu      sync.Mutex
	cameras map[string]*Camera
	writers sync.WaitGroup
	closed  bool
}

// New makes a library. It touches no disk.
func New(o Options) *Library {
	o.Logger = cmp.Or(o.Logger, slog.New(slog.DiscardHandler))
	if o.Keyframe == nil {
		o.Keyframe = func(string) {}
	}
	if o.Finished == nil {
		o.Finished = func(api.Clip) {}
	}
	return &Library{o: o, folder: folder{path: o.Folder}, cameras: map[string]*Camera{}}
}

// Camera is a camera's recorder, the same for as long as it is not dropped.
func (l *Library) Camera(name string) *Camera {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.cameras[name]
	if c == nil {
		c = &Camera{lib: l, name: name, ring: ring{span: l.o.PreRoll, most: ringBytes}}
		l.cameras[name] = c
	}
	return c
}

// Drop ends what is recorded of a camera and forgets what waited for a clip.
func (l *Library) Drop(name string) {
	l.mu.Lock()
	c := l.cameras[name]
	delete(l.cameras, name)
	l.mu.Unlock()
	if c != nil {
		c.end()
	}
}

// Record carries out the command.
func (l *Library) Record(ctx context.Context, camera string, r api.Record) (api.Clip, error) {
	clip, err := l.record(ctx, camera, r)
	if err == nil {
		clip.File = filepath.Join(l.o.Folder, camera, clip.Name)
	}
	return clip, err
}

func (l *Library) record(ctx context.Context, camera string, r api.Record) (api.Clip, error) {
	c, now := l.Camera(camera), time.Now()
	var clip *clip
	var err error
	switch r.Action {
	case api.RecordStop:
		return c.stop(ctx)
	case api.RecordStart:
		clip, err = c.start(now, seconds(r.Seconds), r.Event)
	default:
		at := now
		if r.Time != nil {
			at = *r.Time
		}
		after := l.o.PostRoll
		if r.Seconds > 0 {
			after = seconds(r.Seconds)
		}
		clip, err = c.around(now, at, after, r.Event)
	}
	if err != nil {
		return api.Clip{}, err
	}
	if c.current() != clip { // it was all in the past
		return clip.closed(ctx)
	}
	return clip.opened(ctx, c.until())
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// Event cuts a clip out around an event, if it is of a type that asks for one. It never blocks.
func (l *Library) Event(e seg.Event) {
	if !slices.Contains(l.o.Events, e.Type) {
		return
	}
	l.mu.Lock()
	c := l.cameras[e.Camera]
	l.mu.Unlock()
	if c == nil {
		return
	}
	if _, err := c.around(time.Now(), e.Time, l.o.PostRoll, e.Type); err != nil {
		l.o.Logger.Warn("an event is not recorded", "camera", e.Camera, "type", e.Type, "err", err)
	}
}

// Recording is the name of the clip that is recorded of a camera now; empty for none.
func (l *Library) Recording(camera string) string {
	l.mu.Lock()
	c := l.cameras[camera]
	l.mu.Unlock()
	if c == nil {
		return ""
	}
	if clip := c.current(); clip != nil {
		return clip.name
	}
	return ""
}

// List is a camera's clips, the newest first, at most so many as a person looks through.
func (l *Library) List(camera string) ([]api.Clip, error) {
	all, err := l.folder.list(camera)
	if err != nil {
		return nil, err
	}
	slices.Reverse(all)
	all = all[:min(len(all), mostListed)]
	l.mu.Lock()
	c := l.cameras[camera]
	l.mu.Unlock()
	if c == nil {
		return all, nil
	}
	if now := c.current(); now != nil {
		if i := slices.IndexFunc(all, func(clip api.Clip) bool { return clip.Name == now.name }); i >= 0 {
			all[i].Recording, all[i].Until = true, c.until()
		}
	}
	return all, nil
}

// mostListed bounds a list of clips.
const mostListed = 1000

// every is how often clips are looked after whose camera sends no pictures any more, and tidyEvery how often old ones are deleted.
const (
	every     = time.Second
	tidyEvery = time.Minute
)

// Run looks after the clips until ctx ends; then it ends those that are being recorded.
func (l *Library) Run(ctx context.Context) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	var tidied time.Time
	for {
		if time.Since(tidied) > tidyEvery {
			tidied = time.Now()
			l.tidy()
		}
		select {
		case <-ctx.Done():
			l.mu.Lock()
			l.closed = true
			l.mu.Unlock()
			for _, c := range l.all() {
				c.end()
			}
			l.writers.Wait()
			return nil
		case now := <-tick.C:
			for _, c := range l.all() {
				c.tick(now)
			}
		}
	}
}

func (l *Library) all() []*Camera {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Collect(maps.Values(l.cameras))
}

// write runs a clip's writer; false when the library has been closed.
func (l *Library) write(c *clip, head []unit) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return false
	}
	l.writers.Go(func() {
		if err := c.write(&l.folder, head); err != nil {
			l.o.Logger.Error("a clip is not whole", "camera", c.camera, "clip", c.name, "err", err)
		} else if c.movie != nil {
			l.o.Finished(c.finished())
		}
		l.tidy()
	})
	return true
}

// tidy deletes what is too old, and the oldest of what is too much.
func (l *Library) tidy() {
	busy := map[string]bool{}
	for _, c := range l.all() {
		if clip := c.current(); clip != nil {
			busy[c.name+"/"+clip.name] = true
		}
	}
	gone, err := l.folder.tidy(time.Now(), l.o.MaxAge, l.o.MaxBytes, busy)
	if err != nil {
		l.o.Logger.Warn("old clips cannot be deleted", "err", err)
	}
	if gone > 0 {
		l.o.Logger.Info("old clips were deleted", "clips", gone)
	}
}

func refuse(code api.Code, format string, args ...any) error {
	return &api.Error{Code: code, Message: fmt.Sprintf(format, args...)}
}
