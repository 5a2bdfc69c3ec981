package stream

import (
	"context"
	"encoding/json"
	"fmt"
	"image/color"
	"strconv"
	"time"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/seg"
)

// stateEvery is the number of object lists to one state.
const stateEvery = 5

// push tells the viewers' data channels what is going on, until ctx ends. A camera's list is written once for all its viewers.
func (s *Server) push(ctx context.Context) {
	tick := time.NewTicker(s.opts.ObjectsInterval)
	defer tick.Stop()
	last := make(map[string]version)
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		for camera, viewers := range s.listeners() {
			s.pushObjects(camera, viewers, last)
			if n%stateEvery == 0 {
				s.pushState(camera, viewers)
			}
		}
	}
}

// version tells whether a list has anything new in it.
type version struct {
	n     uint64 // counts versions from 1, for each viewer to compare with
	frame uint64
	as    uint64
	count int
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

func (s *Server) pushObjects(camera string, viewers []*viewer, last map[string]version) {
	list, ok := s.opts.Service.Objects(camera)
	if !ok {
		return
	}
	was, now := last[camera], version{frame: list.Frame.Seq, as: list.AsOfSeq, count: len(list.Objects)}
	now.n = was.n
	if was.n == 0 || now.as != was.as || now.count != was.count || (now.count > 0 && now.frame != was.frame) {
		now.n++
		last[camera] = now
	}
	var text []byte
	for _, v := range viewers {
		dc := v.channel.Load()
		if v.pushed == now.n && v.pushedTo == dc {
			continue
		}
		if text == nil {
			text = s.objects(list)
		}
		if v.tell(withTime(text, &v.history, list.Frame.Seq)) {
			v.pushed, v.pushedTo = now.n, dc
		}
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

// withTime puts the type, and the RTP time of the frame if it was sent, in front of a list's fields.
func withTime(list []byte, h *history, seq uint64) []byte {
	if len(list) == 0 {
		return nil
	}
	out := append(make([]byte, 0, len(list)+64), `{"type":"objects",`...)
	if rtp, ok := h.of(seq); ok {
		out = append(strconv.AppendUint(append(out, `"rtp_time":`...), uint64(rtp), 10), ',')
	}
	return append(out, list[1:]...)
}

// objects writes a list, without type and time.
func (s *Server) objects(list api.Objects) []byte {
	docs := make([]json.RawMessage, len(list.Objects))
	for i := range list.Objects {
		docs[i] = s.object(list.Camera, &list.Objects[i])
	}
	b, err := json.Marshal(struct {
		Schema  int               `json:"schema"`
		Camera  string            `json:"camera"`
		Frame   seg.FrameRef      `json:"frame"`
		AsOfSeq uint64            `json:"as_of_seq"`
		Objects []json.RawMessage `json:"objects"`
	}{api.Schema, list.Camera, list.Frame, list.AsOfSeq, docs})
	if err != nil {
		s.opts.Logger.Error("objects could not be written", "camera", list.Camera, "error", err)
		return nil
	}
	return b
}

// object is seg.Document with colour and outlines.
func (s *Server) object(camera string, o *seg.Object) json.RawMessage {
	var doc map[string]json.RawMessage
	b, err := json.Marshal(seg.Document{Camera: camera, Object: o})
	if err == nil {
		err = json.Unmarshal(b, &doc)
	}
	if err != nil {
		return json.RawMessage(`{}`)
	}
	if s.opts.Color != nil {
		doc["color"] = quoted(css(s.opts.Color(o.ID)))
	}
	if rings := outline(o.Mask); len(rings) > 0 {
		doc["outline"] = rings
	}
	if len(o.Candidates) > 0 {
		var cs []map[string]json.RawMessage
		if json.Unmarshal(doc["candidates"], &cs) == nil && len(cs) == len(o.Candidates) {
			for i := range cs {
				if rings := outline(o.Candidates[i].Mask); len(rings) > 0 {
					cs[i]["outline"] = rings
				}
			}
			if out, err := json.Marshal(cs); err == nil {
				doc["candidates"] = out
			}
		}
	}
	b, err = json.Marshal(doc)
	if err != nil {
		return json.RawMessage(`{}`)
	}
	return b
}

func css(c color.RGBA) string { return fmt.Sprintf("#%02x%02x%02x", c.R, c.G, c.B) }

func quoted(s string) json.RawMessage { return strconv.AppendQuote(nil, s) }
