package mqtt

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/segedge/segedge/api"
)

// Topics are the topics of one agent (docs/mqtt.md).
type Topics struct {
	Prefix   string
	Confined bool // no answer goes anywhere but to the topics of answers
}

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

// replyTo is where the answer to a command goes: to the response topic that an MQTT 5 client named, else to the client's own.
func (t Topics) replyTo(m Message, cmd api.Command) address {
	camera, _, _ := t.ParseCommand(m.Topic)
	switch {
	case m.ResponseTopic != "" && t.mayAnswer(m.ResponseTopic):
		return address{m.ResponseTopic, m.Correlation}
	case cmd.Reply != "" && api.ValidName(camera):
		return address{t.Reply(camera, cmd.Reply), m.Correlation}
	}
	return address{}
}

// mayAnswer reports whether a client may have answers sent to a topic: not to the broker's own, and of the agent's to none
// but its replies. Where commands go none does, be it another agent's or all agents': a command could be made to give another.
func (t Topics) mayAnswer(topic string) bool {
	if validTopic(topic) != nil || strings.HasPrefix(topic, "$") {
		return false
	}
	parts := strings.Split(topic, "/")
	if n := len(parts); n >= 2 && parts[n-2] == "cmd" {
		return false
	}
	rest, own := strings.CutPrefix(topic, t.Prefix+"/")
	parts = strings.Split(rest, "/")
	return !own && !t.Confined || own && len(parts) == 3 && parts[1] == "reply"
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
	if err := validTopic(p); err != nil || len(p) > 256 || p[0] == '$' || p[0] == '/' || strings.HasSuffix(p, "/") {
		return fmt.Errorf("the prefix %q cannot begin a topic: no +, #, leading $ or /, trailing / or character that cannot be shown", p)
	}
	return nil
}

// validTopic checks that a topic may be published to: at least one character, no wildcard (MQTT 3.1.1, section 4.7), and
// only text that a broker does not end the connection for.
func validTopic(t string) error {
	if t == "" || strings.ContainsAny(t, "+#") {
		return fmt.Errorf("%q is no topic to publish to", t)
	}
	return validText(t)
}

// validText checks a string as MQTT 3.1.1 wants it (section 1.5.3): 65,535 bytes of UTF-8 without NUL and, since brokers
// may end the connection for them, without control characters and non-characters.
func validText(s string) error {
	if len(s) > 65535 || !utf8.ValidString(s) {
		return fmt.Errorf("%.40q… is over 65,535 bytes or not UTF-8", s)
	}
	for _, r := range s {
		if unicode.IsControl(r) || r >= 0xFDD0 && r <= 0xFDEF || r&0xFFFE == 0xFFFE {
			return fmt.Errorf("%.80q has the character %U in it", s, r)
		}
	}
	return nil
}
