package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/mqtt/client"
)

// table is what watch --table shows: the cameras and their live objects, written anew whenever the agent says something of them.
type table struct {
	name    string // only objects with it; empty for all
	states  map[string]api.State
	objects map[string]api.ObjectList
	status  string
	last    string
}

func newTable(name string) *table {
	return &table{name: name, states: map[string]api.State{}, objects: map[string]api.ObjectList{}}
}

// take reads a message; what is neither a state, a list nor the status is passed over.
func (t *table) take(m client.Message) {
	var s api.State
	var o api.ObjectList
	switch {
	case m.Kind == "status":
		t.status = string(m.Payload)
	case m.Kind == "state" && json.Unmarshal(m.Payload, &s) == nil:
		t.states[s.Camera] = s
	case m.Kind == "objects" && json.Unmarshal(m.Payload, &o) == nil:
		t.objects[o.Camera] = o
	}
}

// refresh writes the table over the one before, if it is another.
func (t *table) refresh(w io.Writer) error {
	text := t.String()
	if text == t.last {
		return nil
	}
	t.last = text
	if isTerminal(w) {
		text = "\x1b[H\x1b[J" + text // home, and clear to the end (ECMA-48)
	}
	_, err := io.WriteString(w, text)
	return err
}

func (t *table) String() string {
	var out strings.Builder
	fmt.Fprintf(&out, "agent %s\n", t.status)
	w := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	for _, camera := range slices.Sorted(maps.Keys(t.states)) {
		s := t.states[camera]
		fmt.Fprintf(w, "\n%s\t%s\t%.1f fps\t%dx%d\t%s\n", camera, s.State, s.FPS, s.Width, s.Height, s.Reason)
		for _, o := range t.objects[camera].Objects {
			if t.name != "" && o.Name != t.name {
				continue
			}
			seconds := time.Duration(float64(o.Age) / max(1, s.FPS) * float64(time.Second)).Round(time.Second)
			fmt.Fprintf(w, "%s\t%s\t%s\t%.1f %%\t%.2f,%.2f\t%s\n", o.ID, o.Name, o.State, 100*o.Area, o.Centroid[0], o.Centroid[1], seconds)
		}
	}
	if err := w.Flush(); err != nil {
		return err.Error() // a strings.Builder takes everything
	}
	return out.String()
}
