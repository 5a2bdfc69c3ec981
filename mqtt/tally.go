package mqtt

import (
	"cmp"
	"maps"
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

// account is one camera's. What it remembers of zones that are gone is dropped when it is read.
type account struct {
	dwell map[string]float64   // by zone, of the newest visit that is over, in seconds
	names map[string]time.Time // of objects that were given up, and when
	fps   float64              // as it is told
	timed time.Time            // when that was looked at
	news  bool                 // there is a new object, or name, since this was last asked
}

func newTally() *tally { return &tally{cameras: map[string]*account{}} }

// account is a camera's; mu is held.
func (t *tally) account(camera string) *account {
	a := t.cameras[camera]
	if a == nil {
		a = &account{dwell: map[string]float64{}, names: map[string]time.Time{}}
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
	case seg.ZoneLeft:
		if dwell, ok := e.Details["dwell_s"].(float64); ok {
			a.dwell[zone] = dwell
		}
	default: // nothing to count
	}
}

// ended keeps the name of an object that was given up. One that a command took away is gone with its name.
func (a *account) ended(e seg.Event) {
	name := e.After.Name
	if e.Details["removed"] == true {
		delete(a.names, name)
		return
	}
	if name == "" {
		return
	}
	a.names[name] = e.Time
	if len(a.names) > keptNames {
		oldest := name
		for n, at := range a.names {
			if d := at.Compare(a.names[oldest]); d < 0 || d == 0 && n > oldest {
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
	for _, name := range a.told(objects, now) {
		p.Names[name] = 0
	}
	there := map[seg.ID]string{}
	for i := range objects {
		if o := &objects[i]; o.State.Visible() || o.State == seg.Occluded {
			there[o.ID] = o.Name
			p.Objects++
			if _, ok := p.Names[o.Name]; ok {
				p.Names[o.Name]++
			}
		}
	}
	a.forget(s)
	p.FPS = a.follow(s.FPS, now)
	for _, z := range s.Zones {
		p.Zones[z.Name] = a.zone(z.Name, s.Inside[z.Name], there, p.Names)
	}
	for _, l := range s.Lines {
		p.Lines[l.Name] = crossings(s.Counts, l.Name)
	}
	return p
}

// crossings are a line's, since it was drawn.
func crossings(counts *api.Counts, line string) api.LineCount {
	if counts == nil {
		return api.LineCount{}
	}
	n := counts.Lines[line]
	return api.LineCount{In: n.Right, Out: n.Left}
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

// told are the names to tell of, in an order in which nothing is told and left out in turn: of the objects that there are, the newest
// first; then of those that were given up, the last one first.
func (a *account) told(objects []seg.Object, now time.Time) []string {
	newest := map[string]seg.ID{}
	for i := range objects {
		if o := &objects[i]; o.Name != "" && (o.State.Visible() || o.State == seg.Occluded || o.State == seg.Lost) {
			newest[o.Name] = max(newest[o.Name], o.ID)
		}
	}
	maps.DeleteFunc(a.names, func(_ string, at time.Time) bool { return now.Sub(at) > keepName })
	names := slices.SortedFunc(maps.Keys(newest), func(x, y string) int { return cmp.Compare(newest[y], newest[x]) })
	for _, name := range slices.SortedFunc(maps.Keys(a.names), func(x, y string) int {
		return cmp.Or(a.names[y].Compare(a.names[x]), cmp.Compare(x, y))
	}) {
		if _, alive := newest[name]; !alive {
			names = append(names, name)
		}
	}
	return names[:min(len(names), keptNames)]
}

// zone is who of those inside is seen, or hidden where it was; of the names, those that the camera's account has too.
func (a *account) zone(name string, inside []seg.ID, there map[seg.ID]string, names map[string]int) api.ZoneCount {
	out := api.ZoneCount{Names: map[string]int{}}
	if dwell, ok := a.dwell[name]; ok {
		out.Dwell = &dwell
	}
	for _, id := range inside {
		o, seen := there[id]
		if !seen {
			continue
		}
		out.Objects++
		if _, ok := names[o]; ok {
			out.Names[o]++
		}
	}
	return out
}

// forget drops zones that there are no more.
func (a *account) forget(s api.State) {
	for name := range a.dwell {
		if !slices.ContainsFunc(s.Zones, func(z api.Zone) bool { return z.Name == name }) {
			delete(a.dwell, name)
		}
	}
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
