package dispatch

import (
	"strings"
	"testing"

	"github.com/segedge/segedge/api"
)

// Every command's end is told once, in a flood too, refused ones with their code; a repetition is not another command.
func TestEveryEndIsTold(t *testing.T) {
	var got []Outcome
	d := New(Options{Service: &service{}, Ended: func(o Outcome) { got = append(got, o) }})
	for range 2 {
		d.Do(t.Context(), request("http session-secret", "prompt", click))
	}
	d.Do(t.Context(), request("mqtt", strings.Repeat("x", 100), `{}`))
	for range 2 * auditBurst {
		d.Do(t.Context(), request("mqtt", "undo", `{}`))
	}
	if len(got) != 2+2*auditBurst {
		t.Fatalf("%d ends of %d commands", len(got), 2+2*auditBurst)
	}
	if o := got[0]; o.Door != "http" || o.Camera != "cam" || o.Verb != "prompt" || o.ID != "1" || o.Code != "" || o.Began.IsZero() || o.Took < 0 {
		t.Errorf("%+v", o)
	}
	if o := got[1]; o.Code != api.UnknownVerb && o.Code != api.BadRequest || len(o.Verb) > auditLength+len("…") || o.Began.IsZero() {
		t.Errorf("%+v", o)
	}
}
