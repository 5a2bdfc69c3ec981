package stream

import (
	"encoding/json"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/seg"
)

// listing is the objects of one sent frame. Its texts are written once, by the first viewer that wants them.
type listing struct {
	server  *Server
	camera  string
	frame   seg.FrameRef
	objects []seg.Object
	once    sync.Once
	docs    []document
	asOf    uint64
	json    []byte

	before  atomic.Pointer[listing] // the camera's listing before, for a while
	changed sync.Once
	delta   []byte
}

// remembered is how many listings hold on to the one before: a viewer that is further behind is told everything again.
const remembered = 4

// listing notes the objects of a unit's frame; all renditions of a frame share one.
func (s *Server) listing(camera string, u *Unit, objects []seg.Object) *listing {
	s.listings.mu.Lock()
	defer s.listings.mu.Unlock()
	before := s.listings.newest[camera]
	if before != nil && before.frame.Seq == u.Seq {
		return before
	}
	l := &listing{
		server:  s,
		camera:  camera,
		frame:   seg.FrameRef{Seq: u.Seq, Captured: u.Captured},
		objects: append([]seg.Object(nil), objects...),
	}
	l.before.Store(before)
	for n := remembered; before != nil; n-- {
		if n == 0 {
			before.before.Store(nil)
			break
		}
		before = before.before.Load()
	}
	s.listings.newest[camera] = l
	return l
}

// listings are the newest of each camera.
type listings struct {
	mu     sync.Mutex
	newest map[string]*listing
}

// text is the list without type and time.
func (l *listing) text() []byte {
	l.once.Do(func() {
		list := api.Objects{Schema: api.Schema, Camera: l.camera, Frame: l.frame, Objects: l.objects}
		if now, ok := l.server.opts.Service.Objects(l.camera); ok {
			list.AsOfSeq = now.AsOfSeq
		}
		l.docs, l.json = l.server.objects(list)
		l.asOf = list.AsOfSeq
		l.objects = nil
	})
	return l.json
}

// lists bounds what lists cost a viewer's path, in bytes: five objects take about a quarter of it.
func lists() bucket { return bucket{rate: 384 << 10, burst: 256 << 10} }

// list sends the objects of a picture that was just sent: all of them, or, to who understands that, what has changed since the list
// before. What the path or the viewer cannot take is left out: the next picture brings the whole list again.
func (v *viewer) list(l *listing, rtp uint32, keyframe bool) {
	if l == nil || v.channel.Load() == nil {
		return
	}
	v.listing.Lock()
	defer v.listing.Unlock()
	full := l.text()
	text := withTime(full, rtp)
	if v.deltas && !keyframe {
		if delta := l.since(v.had); delta != nil {
			text = timed(typeDelta, delta, rtp)
		}
	}
	v.had = nil
	if v.lists.take(time.Now(), float64(len(text))) && v.tell(text) {
		v.had, v.listed = l, full
	}
}

// pushStill tells a viewer to whom no pictures go what has changed meanwhile: the picture that it sees is the one sent last.
func (v *viewer) pushStill(frame uint64, text []byte) {
	shown, ok := v.history.newest()
	if since := time.Since(shown.at); !ok || since < stillAfter || frame != shown.seq && since < lateAfter {
		return
	}
	v.listing.Lock()
	defer v.listing.Unlock()
	if string(v.listed) == string(text) {
		return
	}
	if v.tell(withTime(text, shown.rtp)) {
		v.had, v.listed = nil, text
	}
}

// stillAfter is how long no picture was sent when a list goes without one of its own; one of a later frame, whose picture may be on
// its way, waits for lateAfter.
const (
	stillAfter = 500 * time.Millisecond
	lateAfter  = 2 * time.Second
)

// The types of messages about objects.
const (
	typeObjects = "objects"
	typeDelta   = "delta"
)

// withTime puts the type and the RTP time of its picture in front of a list's fields.
func withTime(list []byte, rtp uint32) []byte { return timed(typeObjects, list, rtp) }

func timed(kind string, fields []byte, rtp uint32) []byte {
	if len(fields) == 0 {
		return nil
	}
	out := append(make([]byte, 0, len(fields)+64), `{"type":"`...)
	out = append(append(out, kind...), `","rtp_time":`...)
	return append(append(strconv.AppendUint(out, uint64(rtp), 10), ','), fields[1:]...)
}

// objects writes a list, without type and time.
func (s *Server) objects(list api.Objects) ([]document, []byte) {
	n := len(list.Objects)
	for i := range list.Objects {
		n += len(list.Objects[i].Candidates)
	}
	points := min(outlinePoints, max(8, outlineBudget/max(1, n)))
	docs := make([]document, len(list.Objects))
	fields := make([]map[string]json.RawMessage, len(docs))
	for i := range docs {
		docs[i] = s.object(list.Camera, &list.Objects[i], points)
		fields[i] = docs[i].fields
	}
	b, err := json.Marshal(struct {
		Schema  int                          `json:"schema"`
		Camera  string                       `json:"camera"`
		Frame   seg.FrameRef                 `json:"frame"`
		AsOfSeq uint64                       `json:"as_of_seq"`
		Objects []map[string]json.RawMessage `json:"objects"`
	}{api.Schema, list.Camera, list.Frame, list.AsOfSeq, fields})
	if err != nil {
		s.opts.Logger.Error("objects could not be written", "camera", list.Camera, "error", err)
		return nil, nil
	}
	return docs, b
}
