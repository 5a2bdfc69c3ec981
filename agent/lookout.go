package agent

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/segedge/segedge/agent/watch"
	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/pipeline"
	"github.com/segedge/segedge/seg"
)

// LookOptions bound the looking for phrases that are not asked once but followed. Zero values stand for the defaults named.
type LookOptions struct {
	Every  time.Duration // between two looks; 1 s, and a quarter of it after something was seen that was not believed yet
	Budget float64       // share of the time that looks may take, 0..1; 0.25
}

func (o LookOptions) withDefaults() LookOptions {
	if o.Every <= 0 {
		o.Every = time.Second
	}
	if o.Budget <= 0 || o.Budget > 1 {
		o.Budget = 0.25
	}
	return o
}

// rest is the time until the next look, after one that took so long.
func (o LookOptions) rest(took time.Duration, soon bool) time.Duration {
	every := o.Every
	if soon {
		every /= 4
	}
	return max(every-took, time.Duration(float64(took)*(1-o.Budget)/o.Budget))
}

// maxWatches bounds a camera's: each costs a look.
const maxWatches = 16

// lookout is where a camera looks for phrases of its own accord, one look at a time.
type lookout struct {
	options  LookOptions
	revision atomic.Uint64 // of what is looked for
	more     chan struct{} // tells of a change

	mu       sync.Mutex // never held while a model is asked
	watches  []*watch.Watch
	cleared  cleared
	compared time.Time // when the frame was that their objects were last compared in
}

// begin takes up the configured watches, with the objects that they had, and those that commands made in an earlier run.
func (l *lookout) begin(o LookOptions, configured []watch.Saved, known *Known) {
	l.options, l.more = o.withDefaults(), make(chan struct{}, 1)
	var before []watch.Saved
	if known != nil {
		before = known.Watches
	}
	for _, w := range configured {
		w.Configured = true
		if i := slices.IndexFunc(before, func(b watch.Saved) bool { return sameWatch(&b, &w) }); i >= 0 {
			w.Objects, w.Made = before[i].Objects, before[i].Made
		}
		l.watches = append(l.watches, &watch.Watch{Saved: w})
	}
	for _, w := range before {
		if !w.Configured && l.find(&w) < 0 && len(l.watches) < maxWatches {
			l.watches = append(l.watches, &watch.Watch{Saved: w})
		}
	}
}

// sameWatch says whether two watches look for the same, there.
func sameWatch(a, b *watch.Saved) bool {
	return watch.Key(a.Text) == watch.Key(b.Text) && slices.Equal(a.Zones, b.Zones)
}

// find is the place of a watch that looks for the same; -1 for none.
func (l *lookout) find(s *watch.Saved) int {
	return slices.IndexFunc(l.watches, func(w *watch.Watch) bool { return sameWatch(&w.Saved, s) })
}

// put adds a watch, or replaces the one that looks for the same.
func (l *lookout) put(w *watch.Watch) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch i := l.find(&w.Saved); {
	case i >= 0:
		w.Configured = l.watches[i].Configured
		w.Made = append(slices.Clone(l.watches[i].Made), w.Made...)
		l.watches[i] = w
	case len(l.watches) >= maxWatches:
		sentence := fmt.Sprintf("the camera looks for %d phrases already: end one with follow: false", maxWatches)
		return &api.Error{Code: api.Overloaded, Message: sentence}
	default:
		l.watches = append(l.watches, w)
	}
	l.changed()
	return nil
}

// end ends a watch.
func (l *lookout) end(s *watch.Saved) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	i := l.find(s)
	if i < 0 {
		return &api.Error{Code: api.Conflict, Message: fmt.Sprintf("%q is not looked for: state has what is, as watches", s.Text)}
	}
	l.watches = slices.Delete(l.watches, i, i+1)
	l.changed()
	return nil
}

// clear ends the watches that commands made, and tells which.
func (l *lookout) clear() (ended []watch.Saved) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.watches = slices.DeleteFunc(l.watches, func(w *watch.Watch) bool {
		if !w.Configured {
			ended = append(ended, w.Saved)
		}
		return !w.Configured
	})
	l.changed()
	return ended
}

// decline takes it that an object, whose mask had that box, is not wanted.
func (l *lookout) decline(id seg.ID, b seg.Box) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, w := range l.watches {
		w.Decline(id, b)
	}
	l.changed()
}

func (l *lookout) changed() {
	l.revision.Add(1)
	select {
	case l.more <- struct{}{}:
	default: // it is told already
	}
}

// due is what there is to look for; watches whose time is over end.
func (l *lookout) due(now time.Time) []*watch.Watch {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := len(l.watches)
	l.watches = slices.DeleteFunc(l.watches, func(w *watch.Watch) bool { return !w.Until.IsZero() && !now.Before(w.Until) })
	if len(l.watches) < n {
		l.revision.Add(1)
	}
	return slices.Clone(l.watches)
}

// save is what is looked for, to be known after a restart.
func (l *lookout) save() (out []watch.Saved) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, w := range l.watches {
		s := w.Saved
		s.Objects, s.Made = slices.Clone(s.Objects), slices.Clone(s.Made)
		out = append(out, s)
	}
	return out
}

// documents are the watches as the doors write them.
func (c *camera) watches() (out []api.Watch) {
	for _, s := range c.lookout.save() {
		out = append(out, c.watchDocument(&s))
	}
	return out
}

func (c *camera) watchDocument(s *watch.Saved) api.Watch {
	d := api.Watch{Text: s.Text, Name: s.Name, Limit: s.Limit, Zones: s.Zones, Configured: s.Configured, Objects: []string{}}
	if d.Limit == 0 {
		d.Limit = watch.DefaultLimit
	}
	if !s.Until.IsZero() {
		d.Until = &s.Until
	}
	for _, id := range s.Objects {
		d.Objects = append(d.Objects, seg.ObjectID(c.name, id))
	}
	return d
}

// watch is the camera's own lane for phrases, until it stops: nobody waits for it, and it waits for everybody.
func (c *camera) watch() {
	pipeline.Yield()
	var rest <-chan time.Time
	for {
		select {
		case <-c.stopping:
			return
		case <-c.lookout.more:
			if rest != nil {
				continue // its time comes
			}
		case <-rest:
		}
		begun := time.Now()
		watches := c.lookout.due(begun)
		if rest = nil; len(watches) > 0 {
			soon := c.lookFor(watches)
			rest = time.After(c.lookout.options.rest(time.Since(begun), soon))
		}
	}
}

// lookFor looks once for each phrase, and says whether to look again soon.
func (c *camera) lookFor(watches []*watch.Watch) (soon bool) {
	defer c.survive(nil)
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if c.pipe.Paused() || !c.shows() {
		return false
	}
	for _, w := range watches {
		if _, err := c.search(ctx, w, false); err != nil {
			c.tell(w, err)
		}
		soon = soon || w.Doubts()
	}
	return soon
}

// tell logs why a look has failed; a phrase that is not understood is not looked for again.
func (c *camera) tell(w *watch.Watch, err error) {
	var unknown unknownPhrase
	switch {
	case errors.As(err, &unknown):
		c.log.Error("a phrase that is to be followed is not understood", "phrase", w.Text, "err", err)
		_ = c.lookout.end(&w.Saved) // it is there
	case errors.Is(err, pipeline.ErrNoFrame), errors.Is(err, pipeline.ErrOverloaded), errors.Is(err, pipeline.ErrFramesHeld):
	default:
		c.log.Warn("looking for a phrase failed", "phrase", w.Text, "err", err)
	}
}

// nameOf is what the objects of a phrase are called: the phrase, less "every".
func nameOf(s *watch.Saved) string {
	if s.Name != "" {
		return s.Name
	}
	text := strings.TrimSpace(s.Text)
	for _, every := range []string{"every ", "each ", "all "} {
		if len(text) > len(every) && strings.EqualFold(text[:len(every)], every) {
			return strings.TrimSpace(text[len(every):])
		}
	}
	return text
}
