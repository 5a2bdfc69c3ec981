package homeassistant

import (
	"fmt"
	"strings"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/seg"
)

// describing makes a camera's components.
type describing struct {
	id     string // the head of the unique ids
	prefix string // the head of the camera's topics
	online Availability
	out    map[string]Entity
}

// camera is a camera's device.
func (a Agent) camera(c *Camera) Device {
	d := describing{
		id: "segedge/" + a.Name + "/" + c.Name + "/", prefix: a.Prefix + "/" + c.Name + "/", online: a.online(), out: map[string]Entity{},
	}
	d.health()
	d.controls()
	d.presence(c.Names)
	for _, z := range c.Zones {
		d.zone(z.Name)
	}
	for _, l := range c.Lines {
		d.line(l.Name)
	}
	for name, topic := range c.Images {
		d.image(name, topic)
	}
	object := strings.ReplaceAll(c.Name, ".", "_")
	if object != c.Name {
		object += "_" + short(c.Name)
	}
	device := map[string]any{
		"identifiers": []string{"segedge/" + a.Name + "/" + c.Name}, "name": a.Name + " " + c.Name, "manufacturer": "segedge", "model": "camera",
		"sw_version": a.Info.Version, "via_device": node(a.Name),
	}
	a.link(device)
	return Device{
		Topic: "device/" + node(a.Name) + "/" + object + "/config", device: device,
		origin: a.origin(), available: []Availability{d.online, d.running()}, Components: d.out,
	}
}

func (d *describing) topic(what string) string { return d.prefix + what }

// running is the availability of what a camera that gives no pictures cannot tell.
func (d *describing) running() Availability {
	return Availability{d.topic("state"), "{{ 'online' if value_json.state in ['running', 'paused'] else 'offline' }}"}
}

// add puts a component under a key of its own. What carries somebody's name has a hash of it in the key.
func (d *describing) add(kind, name string, e Entity) {
	key := kind
	e.UniqueID = d.id + kind
	if name != "" {
		key, e.UniqueID = kind+"_"+short(name), e.UniqueID+"/"+name
	}
	d.out[key] = e
}

// health is what the camera itself does: available as long as the agent is there.
func (d *describing) health() {
	there := []Availability{d.online}
	d.add("state", "", Entity{
		Platform: "sensor", Name: "State", Icon: "mdi:cctv", DeviceClass: "enum", Category: "diagnostic", AvailableWhen: there,
		Options:    []string{api.Running, api.Stalled, api.Stopped, api.Paused},
		StateTopic: d.topic("state"), Value: "{{ value_json.state }}", Attributes: d.topic("state"),
		AttributesOf: "{{ dict(width=value_json.width, height=value_json.height) | tojson }}",
	})
	d.add("problem", "", Entity{
		Platform: "binary_sensor", Name: "Camera down", DeviceClass: "problem", Category: "diagnostic", AvailableWhen: there,
		StateTopic: d.topic("state"), Value: "{{ 'ON' if value_json.state in ['stalled', 'stopped'] else 'OFF' }}",
	})
	d.add("fps", "", Entity{
		Platform: "sensor", Name: "Frame rate", Icon: "mdi:speedometer", StateClass: "measurement", Unit: "fps", Category: "diagnostic",
		StateTopic: d.topic("presence"), Value: "{{ value_json.fps }}",
	})
}

// command is a command's body; its id is never the same twice.
func command(rest string) string {
	return `{"id":"ha-{{ now().timestamp() }}","reply":"homeassistant"` + rest + `}`
}

// controls are the switch and the buttons.
func (d *describing) controls() {
	d.add("pause", "", Entity{
		Platform: "switch", Name: "Pause", Icon: "mdi:pause-circle-outline", Category: "config",
		StateTopic: d.topic("state"), Value: "{{ 'true' if value_json.state == 'paused' else 'false' }}",
		CommandTopic: d.topic("cmd/pause"), Command: command(`,"paused":{{ value }}`), PayloadOn: "true", PayloadOff: "false",
	})
	for _, b := range []struct{ verb, name, icon, category string }{
		{"clear", "Clear", "mdi:eraser", ""},
		{"snapshot", "Snapshot", "mdi:camera", ""},
		{"automask", "Find objects", "mdi:shape-plus", ""},
		{"keyframe", "Keyframe", "mdi:key-outline", "diagnostic"},
	} {
		d.add(b.verb, "", Entity{
			Platform: "button", Name: b.name, Icon: b.icon, Category: b.category, CommandTopic: d.topic("cmd/" + b.verb), Command: command(""),
		})
	}
}

// presence is what the camera sees: how many objects, and for each name whether one is there and how many.
func (d *describing) presence(names []string) {
	d.add("count", "", d.count("Objects", "value_json.objects"))
	for _, name := range names {
		there := "(value_json.names[" + quote(name) + "] | default(0))"
		d.add("name", name, d.occupancy(name, there))
		d.add("name_count", name, d.count(name+" count", there))
	}
	d.event("events", "", "Objects", "mdi:shape-outline", map[seg.EventType]string{
		seg.ObjectNew: "new", seg.ObjectLost: "lost", seg.ObjectRecovered: "recovered", seg.ObjectEnded: "ended",
	}, "true", "")
}

func (d *describing) occupancy(name, objects string) Entity {
	return Entity{
		Platform: "binary_sensor", Name: name, DeviceClass: "occupancy", StateTopic: d.topic("presence"),
		Value: "{{ 'ON' if " + objects + " > 0 else 'OFF' }}",
	}
}

func (d *describing) count(name, objects string) Entity {
	return Entity{
		Platform: "sensor", Name: name, Icon: "mdi:counter", StateClass: "measurement",
		StateTopic: d.topic("presence"), Value: "{{ " + objects + " }}",
	}
}

// zone is who is in a zone, how many, for how long the last one was, and who enters and leaves.
func (d *describing) zone(name string) {
	zone := "(value_json.zones[" + quote(name) + "] | default({}))"
	d.add("zone", name, d.occupancy(name, zone+".objects | default(0)"))
	d.add("zone_count", name, d.count(name+" count", zone+".objects | default(0)"))
	d.add("zone_dwell", name, Entity{
		Platform: "sensor", Name: name + " dwell", DeviceClass: "duration", StateClass: "measurement", Unit: "s", Precision: new(int),
		StateTopic: d.topic("presence"), Value: "{{ " + zone + ".dwell | default(none) }}",
	})
	d.event("zone_events", name, name+" events", "mdi:map-marker-radius", map[seg.EventType]string{
		seg.ZoneEntered: "entered", seg.ZoneLeft: "left",
	}, "value_json.zone | default('') == "+quote(name), ", dwell=value_json.dwell_s | default(0) | round(1)")
}

// line is how often a line was crossed, and each crossing.
func (d *describing) line(name string) {
	for _, way := range []string{"in", "out"} {
		d.add("line_"+way, name, Entity{
			Platform: "sensor", Name: name + " " + way, Icon: "mdi:arrow-decision", StateClass: "total_increasing", StateTopic: d.topic("presence"),
			Value: "{{ (value_json.lines[" + quote(name) + "] | default({}))['" + way + "'] | default(0) }}",
		})
	}
	d.event("line_events", name, name+" events", "mdi:arrow-decision", map[seg.EventType]string{seg.LineCrossed: "crossed"},
		"value_json.line | default('') == "+quote(name), ", direction='in' if value_json.direction == 'right' else 'out'")
}

// event is an entity that tells what happens: of these types, where the condition holds, with more attributes. What is none of its business
// becomes nothing, which Home Assistant passes over.
func (d *describing) event(kind, name, label, icon string, types map[seg.EventType]string, when, more string) {
	var known []string
	var pairs []string
	for _, t := range []seg.EventType{
		seg.ObjectNew, seg.ObjectLost, seg.ObjectRecovered, seg.ObjectEnded, seg.ZoneEntered, seg.ZoneLeft, seg.LineCrossed,
	} {
		if word, ok := types[t]; ok {
			known, pairs = append(known, word), append(pairs, fmt.Sprintf("'%s': '%s'", t, word))
		}
	}
	d.add(kind, name, Entity{
		Platform: "event", Name: label, Icon: icon, StateTopic: d.topic("events"), EventTypes: known,
		Value: "{% set types = {" + strings.Join(pairs, ", ") + "} %}{% set object = value_json.after or value_json.before %}" +
			"{% if value_json.type in types and object and " + when + " %}" +
			"{{ dict(event_type=types[value_json.type], name=object.name, object=object.id" + more + ") | tojson }}{% endif %}",
	})
}

// image is a picture that is retained.
func (d *describing) image(name, topic string) {
	label := "Picture"
	if name != "" {
		label = name + " picture"
	}
	d.add("image", name, Entity{Platform: "image", Name: label, ImageTopic: topic, ContentType: "image/jpeg"})
}

// quote writes a name as a string of a template: everything but plain letters is escaped, so that nothing in it means anything there.
func quote(s string) string {
	var out strings.Builder
	out.WriteByte('\'')
	for _, r := range s {
		switch {
		case r < 0x80 && (r == ' ' || r == '_' || r == '-' || r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z'):
			out.WriteRune(r)
		case r <= 0xFFFF:
			fmt.Fprintf(&out, `\u%04x`, r)
		default:
			fmt.Fprintf(&out, `\U%08x`, r)
		}
	}
	out.WriteByte('\'')
	return out.String()
}
