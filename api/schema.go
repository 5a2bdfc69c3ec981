package api

import (
	"bytes"
	"encoding/json"
	"maps"
	"reflect"
	"slices"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/seg"
)

// codes and eventTypes are the closed lists of the schema; a test holds the codes to the constants.
var (
	codes = []Code{
		BadJSON, BadRequest, UnknownVerb, UnknownCamera, UnknownObject, NotReady, Unsupported, NothingFound, Overloaded, Timeout, Internal,
		TooLarge, Unauthorised, Forbidden, AlreadyRunning, Conflict,
	}
	eventTypes = seg.EventTypes()
)

// ObjectList is Objects as a consumer reads it.
type ObjectList struct {
	Schema  int          `json:"schema"`
	Camera  string       `json:"camera"`
	Frame   seg.FrameRef `json:"frame"`
	AsOfSeq uint64       `json:"as_of_seq"` // the newest event that this list includes
	Objects []Object     `json:"objects"`   // without masks
}

// Masks is a message of a camera's masks stream: one frame's objects, each with its mask.
type Masks struct {
	Schema  int          `json:"schema"`
	Camera  string       `json:"camera"`
	Frame   seg.FrameRef `json:"frame"`
	Objects []Object     `json:"objects"`
}

// JSONSchema is the JSON Schema (draft 2020-12) of everything that crosses a door: under $defs a definition
// command.<verb> for each command, and reply, reply.prompt, reply.snapshot, reply.record and reply.remove (their results), event, state,
// objects, info, masks and clips. It is made from the types.
func JSONSchema() []byte {
	defs := object{}
	out := schemaOf{defs: defs}
	for name, t := range map[string]reflect.Type{
		"reply": reflect.TypeFor[Reply](), "event": reflect.TypeFor[Event](), "state": reflect.TypeFor[State](),
		"objects": reflect.TypeFor[ObjectList](), "info": reflect.TypeFor[Info](), "masks": reflect.TypeFor[Masks](),
		"presence":     reflect.TypeFor[Presence](),
		"reply.prompt": reflect.TypeFor[PromptResult](), "reply.snapshot": reflect.TypeFor[Snapshot](),
		"reply.record": reflect.TypeFor[Clip](), "reply.remove": reflect.TypeFor[Changed](), "clips": reflect.TypeFor[Clips](),
	} {
		defs[name] = out.structOf(t)
	}
	describeDocuments(defs)
	commands(defs)
	doc := object{
		"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "https://github.com/segedge/segedge/docs/schema.json",
		"title": "segedge",
		"description": "What segedge says and takes over MQTT, HTTP and the WebRTC data channel. " +
			"Unknown fields of a command are refused; a consumer ignores unknown fields of everything else.",
		"$defs": defs,
	}
	var buf bytes.Buffer
	e := json.NewEncoder(&buf)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(doc); err != nil {
		return nil // maps, strings and numbers always encode
	}
	return buf.Bytes()
}

// describeDocuments says what Go's types cannot.
func describeDocuments(defs object) {
	say := func(def, field string, with object) {
		props := defs[def].(object)["properties"].(object)
		maps.Copy(props[field].(object), with)
	}
	for _, def := range []string{"reply", "event", "state", "objects", "info", "masks", "presence", "clips"} {
		say(def, "schema", object{"const": Schema})
	}
	props := defs["event"].(object)["properties"].(object)
	for _, side := range []string{"before", "after"} {
		props[side] = object{"anyOf": []object{{"type": "null"}, {"$ref": "#/$defs/object"}}}
	}
	props["mask_reduced"] = object{
		"enum": []string{"outline", "none", "bare"},
		"description": "the broker takes no more bytes: after has an outline (polygons) instead of its mask, or neither; " +
			"bare: before is left out as well",
	}
	say("event", "event_id", object{
		"description": "<stream>-<seq>: unique, the same whenever the event is delivered again; a lost journal begins a new stream",
	})
	say("event", "seq", object{"minimum": 1, "description": "counts per camera and survives restarts; a gap is explained by events.dropped"})
	scenes := []string{
		frame.SceneOK.String(), frame.SceneDark.String(), frame.SceneBlurred.String(), frame.SceneFrozen.String(), frame.SceneMoved.String(),
	}
	say("state", "scene", object{"enum": scenes, "description": "what the picture as a whole is worth"})
	eventFields(defs, scenes)
	say("state", "state", object{"enum": []string{Running, Stalled, Stopped, Paused}})
	say("object", "id", object{"description": "<camera>-<n>, never reused"})
	for _, def := range []string{"object", "candidate"} {
		for _, field := range []string{"box", "centroid"} {
			if p, ok := defs[def].(object)["properties"].(object)[field]; ok {
				p.(object)["items"] = unit()
			}
		}
		say(def, "area", object{"minimum": 0, "maximum": 1, "description": "fraction of the frame"})
	}
}

// eventFields adds what some types of events have beside the others: a definition event.<type> for each, which an event of that type
// fulfils too.
func eventFields(defs object, scenes []string) {
	text := func(what string) object { return object{"type": "string", "description": what} }
	number := func(what string) object { return object{"type": "integer", "minimum": 1, "description": what} }
	reason := object{"reason": text("one sentence")}
	undone := object{"const": true, "description": "it had ended by a command, which was undone; absent for any other reason"}
	var cases []object
	for _, e := range []struct {
		typ      seg.EventType
		fields   object
		optional []string
	}{
		{seg.ObjectEnded, object{
			"removed":   object{"const": true, "description": "it was removed or cleared; absent where it was given up"},
			"double_of": text("the object that goes on: a phrase that is followed had made two of one thing; absent for any other reason"),
		}, []string{"removed", "double_of"}},
		{seg.ObjectRecovered, object{"undone": undone}, []string{"undone"}},
		{seg.ObjectLost, object{"undone": undone}, []string{"undone"}},
		{seg.ZoneEntered, object{"zone": text("its name")}, nil},
		{seg.ZoneLeft, object{
			"zone": text("its name"), "dwell_frames": object{"type": "integer", "minimum": 0},
			"dwell_s": object{"type": "number", "minimum": 0, "description": "how long the object was in it, in seconds"},
		}, nil},
		{seg.LineCrossed, object{
			"line":      text("its name"),
			"direction": object{"enum": []string{"left", "right"}, "description": "as seen by who looks along the line"},
		}, nil},
		{seg.CameraStalled, reason, nil},
		{seg.CameraRecovered, reason, nil},
		{seg.CameraScene, object{
			"scene": object{"enum": scenes, "description": "what the picture as a whole has become"},
			"was":   object{"enum": scenes, "description": "what it was before"},
		}, nil},
		{seg.ClipFinished, object{"clip": object{"$ref": "#/$defs/clip", "description": "as the list of clips has it"}}, nil},
		{seg.ModelChanged, object{"from": text("the model before"), "to": text("the model after")}, nil},
		{seg.EventsDropped, object{"from": number("the first number that will never come"), "to": number("the last one")}, nil},
		{seg.CommandRejected, object{
			"verb": text("as it was in the topic"), "id": text("the command's"), "client": text("what it named as reply"),
			"code": object{"enum": codes}, "message": text("one sentence"), "others": number("refused since the one before, and not told"),
		}, []string{"others"}},
	} {
		name := "event." + string(e.typ)
		def := object{"type": "object", "properties": e.fields, "required": slices.Sorted(maps.Keys(e.fields))}
		relax(def, e.optional)
		defs[name] = def
		is := object{"properties": object{"type": object{"const": e.typ}}}
		cases = append(cases, object{"if": is, "then": object{"$ref": "#/$defs/" + name}})
	}
	defs["event"].(object)["allOf"] = cases
}

// optional are the fields of commands that may be left out although their Go type does not say so.
var optional = map[string][]string{"zone": {"points"}, "line": {"points"}, "click": {"label"}}

// commands adds a definition for each verb.
func commands(defs object) {
	in := schemaOf{defs: defs, closed: true}
	for _, verb := range Verbs() {
		def := in.structOf(reflect.TypeOf(verbs[verb]()).Elem())
		props := def["properties"].(object)
		props["id"] = object{
			"type": "string", "maxLength": maxName, "description": "chosen by the sender, unique per client; needed over MQTT",
		}
		props["reply"] = object{
			"type": "string", "pattern": "^[A-Za-z0-9_.-]{0,64}$",
			"description": "the client that sends the command; over MQTT the answer goes to it",
		}
		props["schema"] = object{"const": Schema}
		relax(def, optional[verb])
		for _, field := range []string{"points", "box"} {
			if p, ok := props[field].(object); ok && p["items"] != nil {
				inUnit(p["items"].(object), p)
			}
		}
		for _, field := range []string{"name", "text"} {
			if p, ok := props[field].(object); ok {
				p["maxLength"] = maxName
			}
		}
		defs["command."+verb] = def
	}
	relax(defs["click"].(object), optional["click"])
	var some []object
	for _, field := range []string{"points", "box", "mask", "text"} {
		some = append(some, object{"required": []string{field}})
	}
	defs["command.prompt"].(object)["anyOf"] = some
	defs["command.remove"].(object)["oneOf"] = []object{{"required": []string{"object"}}, {"required": []string{"objects"}}}
	defs["command.undo"].(object)["not"] = object{"required": []string{"object", "objects"}}
	for _, verb := range []string{"remove", "undo"} {
		defs["command."+verb].(object)["properties"].(object)["objects"].(object)["maxItems"] = mostNamed
	}
	record := defs["command.record"].(object)["properties"].(object)
	record["action"].(object)["enum"] = []string{RecordStart, RecordStop, RecordAround}
	record["seconds"].(object)["minimum"], record["seconds"].(object)["maximum"] = 0, mostSeconds
	width := defs["command.snapshot"].(object)["properties"].(object)["width"].(object)
	width["minimum"], width["maximum"] = 0, MostWidth
	automask := defs["command.automask"].(object)["properties"].(object)
	automask["max"].(object)["minimum"] = 0
	automask["min_area"].(object)["minimum"], automask["min_area"].(object)["maximum"] = 0, 1
}

// inUnit bounds the numbers of a list, or of a list of lists.
func inUnit(items, list object) {
	switch items["type"] {
	case "number":
		list["items"] = unit()
	case "array":
		items["items"] = unit()
	}
}

// relax takes fields out of what is required.
func relax(def object, fields []string) {
	required, _ := def["required"].([]string)
	required = slices.DeleteFunc(required, func(f string) bool { return slices.Contains(fields, f) })
	delete(def, "required")
	if len(required) > 0 {
		def["required"] = required
	}
}
