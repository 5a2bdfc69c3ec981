package mqtt

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/seg"
)

// discovery describes the agent to Home Assistant as one device (MQTT device discovery): a sensor for each camera's
// state and a binary sensor for each object, on while the object is seen. Home Assistant writes down every change of a
// state or an attribute, so the attributes are only what hardly ever changes: where an object is, is in the events.
type discovery struct {
	o      *Options
	topics Topics
	known  map[string]any // the components that were announced, by this or an earlier run
	told   bool
}

// description is a payload, with the components that there may be before it has arrived, and that there are after.
type description struct {
	payload       []byte
	before, after map[string]string
}

// newDiscovery goes on from what is known to be announced.
func newDiscovery(c *Client) discovery {
	d := discovery{o: &c.o, topics: c.topics, known: map[string]any{}}
	if c.announced.Discovery == d.topic() {
		for name, platform := range c.announced.Components {
			d.known[name] = entity{Platform: platform}
		}
	}
	return d
}

// entity is one component of the device.
type entity struct {
	Platform     string   `json:"platform"`
	Name         string   `json:"name,omitempty"`
	UniqueID     string   `json:"unique_id,omitempty"`
	StateTopic   string   `json:"state_topic,omitempty"`
	Value        string   `json:"value_template,omitempty"`
	Attributes   string   `json:"json_attributes_topic,omitempty"`
	AttributesOf string   `json:"json_attributes_template,omitempty"`
	DeviceClass  string   `json:"device_class,omitempty"`
	Options      []string `json:"options,omitempty"`
	Icon         string   `json:"icon,omitempty"`
}

// node is the agent's name as a discovery topic takes it: letters, digits, '_' and '-'.
func node(agent string) string { return "segedge_" + strings.ReplaceAll(agent, ".", "_") }

func (d *discovery) topic() string {
	return d.o.Discovery + "/device/" + node(d.o.Agent) + "/config"
}

// update returns what to send, one after the other. A component that is gone is first announced with its platform alone,
// which removes it, and then left out.
func (d *discovery) update(s api.Service) []description {
	now := d.components(s)
	gone := map[string]any{}
	for name, e := range d.known {
		if _, ok := now[name]; !ok {
			gone[name] = entity{Platform: e.(entity).Platform}
		}
	}
	if d.told && len(gone) == 0 && sameEntities(d.known, now) {
		return nil
	}
	d.known, d.told = now, true
	maps.Copy(gone, now)
	all, left := platforms(gone), platforms(now)
	var out []description
	if len(gone) > len(now) {
		out = append(out, description{d.payload(s.Info(), gone), all, all})
	}
	return append(out, description{d.payload(s.Info(), now), all, left})
}

func platforms(components map[string]any) map[string]string {
	out := make(map[string]string, len(components))
	for name, e := range components {
		out[name] = e.(entity).Platform
	}
	return out
}

func sameEntities(a, b map[string]any) bool {
	x, errA := json.Marshal(a)
	y, errB := json.Marshal(b)
	return errA == nil && errB == nil && string(x) == string(y)
}

func (d *discovery) components(s api.Service) map[string]any {
	out := map[string]any{}
	for _, camera := range s.Cameras() {
		id := node(d.o.Agent) + "_" + camera
		out[camera+"_state"] = entity{
			Platform: "sensor", Name: camera + " state", UniqueID: id + "_state", Icon: "mdi:cctv", DeviceClass: "enum",
			Options:    []string{api.Running, api.Stalled, api.Stopped, api.Paused},
			StateTopic: d.topics.Camera(camera, "state"), Value: "{{ value_json.state }}", Attributes: d.topics.Camera(camera, "state"),
			AttributesOf: "{{ dict(reason=value_json.reason | default(''), width=value_json.width, height=value_json.height) | tojson }}",
		}
		list, _ := s.Objects(camera)
		for _, o := range list.Objects {
			if o.State != seg.Ended {
				out[seg.ObjectID(camera, o.ID)] = d.object(camera, id, o)
			}
		}
	}
	return out
}

func (d *discovery) object(camera, id string, o seg.Object) entity {
	name := o.Name
	if name == "" {
		name = seg.ObjectID(camera, o.ID)
	}
	pick := fmt.Sprintf("value_json.objects | selectattr('id', 'eq', '%s')", seg.ObjectID(camera, o.ID))
	return entity{
		Platform: "binary_sensor", Name: name, UniqueID: fmt.Sprintf("%s_%d", id, o.ID), Icon: "mdi:shape-outline",
		StateTopic: d.topics.Camera(camera, "objects"),
		Value:      "{{ 'ON' if " + pick + " | selectattr('state', 'in', ['tracking', 'uncertain']) | list | count > 0 else 'OFF' }}",
		Attributes: d.topics.Camera(camera, "objects"),
		AttributesOf: "{{ dict(id='" + seg.ObjectID(camera, o.ID) +
			"', prompt=(" + pick + " | map(attribute='prompt') | first | default(''))) | tojson }}",
	}
}

func (d *discovery) payload(info api.Info, components map[string]any) []byte {
	device := map[string]any{
		"identifiers": []string{node(d.o.Agent)}, "name": "segedge " + d.o.Agent, "manufacturer": "segedge",
		"model": info.Model, "sw_version": info.Version,
	}
	if d.o.PageURL != "" {
		device["configuration_url"] = d.o.PageURL
	}
	data, err := json.Marshal(map[string]any{
		"device": device,
		"origin": map[string]any{"name": "segedge", "sw_version": info.Version, "support_url": "https://github.com/segedge/segedge"},
		"availability": []map[string]string{{
			"topic": d.topics.Status(), "value_template": "{{ 'online' if value == 'online' else 'offline' }}",
		}},
		"qos": 1, "components": components,
	})
	if err != nil {
		d.o.Logger.Error("the discovery document cannot be written", "error", err)
	}
	return data
}
