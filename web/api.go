package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/api/dispatch"
)

// statuses gives every error code its HTTP status (RFC 9110, section 15).
var statuses = map[api.Code]int{
	api.BadJSON:        http.StatusBadRequest,
	api.BadRequest:     http.StatusUnprocessableEntity,
	api.UnknownVerb:    http.StatusNotFound,
	api.UnknownCamera:  http.StatusNotFound,
	api.UnknownObject:  http.StatusNotFound,
	api.NotReady:       http.StatusServiceUnavailable,
	api.Unsupported:    http.StatusUnprocessableEntity,
	api.NothingFound:   http.StatusUnprocessableEntity,
	api.Overloaded:     http.StatusTooManyRequests,
	api.Timeout:        http.StatusGatewayTimeout,
	api.Internal:       http.StatusInternalServerError,
	api.TooLarge:       http.StatusRequestEntityTooLarge,
	api.Unauthorised:   http.StatusUnauthorized,
	api.Forbidden:      http.StatusForbidden,
	api.AlreadyRunning: http.StatusConflict,
	api.Conflict:       http.StatusConflict,
}

// Status is the HTTP status that carries a reply.
func Status(r api.Reply) int {
	if r.OK || r.Error == nil {
		return http.StatusOK
	}
	if s, ok := statuses[r.Error.Code]; ok {
		return s
	}
	return http.StatusInternalServerError
}

func (s *Server) info(w http.ResponseWriter, _ *http.Request) {
	s.write(w, http.StatusOK, s.opts.Service.Info())
}

func (s *Server) schema(w http.ResponseWriter, r *http.Request) {
	if s.opts.Schema == nil {
		s.nothing(w, r)
		return
	}
	s.write(w, http.StatusOK, s.opts.Schema)
}

func (s *Server) cameras(w http.ResponseWriter, _ *http.Request) {
	names := s.opts.Service.Cameras()
	if names == nil {
		names = []string{}
	}
	s.write(w, http.StatusOK, struct {
		Schema  int      `json:"schema"`
		Cameras []string `json:"cameras"`
	}{api.Schema, names})
}

func (s *Server) state(w http.ResponseWriter, r *http.Request) {
	camera := r.PathValue("camera")
	if st, ok := s.opts.Service.State(camera); ok {
		s.write(w, http.StatusOK, st)
		return
	}
	s.reply(w, s.unknownCamera(camera))
}

func (s *Server) objects(w http.ResponseWriter, r *http.Request) {
	camera := r.PathValue("camera")
	if o, ok := s.opts.Service.Objects(camera); ok {
		s.write(w, http.StatusOK, o)
		return
	}
	s.reply(w, s.unknownCamera(camera))
}

// command reads, decodes and carries out one command.
func (s *Server) command(w http.ResponseWriter, r *http.Request) {
	camera, verb := r.PathValue("camera"), r.PathValue("verb")
	body, bad := readBody(w, r)
	if revoked(r) { // while the body was on its way
		unauthorised(w, r, "this token is not the agent's any more")
		return
	}
	if bad != nil {
		status := Status(api.Reply{Error: bad.err})
		if bad.status != 0 {
			status = bad.status
		}
		s.write(w, status, api.Refuse("", bad.err.Code, bad.err.Message))
		return
	}
	// A command does not end with its connection: who sends it again under its id learns how it ended.
	reply := s.opts.Commands.Do(context.WithoutCancel(r.Context()), dispatch.Request{
		Form: api.Form{Verb: verb}, Camera: camera, Body: body, Door: "http", Caller: api.CallerOf(r.Context()),
	})
	s.metrics.command(verb, reply)
	if reply.Error != nil && reply.Error.Code == api.Internal {
		s.opts.Logger.Error("web: a command failed", "camera", camera, "verb", verb, "error", reply.Error.Message)
	}
	if !picture(w, r, reply) {
		s.reply(w, reply)
	}
}

// picture sends a snapshot by itself to who asks for a JPEG.
func picture(w http.ResponseWriter, r *http.Request, reply api.Reply) bool {
	shot, ok := reply.Result.(*api.Snapshot)
	if !ok || !strings.HasPrefix(r.Header.Get("Accept"), "image/") {
		return false
	}
	h := w.Header()
	h.Set("Content-Type", "image/jpeg")
	h.Set("Cache-Control", "no-store")
	_, _ = w.Write(shot.JPEG)
	return true
}

func (s *Server) unknownCamera(camera string) api.Reply {
	return api.Refuse("", api.UnknownCamera, fmt.Sprintf("there is no camera %q; GET /api/v1/cameras lists them", camera))
}

func (s *Server) nothing(w http.ResponseWriter, r *http.Request) {
	s.write(w, http.StatusNotFound, api.Refuse("", api.BadRequest, fmt.Sprintf("there is nothing at %s %s", r.Method, r.URL.Path)))
}

// wrongMethod answers who reads a command's address.
func (s *Server) wrongMethod(w http.ResponseWriter, r *http.Request) {
	if !slices.Contains(api.Verbs(), r.PathValue("verb")) {
		s.nothing(w, r)
		return
	}
	w.Header().Set("Allow", http.MethodPost)
	s.write(w, http.StatusMethodNotAllowed, api.Refuse("", api.BadRequest, "a command is sent with POST"))
}

// refusal is an error reply and, where its code alone does not say it, the HTTP status.
type refusal struct {
	err    *api.Error
	status int
}

func readBody(w http.ResponseWriter, r *http.Request) ([]byte, *refusal) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, api.MaxBody))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, &refusal{err: &api.Error{Code: api.TooLarge, Message: fmt.Sprintf("the body is over %d bytes", api.MaxBody)}}
	case err != nil:
		return nil, &refusal{err: &api.Error{Code: api.BadJSON, Message: "the body did not arrive whole"}}
	}
	if t := r.Header.Get("Content-Type"); len(body) > 0 && !isJSON(t) {
		return nil, &refusal{
			err:    &api.Error{Code: api.BadRequest, Message: fmt.Sprintf("send the command as Content-Type: application/json, not %q", t)},
			status: http.StatusUnsupportedMediaType,
		}
	}
	return body, nil
}

func isJSON(contentType string) bool {
	t, _, err := mime.ParseMediaType(contentType)
	return err == nil && t == "application/json"
}

func (s *Server) reply(w http.ResponseWriter, r api.Reply) {
	status := Status(r)
	if status == http.StatusServiceUnavailable || status == http.StatusTooManyRequests {
		if w.Header().Get("Retry-After") == "" {
			w.Header().Set("Retry-After", "1")
		}
	}
	s.write(w, status, r)
}

// write answers with JSON that no cache keeps.
func (s *Server) write(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		s.opts.Logger.Error("web: encode an answer", "error", err)
		http.Error(w, "the answer could not be encoded", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n'))
}
