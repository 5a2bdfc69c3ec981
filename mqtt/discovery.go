package mqtt

import (
	"maps"
	"reflect"
	"slices"

	"github.com/segedge/segedge/mqtt/homeassistant"
)

// discovery keeps what Home Assistant was told of the agent's devices up to date.
type discovery struct {
	known map[string]map[string]homeassistant.Entity // by topic: the components that were announced, by this or an earlier run
	told  map[string]bool                            // topics that were told in this session
}

// description is a device's payload, with the components that there may be before it has arrived, and that there are after.
type description struct {
	topic         string
	payload       []byte
	before, after map[string]string
}

// newDiscovery goes on from what is known to be announced: components by topic.
func newDiscovery(announced map[string]map[string]string) discovery {
	d := discovery{known: map[string]map[string]homeassistant.Entity{}, told: map[string]bool{}}
	for topic, components := range announced {
		d.known[topic] = map[string]homeassistant.Entity{}
		for key, platform := range components {
			d.known[topic][key] = homeassistant.Entity{Platform: platform}
		}
	}
	return d
}

// update returns what to send, one after the other. A component that is gone is first announced with its platform alone,
// which removes it, and then left out.
func (d *discovery) update(prefix string, devices []homeassistant.Device) ([]description, error) {
	var out []description
	for _, device := range devices {
		topic, now := prefix+"/"+device.Topic, device.Components
		union := maps.Clone(now)
		for key, e := range d.known[topic] {
			if _, ok := now[key]; !ok {
				union[key] = homeassistant.Entity{Platform: e.Platform}
			}
		}
		if d.told[topic] && reflect.DeepEqual(d.known[topic], now) {
			continue
		}
		d.known[topic], d.told[topic] = now, true
		steps := []map[string]homeassistant.Entity{union, now}
		if len(union) == len(now) {
			steps = steps[1:]
		}
		for _, components := range steps {
			payload, err := device.Payload(components)
			if err != nil {
				return nil, err
			}
			out = append(out, description{topic, payload, platforms(union), platforms(components)})
		}
	}
	return out, nil
}

func platforms(components map[string]homeassistant.Entity) map[string]string {
	out := make(map[string]string, len(components))
	for key, e := range components {
		out[key] = e.Platform
	}
	return out
}

// forget makes everything be told again.
func (d *discovery) forget() { clear(d.told) }

// devices are the agent and its cameras as Home Assistant is to see them; none where discovery is off.
func (c *Client) devices() []homeassistant.Device {
	if c.o.Discovery == "" {
		return nil
	}
	var cameras []homeassistant.Camera
	for _, name := range c.o.Service.Cameras() {
		state, ok := c.o.Service.State(name)
		if !ok {
			continue
		}
		p, _ := c.presence(name)
		camera := homeassistant.Camera{Name: name, Zones: state.Zones, Lines: state.Lines, Names: slices.Sorted(maps.Keys(p.Names))}
		camera.Images = c.imageTopics(name, camera.Names)
		cameras = append(cameras, camera)
	}
	a := homeassistant.Agent{Name: c.o.Agent, Prefix: c.topics.Prefix, Info: c.o.Service.Info()}
	if c.o.PageURL != nil {
		a.Page = c.o.PageURL()
	}
	return a.Devices(cameras)
}
