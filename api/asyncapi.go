package api

import (
	"encoding/json"
	"maps"
	"strings"
)

// AsyncAPI is the description of everything over MQTT as an AsyncAPI 3.0 document, from which client libraries are generated: a channel for
// each topic, an operation for each channel as the agent sees it, the messages with an example each, and the schemas of JSONSchema. It is
// made from the same types.
func AsyncAPI() ([]byte, error) {
	var schema struct {
		Defs map[string]json.RawMessage `json:"$defs"`
	}
	if err := json.Unmarshal([]byte(strings.ReplaceAll(string(JSONSchema()), "#/$defs/", "#/components/schemas/")), &schema); err != nil {
		return nil, err
	}
	channels, operations, messages := object{}, object{}, object{}
	for _, c := range topicChannels() {
		c.describe(channels, operations, messages)
	}
	return json.MarshalIndent(object{
		"asyncapi": "3.0.0",
		"info": object{
			"title": "segedge", "version": "1",
			"description": "A camera segmentation agent over MQTT. docs/mqtt.md says when what is sent, and what may be relied on.",
			"license":     object{"name": "Apache-2.0"},
		},
		"defaultContentType": "application/json",
		"servers":            object{"broker": object{"host": "localhost:1883", "protocol": "mqtt", "description": "any MQTT 3.1.1 or 5 broker"}},
		"channels":           channels, "operations": operations,
		"components": object{"messages": messages, "schemas": schema.Defs},
	}, "", "  ")
}

// channel is a topic of the agent.
type channel struct {
	name, topic string
	schema      string // of the payload: a definition, or "jpeg" or "word"
	qos         int
	retained    bool
	example     string
	what        string
}

// bare are the payloads that are no JSON, with their content types.
var bare = map[string]object{
	"jpeg": {"payload": object{"type": "string", "format": "binary"}, "contentType": "image/jpeg"},
	"word": {"payload": object{"enum": []string{"online", "stopped", "offline"}}, "contentType": "text/plain"},
}

// topicChannels are all topics.
func topicChannels() []channel {
	out := []channel{
		{"status", "status", "word", 1, true, `"online"`, "whether the agent is there; offline is its last will"},
		{"info", "info", "info", 1, true, exampleInfo, "the agent"},
		{"state", "{camera}/state", "state", 1, true, exampleState, "what the camera does, at most once a second"},
		{"objects", "{camera}/objects", "objects", 1, true, exampleObjects, "the live objects, at most four times a second"},
		{"presence", "{camera}/presence", "presence", 1, true, examplePresence, "who is where, at most once a second"},
		{"events", "{camera}/events", "event", 1, false, exampleEvent, "what happened, in order, at least once"},
		{"masks", "{camera}/masks", "masks", 0, false, exampleMasks, "one frame's masks, where mqtt.masks asks for them"},
		{"snapshot", "{camera}/snapshot", "jpeg", 0, false, "", "a picture, after the command snapshot"},
		{"image", "{camera}/image", "jpeg", 1, true, "", "the newest picture, where mqtt.images asks for it"},
		{"crop", "{camera}/image/{name}", "jpeg", 1, true, "", "a crop of the objects of a name; /, +, # and % in it are percent-encoded"},
		{"reply", "{camera}/reply/{client}", "reply", 1, false, `{"schema":1,"id":"1","ok":true}`, "answers to a client"},
	}
	for _, verb := range Verbs() {
		name := "command." + verb
		out = append(out, channel{name, "{camera}/cmd/" + verb, name, 1, false, ExampleCommand(verb), "the command " + verb})
	}
	return out
}

// describe adds a channel to the document's parts.
func (c *channel) describe(channels, operations, messages object) {
	message := object{"name": c.name, "title": c.what}
	if b, ok := bare[c.schema]; ok {
		maps.Copy(message, b)
	} else {
		message["payload"] = object{"$ref": "#/components/schemas/" + c.schema}
	}
	if c.example != "" {
		message["examples"] = []object{{"name": c.name, "payload": json.RawMessage(c.example)}}
	}
	messages[c.name] = message
	known := object{
		"prefix": object{"description": "segedge/<agent>, or mqtt.prefix", "default": "segedge/camera"},
		"camera": object{"description": "a camera's name"}, "client": object{"description": "what a command named as reply"},
		"name": object{"description": "an object's name"},
	}
	parameters := object{}
	for name := range known {
		if strings.Contains("{prefix}/"+c.topic, "{"+name+"}") {
			parameters[name] = known[name]
		}
	}
	channels[c.name] = object{
		"address": "{prefix}/" + c.topic, "description": c.what, "parameters": parameters,
		"messages": object{c.name: object{"$ref": "#/components/messages/" + c.name}},
	}
	action, command := "send", strings.HasPrefix(c.name, "command.")
	if command {
		action = "receive"
	}
	operation := object{
		"action": action, "channel": object{"$ref": "#/channels/" + c.name},
		"messages": []object{{"$ref": "#/channels/" + c.name + "/messages/" + c.name}},
		"bindings": object{"mqtt": object{"qos": c.qos, "retain": c.retained, "bindingVersion": "0.2.0"}},
	}
	if command {
		answer := []object{{"$ref": "#/channels/reply/messages/reply"}}
		operation["reply"] = object{"channel": object{"$ref": "#/channels/reply"}, "messages": answer}
	}
	operations[action+"."+c.name] = operation
}
