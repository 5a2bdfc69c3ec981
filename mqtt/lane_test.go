package mqtt

import (
	"context"
	"fmt"
	"testing"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/api/dispatch"
)

// TestACameraThatComesHasALaneOfItsOwn: neither another that came nor nonsense waits behind it.
func TestACameraThatComesHasALaneOfItsOwn(t *testing.T) {
	hold := make(chan struct{})
	s := &arriving{agent: &agent{do: func(_ context.Context, c api.Command) api.Reply {
		if c.ID != "quick" {
			<-hold
		}
		return api.Done(c.ID, nil)
	}}}
	d := newDesk(t, s.agent, t.TempDir())
	d.c.o.Service = s
	d.c.commands.dispatch = dispatch.New(dispatch.Options{Service: s, Logger: d.c.o.Logger})
	t.Cleanup(d.c.commands.dispatch.Close)
	defer close(hold)
	for i := range 2 * maxPerCamera {
		d.send("door", "clear", fmt.Sprintf(`{"id":"%d","reply":"me"}`, i))
	}
	d.send("attic", "clear", `{"id":"x","reply":"me"}`)
	d.refusal("x", api.UnknownCamera, "attic")
	d.send("gate", "clear", `{"id":"quick","reply":"me"}`)
	if _, r := d.reply(); !r.OK || r.ID != "quick" {
		t.Errorf("%+v", r)
	}
}

// arriving is a service to which two cameras were added.
type arriving struct{ *agent }

func (arriving) Cameras() []string { return []string{"cam", "door", "gate"} }
