package agent

import (
	"testing"

	"github.com/segedge/segedge/api"
)

func TestAutomaskFollowsWhatIsThere(t *testing.T) {
	r := newRig(t, nil)
	if reply := r.do("automask", "{}"); reply.OK || reply.Error.Code != api.NotReady {
		t.Errorf("before the first frame: %+v", reply)
	}
	r.next(40)
	reply := r.do("automask", `{"max":5}`)
	if !reply.OK {
		t.Fatal(reply.Error)
	}
	first := reply.Result.(automaskResult)
	if len(first.Objects) == 0 || len(first.Objects) > 5 || first.Found < len(first.Objects) {
		t.Fatalf("%+v", first)
	}
	r.next(40)
	if reply := r.do("automask", `{"max":5}`); !reply.OK || len(reply.Result.(automaskResult).Objects) != 0 {
		t.Errorf("what is followed already is not followed twice: %+v", reply)
	}
}
