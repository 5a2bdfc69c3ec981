package stream

import (
	"encoding/json"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/seg"
)

// Bounds of the news.
const (
	newsKept  = 100 // of a camera, for viewers that come later
	newsQueue = 256 // that wait to be told
)

// news are what happened lately, by camera. The delivery that can be relied on is MQTT's; this is for people who look.
type news struct {
	mu    sync.Mutex
	kept  map[string][]json.RawMessage
	queue chan item
}

type item struct {
	camera string
	text   json.RawMessage
}

// Event tells the viewers of a camera what happened there, but for mere updates of objects, which the lists tell of. It never
// blocks: what cannot be queued is left out.
func (s *Server) Event(e seg.Event) {
	if e.Type == seg.ObjectUpdated {
		return
	}
	text, err := json.Marshal(eventDocument(&e))
	if err != nil {
		s.opts.Logger.Debug("an event could not be written", "type", e.Type, "error", err)
		return
	}
	s.news.mu.Lock()
	defer s.news.mu.Unlock()
	s.news.kept[e.Camera] = append(s.news.kept[e.Camera], text)
	if extra := len(s.news.kept[e.Camera]) - newsKept; extra > 0 {
		s.news.kept[e.Camera] = s.news.kept[e.Camera][extra:]
	}
	select {
	case s.news.queue <- item{e.Camera, text}:
	default:
	}
}

// eventDocument is an event as people are told of it: what it is about by name and state, and its details.
func eventDocument(e *seg.Event) map[string]any {
	doc := maps.Clone(e.Details)
	if doc == nil {
		doc = map[string]any{}
	}
	doc["camera"], doc["type"], doc["time"], doc["frame"] = e.Camera, e.Type, e.Time.UTC().Format(time.RFC3339Nano), e.Frame.Seq
	if o := e.After; o != nil {
		doc["object"] = subject(e.Camera, o)
	} else if o := e.Before; o != nil {
		doc["object"] = subject(e.Camera, o)
	}
	return doc
}

func subject(camera string, o *seg.Object) map[string]any {
	return map[string]any{"id": seg.ObjectID(camera, o.ID), "name": o.Name, "state": o.State}
}

// tellNews sends an event to the viewers of its camera.
func (s *Server) tellNews(n item) {
	for _, v := range s.listeners()[n.camera] {
		v.tellEvents([]json.RawMessage{n.text})
	}
}

// tellEvents sends events, the oldest first.
func (v *viewer) tellEvents(events []json.RawMessage) {
	text, err := json.Marshal(map[string]any{"type": "events", "schema": api.Schema, "camera": v.camera, "events": events})
	if err == nil {
		v.tell(text)
	}
}

// recent are the newest events of a camera.
func (s *Server) recent(camera string) []json.RawMessage {
	s.news.mu.Lock()
	defer s.news.mu.Unlock()
	return slices.Clone(s.news.kept[camera])
}
