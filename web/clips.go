package web

import (
	"errors"
	"io/fs"
	"net/http"
	"os"
	"slices"
	"time"

	"github.com/segedge/segedge/api"
)

// Clips are the recordings that there are. Open takes no name that leads out of their folder.
type Clips interface {
	List(camera string) ([]api.Clip, error)
	Open(camera, name string) (*os.File, error)
}

// mostReaders is how many clips are sent at once, and readTime how long a client may take for a part of one.
const (
	mostReaders = 16
	readTime    = 30 * time.Second
)

func (s *Server) clips(w http.ResponseWriter, r *http.Request) {
	camera := r.PathValue("camera")
	if !slices.Contains(s.opts.Service.Cameras(), camera) {
		s.reply(w, s.unknownCamera(camera))
		return
	}
	var list []api.Clip
	var err error
	if s.opts.Clips != nil {
		list, err = s.opts.Clips.List(camera)
	}
	if err != nil {
		s.opts.Logger.Error("web: the clips cannot be listed", "camera", camera, "error", err)
		s.reply(w, api.Refuse("", api.Internal, "the clips cannot be listed: the log has the reason"))
		return
	}
	if list == nil {
		list = []api.Clip{}
	}
	s.write(w, http.StatusOK, api.Clips{Schema: api.Schema, Camera: camera, Clips: list})
}

// clip sends a clip, to be played or to be kept. One that is being recorded is sent as far as it is there.
func (s *Server) clip(w http.ResponseWriter, r *http.Request) {
	camera, name := r.PathValue("camera"), r.PathValue("name")
	if s.opts.Clips == nil {
		s.nothing(w, r)
		return
	}
	if !slices.Contains(s.opts.Service.Cameras(), camera) {
		s.reply(w, s.unknownCamera(camera))
		return
	}
	select {
	case s.readers <- struct{}{}:
		defer func() { <-s.readers }()
	default:
		s.reply(w, api.Refuse("", api.Overloaded, "too many clips are being read: try again"))
		return
	}
	f, err := s.opts.Clips.Open(camera, name)
	if errors.Is(err, fs.ErrNotExist) {
		s.write(w, http.StatusNotFound, api.Refuse("", api.BadRequest, "there is no such clip; GET /api/v1/cameras/"+camera+"/clips lists them"))
		return
	}
	if err != nil {
		s.opts.Logger.Error("web: a clip cannot be read", "camera", camera, "clip", name, "error", err)
		s.reply(w, api.Refuse("", api.Internal, "the clip cannot be read: the log has the reason"))
		return
	}
	defer f.Close()
	h := w.Header()
	h.Set("Content-Type", "video/mp4")
	h.Set("Cache-Control", "private, no-cache")
	if r.URL.Query().Get("download") == "1" {
		h.Set("Content-Disposition", `attachment; filename="`+camera+"-"+name+`"`) // both of letters, digits, '_', '.' and '-'
	}
	var changed time.Time
	if st, err := f.Stat(); err == nil {
		changed = st.ModTime()
	}
	http.ServeContent(patient{w, r}, r, "", changed, f)
}

// patient is an answer that may take long as a whole, but not in any part, and ends with the rights of who reads it.
type patient struct {
	http.ResponseWriter
	r *http.Request
}

func (p patient) Write(b []byte) (int, error) {
	if err := p.r.Context().Err(); err != nil {
		return 0, err
	}
	_ = http.NewResponseController(p.ResponseWriter).SetWriteDeadline(time.Now().Add(readTime))
	return p.ResponseWriter.Write(b)
}
