package mqtt

import (
	"math"
	"slices"
	"sync"
	"time"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/seg"
)

const (
	// keptNames is how many names of a camera's objects are told of at most, and keepName how long one is whose objects were given
	// up: what comes and goes, such as a dog, keeps its name's place.
	keptNames = 32
	keepName  = 24 * time.Hour
	// followRate is how often a camera's rate is looked at.
	followRate = 10 * time.Second
)

// tally adds events up to who is where. Safe for concurrent use.
type tally struct {
	mu      sync.Mutex
	cameras map[string]*account
}

// account is one camera's. What it remembers of zones and lines that are gone, and of other objects, is dropped when it is read.
type account struct {
	zones map[string]*visits
	lines map[string]*api.LineCount
	names map[string]time.Time // of objects that were given up, and when
	fps   float64              // as it is told
	timed time.Time            // when that was looked at
	news  bool                 // there is a new object, or name, since this was last asked
}

// visits are a zone's.
type visits struct {
	points [][2]float64
	in     map[seg.ID]time.Time // since when
	looked time.Time            // when the points were last compared
	dwell  *float64
}

func newTally() *tally { return &tally{cameras: map[string]*account{}} }

// account is a camera's; mu is held.
func (t *tally) account(camera string) *account {
	a := t.cameras[camera]
	if a == nil {
		a = &account{zones: map[string]*visits{}, lines: map[string]*api.LineCount{}, names: map[string]time.Time{}}
		t.cameras[camera] = a
	}
	return a
}

// note takes an event into account.
func (t *tally) note(e seg.Event) {
	if e.After == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	a := t.account(e.Camera)
	zone, _ := e.Details["zone"].(string)
	switch e.Type {
	case seg.ObjectNew:
		a.news = true
		delete(a.names, e.After.Name)
	case seg.ObjectUpdated:
		a.news = a.news || e.Before != nil && e.Before.Name != e.After.Name // a name of its own has a picture of its own
	case seg.ObjectEnded:
		a.ended(e)
	case seg.ZoneEntered:
		a.visits(zone).in[e.After.ID] = e.Time
	case seg.ZoneLeft:
		v := a.visits(zone)
		delete(v.in, e.After.ID)
		if dwell, ok := e.Details["dwell_s"].(float64); ok {
			v.dwell = &dwell
		}
	case seg.LineCrossed:
		a.crossed(e)
	default: // nothing to count
	}
}

func (a *account) visits(zone string) *visits {
	v := a.zones[zone]
	if v == nil {
		v = &visits{in: map[seg.ID]time.Time{}}
		a.zones[zone] = v
	}
	return v
}

func (a *account) crossed(e seg.Event) {
	line, _ := e.Details["line"].(string)
	n := a.lines[line]
	if n == nil {
		n = &api.LineCount{}
		a.lines[line] = n
	}
	if e.Details["direction"] == "right" {
		n.In++
	} else {
		n.Out++
	}
}

// ended keeps the name of an object that was given up. One that a person took away is gone with its name.
func (a *account) ended(e seg.Event) {
	name := e.After.Name
	if e.Before == nil || e.Before.State.Visible() || name == "" {
		return
	}
	a.names[name] = e.Time
	if len(a.names) > keptNames {
		oldest := name
		for n, at := range a.names {
			if at.Before(a.names[oldest]) {
				oldest = n
			}
		}
		delete(a.names, oldest)
	}
}

// presence is who is where, by a camera's state and objects at that time.
func (t *tally) presence(s api.State, objects []seg.Object, now time.Time) api.Presence {
	t.mu.Lock()
	defer t.mu.Unlock()
	a := t.account(s.Camera)
	p := api.Presence{
		Schema: api.Schema, Camera: s.Camera, Names: map[string]int{}, Zones: map[string]api.ZoneCount{}, Lines: map[string]api.LineCount{},
	}
	there := map[seg.ID]*seg.Object{}
	for i := range objects {
		o := &objects[i]
		if o.State.Visible() || o.State == seg.Occluded {
			there[o.ID] = o
			p.Objects++
			count(p.Names, o.Name, 1)
		} else if o.State == seg.Lost {
			count(p.Names, o.Name, 0)
		}
	}
	for name, at := range a.names {
		if now.Sub(at) > keepName {
			delete(a.names, name)
		} else {
			count(p.Names, name, 0)
		}
	}
	a.forget(s)
	p.FPS = a.follow(s.FPS, now)
	for _, z := range s.Zones {
		p.Zones[z.Name] = a.visits(z.Name).count(z.Points, there, now)
	}
	for _, l := range s.Lines {
		if n := a.lines[l.Name]; n != nil {
			p.Lines[l.Name] = *n
		} else {
			p.Lines[l.Name] = api.LineCount{}
		}
	}
	return p
}

// follow is a rate that is written down seldom: each time it is told costs its readers a line in their history.
func (a *account) follow(fps float64, now time.Time) float64 {
	if now.Sub(a.timed) >= followRate {
		a.timed = now
		if math.Abs(fps-a.fps) > a.fps/10 {
			a.fps = math.Round(10*fps) / 10
		}
	}
	return a.fps
}

// count adds to a name's objects, as long as there is room for another name.
func count(names map[string]int, name string, n int) {
	if _, ok := names[name]; name != "" && (ok || len(names) < keptNames) {
		names[name] += n
	}
}

// forget drops zones and lines that there are no more.
func (a *account) forget(s api.State) {
	for name := range a.zones {
		if !slices.ContainsFunc(s.Zones, func(z api.Zone) bool { return z.Name == name }) {
			delete(a.zones, name)
		}
	}
	for name := range a.lines {
		if !slices.ContainsFunc(s.Lines, func(l api.Line) bool { return l.Name == name }) {
			delete(a.lines, name)
		}
	}
}

// count is who is in a zone. Where it was drawn anew, who entered before does not count: it will have entered again.
func (v *visits) count(points [][2]float64, there map[seg.ID]*seg.Object, now time.Time) api.ZoneCount {
	redrawn := v.points != nil && !slices.Equal(v.points, points)
	out := api.ZoneCount{Names: map[string]int{}, Dwell: v.dwell}
	for id, since := range v.in {
		o := there[id]
		if redrawn && since.Before(v.looked) || o == nil && now.Sub(since) > keepName {
			delete(v.in, id)
			continue
		}
		if o != nil {
			out.Objects++
			count(out.Names, o.Name, 1)
		}
	}
	v.points, v.looked = slices.Clone(points), now
	return out
}

// fresh reports whether there is a new object since it was last asked.
func (t *tally) fresh(camera string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	a := t.account(camera)
	was := a.news
	a.news = false
	return was
}

// retain forgets cameras that are gone.
func (t *tally) retain(cameras []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for name := range t.cameras {
		if !slices.Contains(cameras, name) {
			delete(t.cameras, name)
		}
	}
}

// presence is who is where on a camera; false for one that does not exist.
func (c *Client) presence(camera string) (api.Presence, bool) {
	state, ok := c.o.Service.State(camera)
	if !ok {
		return api.Presence{}, false
	}
	list, _ := c.o.Service.Objects(camera)
	state.Camera = camera
	return c.tally.presence(state, list.Objects, time.Now()), true
}
