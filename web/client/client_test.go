package client

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/web"
)

type service struct{}

func (service) Do(_ context.Context, _ string, cmd api.Command) api.Reply {
	if cmd.Verb == "remove" {
		return api.Refuse(cmd.ID, api.UnknownObject, "there is no such object")
	}
	return api.Done(cmd.ID, cmd.Body)
}
func (service) Info() api.Info    { return api.Info{Agent: "box"} }
func (service) Cameras() []string { return []string{"cam"} }
func (service) State(c string) (api.State, bool) {
	return api.State{Camera: c, State: api.Running}, c == "cam"
}
func (service) Objects(c string) (api.Objects, bool) { return api.Objects{Camera: c}, c == "cam" }

const token = "a token that is long enough"

// newAgent is an agent's door; loopback is not needed, since it asks for a token.
func newAgent(t *testing.T) *Client {
	t.Helper()
	door, err := web.New(web.Options{Service: service{}, Token: token})
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(door)
	t.Cleanup(s.Close)
	return &Client{URL: s.URL + "/", Token: token}
}

func TestAddressesOfNoPage(t *testing.T) {
	for _, address := range []string{"", "box", "box:8080", "tcp://box:1883", "http://", ":"} {
		if _, err := (&Client{URL: address}).Get(t.Context(), "cam", "state"); err == nil || !strings.Contains(err.Error(), "write http://HOST:8080") {
			t.Errorf("%q: %v", address, err)
		}
	}
}

func TestCamerasAndInfo(t *testing.T) {
	c := newAgent(t)
	if names, err := c.Cameras(t.Context()); err != nil || len(names) != 1 || names[0] != "cam" {
		t.Errorf("%v, %v", names, err)
	}
	if info, err := c.Info(t.Context()); err != nil || !strings.Contains(string(info), `"agent":"box"`) {
		t.Errorf("%s, %v", info, err)
	}
	c.Token = "another that is long enough"
	if _, err := c.Cameras(t.Context()); err == nil {
		t.Error("a stranger is told of the cameras")
	}
}

func TestDo(t *testing.T) {
	c := newAgent(t)
	r, err := c.Do(t.Context(), "cam", "rename", api.Rename{Object: "cam-1", Name: "Tür / Küche"})
	if err != nil || !r.OK || !strings.Contains(string(r.Result), "Tür / Küche") {
		t.Errorf("%v: %+v", err, r)
	}
	if r, err := c.Do(t.Context(), "cam", "clear", nil); err != nil || !r.OK {
		t.Errorf("%v: %+v", err, r)
	}
	for verb, code := range map[string]api.Code{"remove": api.UnknownObject, "dance": api.UnknownVerb} {
		r, err := c.Do(t.Context(), "cam", verb, api.Target{Object: "cam-9"})
		if err != nil || r.OK || r.Error.Code != code {
			t.Errorf("%s: %v, %+v", verb, err, r)
		}
	}
}

func TestGet(t *testing.T) {
	c := newAgent(t)
	if data, err := c.Get(t.Context(), "cam", "state"); err != nil || !strings.Contains(string(data), `"state":"running"`) {
		t.Errorf("%v: %s", err, data)
	}
	var refused *api.Error
	if _, err := c.Get(t.Context(), "attic", "objects"); !errors.As(err, &refused) || refused.Code != api.UnknownCamera {
		t.Errorf("got %v", err)
	}
	c.Token = "wrong"
	if _, err := c.Get(t.Context(), "cam", "state"); !errors.As(err, &refused) || refused.Code != api.Unauthorised {
		t.Errorf("got %v", err)
	}
}

func TestWhatIsNoAgent(t *testing.T) {
	s := httptest.NewServer(http.NotFoundHandler())
	defer s.Close()
	c := &Client{URL: s.URL}
	if _, err := c.Do(t.Context(), "cam", "clear", nil); err == nil || !strings.Contains(err.Error(), "is it an agent?") {
		t.Errorf("got %v", err)
	}
	s.Close()
	if _, err := c.Do(t.Context(), "cam", "clear", nil); err == nil || !strings.Contains(err.Error(), "cannot be reached") {
		t.Errorf("got %v", err)
	}
	c.URL = "::"
	if _, err := c.Get(t.Context(), "cam", "state"); err == nil {
		t.Error("an address that is none")
	}
}
