package homeassistant

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/segedge/segedge/api"
)

func house() []Device {
	a := Agent{Name: "my.box", Prefix: "segedge/my.box", Page: "http://box:8080/", Info: api.Info{Version: "1.0", Model: "tiny"}}
	return a.Devices([]Camera{
		{
			Name: "cam", Zones: []api.Zone{{Name: "door"}, {Name: "Tür / Küche"}}, Lines: []api.Line{{Name: "gate"}}, Names: []string{"cup", `{{ "x" }}'`},
			Images: map[string]string{"": "segedge/my.box/cam/image", "cup": "segedge/my.box/cam/image/cup"},
		},
		{Name: "back.yard"},
	})
}

// platform is what Home Assistant's documentation says of one (home-assistant.io/integrations/<platform>.mqtt): what it needs and what it
// takes beside what all take.
type platform struct{ needs, takes []string }

var (
	everyPlatform = []string{
		"platform", "name", "unique_id", "icon", "entity_category", "availability", "json_attributes_topic", "json_attributes_template",
	}
	platforms = map[string]platform{
		"binary_sensor": {[]string{"state_topic"}, []string{"value_template", "device_class"}},
		"sensor": {[]string{"state_topic"}, []string{
			"value_template", "device_class", "state_class", "unit_of_measurement", "suggested_display_precision", "options",
		}},
		"switch": {[]string{"command_topic"}, []string{"state_topic", "value_template", "command_template", "payload_on", "payload_off"}},
		"button": {[]string{"command_topic"}, []string{"command_template"}},
		"event":  {[]string{"state_topic", "event_types"}, []string{"value_template"}},
		"image":  {[]string{"image_topic"}, []string{"content_type"}},
	}
	// units are those that a sensor's device class may have; "" is none.
	units          = map[string][]string{"duration": {"d", "h", "min", "s", "ms"}, "enum": {""}, "": {"", "fps"}}
	binaryClasses  = []string{"connectivity", "problem", "occupancy"}
	categories     = []any{nil, "config", "diagnostic"}
	stateClasses   = []any{nil, "measurement", "total_increasing"}
	deviceFields   = []string{"identifiers", "name", "manufacturer", "model", "sw_version", "configuration_url", "via_device"}
	documentFields = []string{"device", "origin", "availability", "availability_mode", "qos", "components"}
)

// TestDescriptionsKeepToTheDocumentedSchema: what Home Assistant would refuse, it refuses with the whole device or the component, silently
// for who looks at the agent.
func TestDescriptionsKeepToTheDocumentedSchema(t *testing.T) {
	ids, topics := map[string]bool{}, map[string]bool{}
	for _, d := range house() {
		payload, err := d.Payload(d.Components)
		if err != nil {
			t.Fatal(err)
		}
		var doc map[string]any
		if err := json.Unmarshal(payload, &doc); err != nil {
			t.Fatal(err)
		}
		if extra := without(doc, documentFields); len(extra) > 0 || len(doc) != len(documentFields) {
			t.Errorf("%s has %v of %v", d.Topic, extra, documentFields)
		}
		device := doc["device"].(map[string]any)
		if device["configuration_url"] != "http://box:8080/" {
			t.Errorf("%s leads to %v", d.Topic, device["configuration_url"])
		}
		if extra := without(device, deviceFields); len(extra) > 0 || device["identifiers"] == nil {
			t.Errorf("%s: device %v", d.Topic, extra)
		}
		checkTopic(t, d.Topic, topics)
		for key, c := range doc["components"].(map[string]any) {
			checkComponent(t, key, c.(map[string]any), ids)
		}
	}
}

// checkTopic: <component>/[<node>/]<object>/config, of letters, digits, '_' and '-'.
func checkTopic(t *testing.T, topic string, seen map[string]bool) {
	t.Helper()
	levels := strings.Split(topic, "/")
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"
	if seen[topic] || len(levels) < 3 || len(levels) > 4 || levels[0] != "device" || levels[len(levels)-1] != "config" ||
		strings.Trim(strings.Join(levels, ""), letters) != "" {
		t.Errorf("topic %s", topic)
	}
	seen[topic] = true
}

func without(doc map[string]any, known []string) []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(doc)), func(k string) bool { return slices.Contains(known, k) })
}

func checkComponent(t *testing.T, key string, c map[string]any, ids map[string]bool) {
	t.Helper()
	kind, _ := c["platform"].(string)
	p, ok := platforms[kind]
	if !ok {
		t.Errorf("%s is a %s", key, kind)
		return
	}
	for _, need := range append([]string{"unique_id", "name"}, p.needs...) {
		if c[need] == nil {
			t.Errorf("%s has no %s", key, need)
		}
	}
	if extra := without(c, slices.Concat(everyPlatform, p.needs, p.takes)); len(extra) > 0 {
		t.Errorf("%s, a %s, has %v", key, kind, extra)
	}
	id, _ := c["unique_id"].(string)
	if ids[id] {
		t.Errorf("%s: unique_id %s comes twice", key, id)
	}
	ids[id] = true
	class, _ := c["device_class"].(string)
	unit, _ := c["unit_of_measurement"].(string)
	if kind == "sensor" && !slices.Contains(units[class], unit) || kind == "binary_sensor" && !slices.Contains(binaryClasses, class) {
		t.Errorf("%s: device class %q with unit %q", key, class, unit)
	}
	if (class == "enum") != (c["options"] != nil) || class == "enum" && c["state_class"] != nil {
		t.Errorf("%s: an enum has options and no state class: %v", key, c)
	}
	if !slices.Contains(stateClasses, c["state_class"]) || !slices.Contains(categories, c["entity_category"]) {
		t.Errorf("%s: %v %v", key, c["state_class"], c["entity_category"])
	}
	if kind == "sensor" && c["entity_category"] == "config" || (c["json_attributes_topic"] == nil) != (c["json_attributes_template"] == nil) {
		t.Errorf("%s: %v", key, c)
	}
}

// TestHomeAssistantSeesFewChanges: no template reads what changes with every frame, and the rate only where it holds still.
func TestHomeAssistantSeesFewChanges(t *testing.T) {
	for _, d := range house() {
		for key, e := range d.Components {
			for _, field := range []string{
				"frame", "captured", "processed", "box", "centroid", "area", "predicted_iou", "stability", "mask_age", ".age", "keyframe",
			} {
				if e.Platform != "event" && strings.Contains(e.AttributesOf+e.Value, field) {
					t.Errorf("%s reads %s: %s %s", key, field, e.Value, e.AttributesOf)
				}
			}
			if strings.Contains(e.Value, "fps") && !strings.HasSuffix(e.StateTopic, "/presence") {
				t.Errorf("%s reads the rate of %s", key, e.StateTopic)
			}
		}
	}
}

func TestEntitiesByCameraZoneLineAndName(t *testing.T) {
	devices := house()
	names := map[string]string{}
	for _, e := range devices[1].Components {
		names[e.Platform+" "+e.Name] = e.UniqueID
	}
	for name, id := range map[string]string{
		"binary_sensor cup": "name/cup", "sensor cup count": "name_count/cup", "binary_sensor door": "zone/door", "sensor door count": "zone_count/door",
		"sensor door dwell": "zone_dwell/door", "event door events": "zone_events/door", "sensor gate in": "line_in/gate",
		"sensor gate out": "line_out/gate", "event gate events": "line_events/gate", "event Objects": "events", "sensor Objects": "count",
		"image Picture": "image", "image cup picture": "image/cup", "binary_sensor Camera down": "problem", "switch Pause": "pause",
		"button Clear": "clear", "button Snapshot": "snapshot", "button Keyframe": "keyframe", "button Find objects": "automask", "sensor Frame rate": "fps",
	} {
		if names[name] != "segedge/my.box/cam/"+id {
			t.Errorf("%s has the id %q", name, names[name])
		}
	}
}

// TestNamesMeanNothingInTemplates: a name may be whatever a person types.
func TestNamesMeanNothingInTemplates(t *testing.T) {
	for name, want := range map[string]string{
		"cup": "'cup'", `a'b`: `'a\u0027b'`, "{{ 7*7 }}": `'\u007b\u007b 7\u002a7 \u007d\u007d'`, "Tür": `'T\u00fcr'`, "🐕": `'\U0001f415'`, `\`: `'\u005c'`,
	} {
		if got := quote(name); got != want {
			t.Errorf("%s is %s, not %s", name, got, want)
		}
	}
}

// TestAgentsAndCamerasNeverShareATopic, whatever their names look like with '_' for '.'.
func TestAgentsAndCamerasNeverShareATopic(t *testing.T) {
	seen := map[string]bool{}
	for _, agent := range []string{"a", "a.b", "a_b"} {
		for _, d := range (Agent{Name: agent}).Devices([]Camera{{Name: "b"}, {Name: "b.c"}, {Name: "b_c"}}) {
			if seen[d.Topic] {
				t.Errorf("%s comes twice", d.Topic)
			}
			seen[d.Topic] = true
		}
	}
}

// TestHowOftenEntitiesChange: what shows a state reads what is sent at most once a second; only the event entities read the events.
func TestHowOftenEntitiesChange(t *testing.T) {
	for _, d := range house() {
		for key, e := range d.Components {
			_, reads, _ := strings.Cut(strings.TrimPrefix(e.StateTopic, "segedge/my.box/"), "/")
			if e.Platform == "event" != (reads == "events") || reads != "" && !slices.Contains([]string{"state", "presence", "events"}, reads) {
				t.Errorf("%s of %s is a %s and reads %s", key, d.Topic, e.Platform, e.StateTopic)
			}
			if e.Attributes != "" && !strings.HasSuffix(e.Attributes, "/state") {
				t.Errorf("%s of %s has attributes of %s", key, d.Topic, e.Attributes)
			}
		}
	}
}
