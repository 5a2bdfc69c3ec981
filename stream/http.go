package stream

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/segedge/segedge/api"
)

// MaxBody is the longest offer or fragment that is read, in bytes.
const MaxBody = 128 << 10

// The media types of WHEP.
const (
	typeSDP      = "application/sdp"
	typeFragment = "application/trickle-ice-sdpfrag"
)

// refusal is an HTTP status with a sentence.
type refusal struct {
	status  int
	code    api.Code
	message string
}

func (r *refusal) Error() string { return r.message }

// ServeHTTP answers everything below /whep/.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !s.cors(w, r) {
		refuse(w, &refusal{http.StatusForbidden, api.Unauthorised, "pages of " + r.Header.Get("Origin") + " may not watch here"})
		return
	}
	s.mux.ServeHTTP(w, r)
}

func (s *Server) routes() *http.ServeMux {
	m := http.NewServeMux()
	for pattern, h := range map[string]func(http.ResponseWriter, *http.Request) error{
		"OPTIONS /whep/{camera}":          s.endpointOptions,
		"GET /whep/{camera}":              s.endpointGet,
		"POST /whep/{camera}":             s.endpointPost,
		"OPTIONS /whep/{camera}/{viewer}": s.sessionOptions,
		"GET /whep/{camera}/{viewer}":     s.sessionGet,
		"PATCH /whep/{camera}/{viewer}":   s.sessionPatch,
		"DELETE /whep/{camera}/{viewer}":  s.sessionDelete,
	} {
		m.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			if err := h(w, r); err != nil {
				s.opts.Logger.Debug("request refused", "method", r.Method, "path", r.URL.Path, "error", err)
				refuse(w, err)
			}
		})
	}
	return m
}

// refuse answers an error as the other doors do.
func refuse(w http.ResponseWriter, err error) {
	var r *refusal
	if !errors.As(err, &r) {
		r = &refusal{http.StatusInternalServerError, api.Internal, err.Error()}
	}
	if r.status == http.StatusServiceUnavailable || r.status == http.StatusConflict {
		w.Header().Set("Retry-After", "2")
	}
	answer(w, r.status, api.Refuse("", r.code, r.message))
}

func answer(w http.ResponseWriter, status int, body any) {
	b, err := json.Marshal(body)
	if err != nil {
		status, b = http.StatusInternalServerError, []byte(`{}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(b, '\n'))
}

// cors lets pages of other origins in, where allowed (Fetch, 3.2); false for those that may not.
func (s *Server) cors(w http.ResponseWriter, r *http.Request) bool {
	h := w.Header()
	h.Add("Vary", "Origin")
	h.Set("Cache-Control", "no-store")
	origin := r.Header.Get("Origin")
	if origin == "" {
		return true
	}
	u, err := url.Parse(origin)
	// A proxy in front may have rewritten Host; the browser's own word (Fetch Metadata) no page can forge.
	same := err == nil && u.Host != "" && u.Host == r.Host || r.Header.Get("Sec-Fetch-Site") == "same-origin"
	if !same && !s.opts.AllowOrigin(origin) {
		return false
	}
	h.Set("Access-Control-Allow-Origin", origin)
	h.Set("Access-Control-Expose-Headers", "Location, ETag, Link, Accept-Post, Accept-Patch, Retry-After")
	return true
}

func preflight(w http.ResponseWriter, methods string) {
	h := w.Header()
	h.Set("Allow", methods)
	h.Set("Access-Control-Allow-Methods", methods)
	h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, If-Match")
	h.Set("Access-Control-Max-Age", "600")
	w.WriteHeader(http.StatusNoContent)
}

func (s *Server) endpointOptions(w http.ResponseWriter, r *http.Request) error {
	if err := s.knows(r.PathValue("camera")); err != nil {
		return err
	}
	w.Header().Set("Accept-Post", typeSDP)
	if r.Header.Get("Access-Control-Request-Method") == "" { // a preflight carries no token, and must not be told secrets
		s.links(w)
	}
	preflight(w, "OPTIONS, GET, HEAD, POST")
	return nil
}

func (s *Server) endpointGet(w http.ResponseWriter, r *http.Request) error {
	camera := r.PathValue("camera")
	if err := s.knows(camera); err != nil {
		return err
	}
	waiting := s.waiting()
	answer(
		w,
		http.StatusOK,
		map[string]any{"camera": camera, "viewers": s.Viewers(camera), "connecting": waiting, "places": s.bound()},
	)
	return nil
}

func (s *Server) endpointPost(w http.ResponseWriter, r *http.Request) error {
	epoch := s.rights() // before the body, which the client may hold back as long as it likes
	camera := r.PathValue("camera")
	if err := s.knows(camera); err != nil {
		return err
	}
	if err := wants(r, typeSDP); err != nil {
		return err
	}
	how, err := wishOf(r)
	if err != nil {
		return err
	}
	offer, err := body(w, r, typeSDP)
	if err != nil {
		return err
	}
	if err := checkOffer(offer); err != nil {
		return err
	}
	if st, _ := s.opts.Service.State(camera); st.State == api.Stopped {
		return &refusal{http.StatusConflict, api.NotReady, fmt.Sprintf("camera %q is stopped: %s", camera, orElse(st.Reason, "no video yet"))}
	}
	if err := s.opts.Fault(camera); err != nil {
		return &refusal{http.StatusServiceUnavailable, api.NotReady, fmt.Sprintf("camera %q has no video: %v", camera, err)}
	}
	v, sdp, err := s.watch(r.Context(), epoch, camera, hostOf(r.RemoteAddr), how, offer)
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", typeSDP)
	h.Set("Location", s.opts.BasePath+"/whep/"+url.PathEscape(camera)+"/"+v.id)
	h.Set("ETag", v.etag)
	h.Set("Accept-Patch", typeFragment)
	s.links(w)
	w.WriteHeader(http.StatusCreated)
	_, _ = io.WriteString(w, sdp) // #nosec G705 -- SDP of our own, and said to be that
	return nil
}

// wish is what a viewer asks for beside the video.
type wish struct {
	clean  bool // the picture without the overlay: it draws the objects itself
	deltas bool // what has changed in the list of objects, in place of the whole list with every picture
}

// wishOf reads what a viewer asks for, overlay=agent|client and objects=full|delta.
func wishOf(r *http.Request) (w wish, err error) {
	for _, p := range []struct {
		name, usual, other string
		to                 *bool
	}{{"overlay", "agent", "client", &w.clean}, {"objects", "full", typeDelta, &w.deltas}} {
		switch value := r.URL.Query().Get(p.name); value {
		case "", p.usual:
		case p.other:
			*p.to = true
		default:
			return w, &refusal{http.StatusBadRequest, api.BadRequest, fmt.Sprintf("%s is %s or %s, not %q", p.name, p.usual, p.other, value)}
		}
	}
	return w, nil
}

func (s *Server) sessionOptions(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Accept-Patch", typeFragment)
	preflight(w, "OPTIONS, GET, HEAD, PATCH, DELETE")
	return nil
}

func (s *Server) sessionGet(w http.ResponseWriter, r *http.Request) error {
	v, err := s.session(r)
	if err != nil {
		return err
	}
	v.mu.Lock()
	w.Header().Set("ETag", v.etag)
	v.mu.Unlock()
	answer(w, http.StatusOK, v.stats())
	return nil
}

func (s *Server) sessionDelete(w http.ResponseWriter, r *http.Request) error {
	v, err := s.session(r)
	if err != nil {
		return err
	}
	v.cancel()
	w.WriteHeader(http.StatusOK)
	return nil
}

// session is the viewer that the path names.
func (s *Server) session(r *http.Request) (*viewer, error) {
	if v := s.viewer(r.PathValue("viewer")); v != nil && v.camera == r.PathValue("camera") && v.ctx.Err() == nil {
		return v, nil
	}
	return nil, &refusal{http.StatusNotFound, api.BadRequest, "there is no such session: it has ended, or never was"}
}

func (s *Server) knows(camera string) error {
	if slices.Contains(s.opts.Service.Cameras(), camera) {
		return nil
	}
	return &refusal{http.StatusNotFound, api.UnknownCamera, fmt.Sprintf("there is no camera %q", camera)}
}

// links names the ICE servers (draft-ietf-wish-whep, "STUN/TURN server configuration").
func (s *Server) links(w http.ResponseWriter) {
	for _, srv := range s.opts.ICEServers {
		for _, u := range srv.URLs {
			link := "<" + u + `>; rel="ice-server"`
			if srv.Username != "" {
				link += fmt.Sprintf(`; username=%q; credential=%q; credential-type="password"`, srv.Username, srv.Credential)
			}
			w.Header().Add("Link", link)
		}
	}
}

// wants checks that the client takes the type of the answer.
func wants(r *http.Request, kind string) error {
	accept := r.Header.Values("Accept")
	if len(accept) == 0 {
		return nil
	}
	main, _, _ := strings.Cut(kind, "/")
	for part := range strings.SplitSeq(strings.Join(accept, ","), ",") {
		t, params, err := mime.ParseMediaType(strings.TrimSpace(part))
		if err == nil && (t == kind || t == main+"/*" || t == "*/*") && params["q"] != "0" {
			return nil
		}
	}
	return &refusal{http.StatusNotAcceptable, api.BadRequest, "the answer is " + kind + ", which Accept does not name"}
}

// body reads a body of the given type.
func body(w http.ResponseWriter, r *http.Request, kind string) ([]byte, error) {
	if t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || t != kind {
		return nil, &refusal{
			http.StatusUnsupportedMediaType,
			api.BadRequest,
			fmt.Sprintf("the body must be %s, not %q", kind, r.Header.Get("Content-Type")),
		}
	}
	b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxBody))
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return nil, &refusal{http.StatusRequestEntityTooLarge, api.TooLarge, fmt.Sprintf("the body is over %d bytes", MaxBody)}
	}
	if err != nil {
		return nil, &refusal{http.StatusBadRequest, api.BadRequest, "the body could not be read: " + err.Error()}
	}
	return b, nil
}

// hostOf is an address without its port.
func hostOf(addr string) string {
	if host, _, err := net.SplitHostPort(addr); err == nil {
		return host
	}
	return addr
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}
