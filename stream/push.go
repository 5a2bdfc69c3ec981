package stream

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/seg"
)

// stateEvery is the number of object lists to one state.
const stateEvery = 5

// push tells the viewers' data channels how their cameras are, until ctx ends, and what changes while no picture is sent: the
// lists of pictures travel with them.
func (s *Server) push(ctx context.Context) {
	tick := time.NewTicker(s.opts.ObjectsInterval)
	defer tick.Stop()
	for n := 0; ; n++ {
		for waiting := true; waiting; {
			select {
			case <-ctx.Done():
				return
			case e := <-s.news.queue:
				s.tellNews(e)
			case <-tick.C:
				waiting = false
			}
		}
		if n%pruneEvery == 0 {
			s.prune(s.opts.Service.Cameras())
		}
		for camera, viewers := range s.listeners() {
			s.pushObjects(camera, viewers)
			if n%stateEvery == 0 {
				s.pushState(camera, viewers)
			}
		}
	}
}

// pruneEvery is the number of ticks after which cameras that have gone are forgotten.
const pruneEvery = 10

// prune ends the sessions of cameras that are not there any more, and forgets what was known of them.
func (s *Server) prune(cameras []string) {
	s.mu.RLock()
	for _, v := range s.viewers {
		if !slices.Contains(cameras, v.camera) {
			v.log.Info("viewer leaves with its camera")
			v.cancel()
		}
	}
	s.mu.RUnlock()
	s.news.mu.Lock()
	forget(s.news.kept, cameras)
	s.news.mu.Unlock()
	s.listings.mu.Lock()
	forget(s.listings.newest, cameras)
	s.listings.mu.Unlock()
	s.throttles.mu.Lock()
	forget(s.throttles.told, cameras)
	s.throttles.mu.Unlock()
}

func forget[V any](of map[string]V, cameras []string) {
	maps.DeleteFunc(of, func(camera string, _ V) bool { return !slices.Contains(cameras, camera) })
}

// listeners are the connected viewers with an open data channel, by camera.
func (s *Server) listeners() map[string][]*viewer {
	s.mu.RLock()
	defer s.mu.RUnlock()
	out := make(map[string][]*viewer)
	for _, v := range s.viewers {
		if v.connected.Load() && v.channel.Load() != nil {
			out[v.camera] = append(out[v.camera], v)
		}
	}
	return out
}

func (s *Server) pushObjects(camera string, viewers []*viewer) {
	var list api.Objects
	var text []byte
	for _, v := range viewers {
		if shown, ok := v.history.newest(); !ok || time.Since(shown.at) < stillAfter {
			continue
		}
		if text == nil {
			var ok bool
			if list, ok = s.opts.Service.Objects(camera); !ok {
				return
			}
			_, text = s.objects(list)
		}
		v.pushStill(list.Frame.Seq, text)
	}
}

func (s *Server) pushState(camera string, viewers []*viewer) {
	st, ok := s.opts.Service.State(camera)
	if !ok {
		return
	}
	text, err := json.Marshal(struct {
		Type string `json:"type"`
		api.State
	}{"state", st})
	if err != nil {
		s.opts.Logger.Error("state could not be written", "camera", camera, "error", err)
		return
	}
	for _, v := range viewers {
		v.tell(text)
	}
}

// tell sends a message that may be left out; it reports whether it was sent.
func (v *viewer) tell(text []byte) bool {
	dc := v.channel.Load()
	return dc != nil && len(text) > 0 && dc.BufferedAmount() <= pushBuffered && dc.SendText(string(text)) == nil
}

// document is an object as viewers are told of it: its fields, and its outline apart.
type document struct {
	id     seg.ID
	fields map[string]json.RawMessage // seg.Document with colour and outlines
	rings  [][]int                    // what "outline" says, in thousandths
	age    int
	mask   int // its age
}

func (s *Server) object(camera string, o *seg.Object, points int) document {
	d := document{id: o.ID, age: o.Age, mask: o.MaskAge, rings: rings(o.Mask, points), fields: map[string]json.RawMessage{}}
	b, err := json.Marshal(seg.Document{Camera: camera, Object: o})
	if err == nil {
		err = json.Unmarshal(b, &d.fields)
	}
	if err != nil {
		return d
	}
	if s.opts.Color != nil {
		d.fields["color"] = quoted(seg.HexColor(s.opts.Color(o)))
	}
	if len(d.rings) > 0 {
		d.fields["outline"] = absolute(d.rings)
	}
	if len(o.Candidates) > 0 {
		d.candidates(o, points)
	}
	return d
}

// candidates gives the masks that there is a choice of their outlines.
func (d *document) candidates(o *seg.Object, points int) {
	var cs []map[string]json.RawMessage
	if json.Unmarshal(d.fields["candidates"], &cs) != nil || len(cs) != len(o.Candidates) {
		return
	}
	for i := range cs {
		if rings := outline(o.Candidates[i].Mask, points); len(rings) > 0 {
			cs[i]["outline"] = rings
		}
	}
	if out, err := json.Marshal(cs); err == nil {
		d.fields["candidates"] = out
	}
}

func quoted(s string) json.RawMessage { return strconv.AppendQuote(nil, s) }
