package mqtt

import (
	"fmt"
	"strings"
)

// Topics are the topics of one agent (docs/mqtt.md).
type Topics struct{ Prefix string }

// Status is the topic of online, stopped and offline.
func (t Topics) Status() string { return t.Prefix + "/status" }

// Info is the topic of the agent's description.
func (t Topics) Info() string { return t.Prefix + "/info" }

// Camera is one of a camera's topics: state, objects, events, masks or snapshot.
func (t Topics) Camera(camera, what string) string { return t.Prefix + "/" + camera + "/" + what }

// Command is the topic that takes a command; camera and verb may be "+".
func (t Topics) Command(camera, verb string) string {
	return t.Prefix + "/" + camera + "/cmd/" + verb
}

// Reply is the topic of the answers to a client.
func (t Topics) Reply(camera, client string) string {
	return t.Prefix + "/" + camera + "/reply/" + client
}

// ParseCommand splits a command's topic.
func (t Topics) ParseCommand(topic string) (camera, verb string, ok bool) {
	rest, ok := strings.CutPrefix(topic, t.Prefix+"/")
	if !ok {
		return "", "", false
	}
	parts := strings.Split(rest, "/")
	if len(parts) != 3 || parts[1] != "cmd" || parts[0] == "" || parts[2] == "" {
		return "", "", false
	}
	return parts[0], parts[2], true
}

// validPrefix checks what all topics begin with (MQTT 3.1.1, section 4.7).
func validPrefix(p string) error {
	if p == "" || len(p) > 256 || strings.ContainsAny(p, "+#\x00") || p[0] == '$' || p[0] == '/' || strings.HasSuffix(p, "/") {
		return fmt.Errorf("the prefix %q cannot begin a topic: no +, # or leading $ or /, no trailing /", p)
	}
	return nil
}
