package mqtt

import (
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"slices"

	"github.com/segedge/segedge/atomicfile"
)

// announced remembers, over sessions and restarts, what the agent has left with a broker: its retained topics, and what it
// described to Home Assistant. So what is no longer true is taken back: a camera that was renamed, an object that ended
// while the agent was away, discovery that was switched off. It is written down before it is sent. Not safe for
// concurrent use.
type announced struct {
	path  string // empty keeps nothing
	log   *slog.Logger
	quiet bool
	stuck map[string]bool // stale topics that the broker does not let be cleared
	kept
}

// kept is what the file holds.
type kept struct {
	Broker string          `json:"broker"` // and the agent is not part of it: one that is renamed takes its old topics back
	Topics map[string]bool `json:"topics"`
	// Devices are the descriptions for Home Assistant by topic: their components and the components' platforms.
	Devices map[string]map[string]string `json:"devices,omitempty"`
}

func loadAnnounced(path, broker string, log *slog.Logger) *announced {
	a := &announced{path: path, log: log, stuck: map[string]bool{}}
	a.kept = kept{Broker: broker, Topics: map[string]bool{}, Devices: map[string]map[string]string{}}
	if path == "" {
		return a
	}
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return a
	}
	if err == nil {
		err = a.read(data)
	}
	if err != nil {
		log.Warn("what was left with the broker is not known any more: retained topics of cameras that are gone stay", "error", err)
	}
	return a
}

// read takes over what an earlier run wrote, if that was for the same broker.
func (a *announced) read(data []byte) error {
	var was struct {
		kept
		Discovery  string            `json:"discovery"` // how one device was written down before there were several
		Components map[string]string `json:"components"`
	}
	if err := json.Unmarshal(data, &was); err != nil {
		return err
	}
	if was.Broker != a.Broker || was.Topics == nil {
		return nil
	}
	if was.Devices == nil {
		was.Devices = map[string]map[string]string{}
	}
	if was.Discovery != "" {
		was.Devices[was.Discovery] = was.Components
	}
	a.kept = was.kept
	return nil
}

// topic notes a retained topic before it is sent.
func (a *announced) topic(t string) {
	delete(a.stuck, t)
	if !a.Topics[t] {
		a.Topics[t] = true
		a.save()
	}
}

// stays notes a topic that cannot be cleared: the next run will try.
func (a *announced) stays(t string) { a.stuck[t] = true }

// stale are the topics that are not among those wanted and can be cleared, as far as is known.
func (a *announced) stale(wanted map[string]bool) []string {
	var out []string
	for _, t := range slices.Sorted(maps.Keys(a.Topics)) {
		if !wanted[t] && !a.stuck[t] {
			out = append(out, t)
		}
	}
	return out
}

// cleared forgets a topic that holds nothing any more.
func (a *announced) cleared(t string) {
	delete(a.Topics, t)
	delete(a.Devices, t)
	a.save()
}

// described notes the components of a description.
func (a *announced) described(topic string, components map[string]string) {
	if known, ok := a.Devices[topic]; ok && maps.Equal(known, components) {
		return
	}
	a.Devices[topic] = maps.Clone(components)
	a.Topics[topic] = true
	a.save()
}

func (a *announced) save() {
	if a.path == "" {
		return
	}
	data, err := json.Marshal(a.kept)
	if err == nil {
		err = atomicfile.Write(a.path, append(data, '\n'))
	}
	if err != nil && !a.quiet {
		a.log.Warn("what is left with the broker cannot be written down: after a restart it would not be taken back", "error", err)
	}
	a.quiet = err != nil
}
