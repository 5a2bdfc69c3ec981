// Package homeassistant describes an agent to Home Assistant (MQTT discovery by device, Home Assistant 2024.11 and later): a device for the
// agent and one for each camera. It knows the entities and the templates that read the agent's topics; it sends nothing and remembers
// nothing. Entities are called after cameras, zones, lines and the names of objects, never after an object's id, so that an automation
// outlives the objects. Home Assistant writes down every change of a state or an attribute: no entity reads what changes with every frame.
package homeassistant

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"strings"

	"github.com/segedge/segedge/api"
)

// Agent is who is described.
type Agent struct {
	Name   string
	Prefix string // of its topics
	Page   string // address of its page; may be empty
	Info   api.Info
}

// Camera is one of its cameras.
type Camera struct {
	Name  string
	Zones []api.Zone
	Lines []api.Line
	Names []string // of objects
	// Images are the topics of the pictures: under the empty name the whole picture, under an object's name its crop. Nil where none are sent.
	Images map[string]string
}

// Device is a device and its entities.
type Device struct {
	Topic      string // of the description, behind the discovery prefix
	Components map[string]Entity
	device     map[string]any
	origin     map[string]any
	available  []Availability
}

// Availability is a topic that says whether an entity means anything now.
type Availability struct {
	Topic string `json:"topic"`
	Value string `json:"value_template"`
}

// Entity is one component of a device. One with a platform alone takes the component of its key away.
type Entity struct {
	Platform      string         `json:"platform"`
	Name          string         `json:"name,omitempty"`
	UniqueID      string         `json:"unique_id,omitempty"`
	StateTopic    string         `json:"state_topic,omitempty"`
	Value         string         `json:"value_template,omitempty"`
	Attributes    string         `json:"json_attributes_topic,omitempty"`
	AttributesOf  string         `json:"json_attributes_template,omitempty"`
	DeviceClass   string         `json:"device_class,omitempty"`
	StateClass    string         `json:"state_class,omitempty"`
	Unit          string         `json:"unit_of_measurement,omitempty"`
	Precision     *int           `json:"suggested_display_precision,omitempty"`
	Options       []string       `json:"options,omitempty"`
	EventTypes    []string       `json:"event_types,omitempty"`
	CommandTopic  string         `json:"command_topic,omitempty"`
	Command       string         `json:"command_template,omitempty"`
	PayloadOn     string         `json:"payload_on,omitempty"`
	PayloadOff    string         `json:"payload_off,omitempty"`
	ImageTopic    string         `json:"image_topic,omitempty"`
	ContentType   string         `json:"content_type,omitempty"`
	Category      string         `json:"entity_category,omitempty"`
	Icon          string         `json:"icon,omitempty"`
	AvailableWhen []Availability `json:"availability,omitempty"`
}

// node is the agent's name as a discovery topic takes it: letters, digits, '_' and '-'. One that has other characters gets a hash, so that
// no two agents share a topic.
func node(agent string) string {
	plain := strings.ReplaceAll(agent, ".", "_")
	if plain != agent {
		plain += "_" + short(agent)
	}
	return "segedge_" + plain
}

// short tells names apart in few characters.
func short(s string) string {
	sum := fnv.New32a()
	_, _ = sum.Write([]byte(s))
	return fmt.Sprintf("%08x", sum.Sum32())
}

// Devices are the agent and its cameras.
func (a Agent) Devices(cameras []Camera) []Device {
	out := []Device{a.itself()}
	for i := range cameras {
		out = append(out, a.camera(&cameras[i]))
	}
	return out
}

// online is the availability of everything: the agent is there.
func (a Agent) online() Availability {
	return Availability{a.Prefix + "/status", "{{ 'online' if value == 'online' else 'offline' }}"}
}

func (a Agent) origin() map[string]any {
	return map[string]any{"name": "segedge", "sw_version": a.Info.Version, "support_url": "https://github.com/segedge/segedge"}
}

// link has a device lead to the page, where there is one.
func (a Agent) link(device map[string]any) {
	if a.Page != "" {
		device["configuration_url"] = a.Page
	}
}

// itself is the agent's own device: whether it is connected, and what it runs.
func (a Agent) itself() Device {
	device := map[string]any{
		"identifiers": []string{node(a.Name)}, "name": "segedge " + a.Name, "manufacturer": "segedge", "model": a.Info.Model,
		"sw_version": a.Info.Version,
	}
	a.link(device)
	id := "segedge/" + a.Name + "/"
	info := func(name, field, icon string) Entity {
		return Entity{
			Platform: "sensor", Name: name, UniqueID: id + field, StateTopic: a.Prefix + "/info", Icon: icon,
			Value: "{{ value_json." + field + " }}", Category: "diagnostic",
		}
	}
	return Device{
		Topic: "device/" + node(a.Name) + "/config", device: device, origin: a.origin(), available: []Availability{a.online()},
		Components: map[string]Entity{
			"connected": {
				Platform: "binary_sensor", Name: "Connected", UniqueID: id + "connected", DeviceClass: "connectivity", Category: "diagnostic",
				StateTopic: a.Prefix + "/status", Value: "{{ 'ON' if value == 'online' else 'OFF' }}",
				AvailableWhen: []Availability{{a.Prefix + "/status", "online"}}, // it is what tells
			},
			"model":    info("Model", "model", "mdi:brain"),
			"provider": info("Provider", "provider", "mdi:chip"),
		},
	}
}

// Payload is the device's description with these components.
func (d Device) Payload(components map[string]Entity) ([]byte, error) {
	return json.Marshal(map[string]any{
		"device": d.device, "origin": d.origin, "availability": d.available, "availability_mode": "all", "qos": 1, "components": components,
	})
}
