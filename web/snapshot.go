package web

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/segedge/segedge/api"
)

// pictureTime bounds the wait for a camera's next frame.
const pictureTime = 5 * time.Second

// snapshot sends a camera's picture as it is now: ?overlay=0 without what is painted into it, ?width=640 reduced.
func (s *Server) snapshot(w http.ResponseWriter, r *http.Request) {
	camera := r.PathValue("camera")
	switch {
	case s.opts.Picture == nil:
		s.nothing(w, r)
		return
	case !slices.Contains(s.opts.Service.Cameras(), camera):
		s.reply(w, s.unknownCamera(camera))
		return
	}
	overlay, width, err := shotOf(r.URL.Query())
	if err != nil {
		s.reply(w, api.Refuse("", api.BadRequest, err.Error()))
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), pictureTime)
	defer cancel()
	picture, frame, err := s.opts.Picture(ctx, camera, overlay, width)
	if err != nil {
		why := err.Error()
		if st, ok := s.opts.Service.State(camera); ok && st.State != api.Running {
			why = fmt.Sprintf("camera %q is %s", camera, st.State)
			if st.Reason != "" {
				why += ": " + st.Reason
			}
		}
		s.reply(w, api.Refuse("", api.NotReady, "there is no picture now: "+why))
		return
	}
	h := w.Header()
	h.Set("Content-Type", "image/jpeg")
	h.Set("X-Frame", strconv.FormatUint(frame, 10)) // what a prompt about this picture calls "frame"
	h.Set("Content-Length", strconv.Itoa(len(picture)))
	h.Set("Cache-Control", "no-store")
	_, _ = w.Write(picture)
}

func shotOf(q url.Values) (overlay bool, width int, err error) {
	for key := range q {
		if key != "overlay" && key != "width" {
			return false, 0, fmt.Errorf("there is no parameter %q: there are overlay (0 or 1) and width", key)
		}
	}
	overlay = true
	if v := q.Get("overlay"); v != "" {
		if overlay, err = strconv.ParseBool(v); err != nil {
			return false, 0, fmt.Errorf("overlay is 0 or 1, not %q", v)
		}
	}
	if v := q.Get("width"); v != "" {
		if width, err = strconv.Atoi(v); err != nil || width < api.LeastWidth || width > api.MostWidth {
			return false, 0, fmt.Errorf("width is a number of columns within %d..%d, not %q", api.LeastWidth, api.MostWidth, v)
		}
	}
	return overlay, width, nil
}
