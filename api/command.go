package api

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// MaxBody is the largest command that any door reads, in bytes: a mask of a whole 4K frame has room.
const MaxBody = 64 << 10

// Command is a decoded command. Body is one of the types below, by its verb.
type Command struct {
	Verb  string
	ID    string // chosen by the sender; answered with the reply
	Reply string // the client that sent it, of the form ValidReply; over MQTT also where the answer goes. May be empty
	Body  any
	Sum   uint64 // tells one command from another: a hash of verb and body, whatever the order and the blanks of its fields
}

// Form is how a door writes commands.
type Form struct {
	Verb   string // from the path or the topic
	Inline bool   // the verb is a field of the body instead
	Viewer string // the session that an rtp_time belongs to which names none
}

// Decode reads a command whose verb is known.
func Decode(verb string, body []byte) (Command, *Error) { return Form{Verb: verb}.Decode(body) }

// Decode reads a command strictly: unknown fields and fields that come twice are refused with their name, coordinates
// and names are checked. The command it returns beside an error still carries the id and the reply address that could
// be read, so that the refusal reaches its sender.
func (f Form) Decode(body []byte) (Command, *Error) {
	cmd := Command{Verb: f.Verb}
	fields, bad := envelope(&cmd, body)
	if bad == nil && f.Inline {
		bad = take(fields, "verb", &cmd.Verb)
	}
	if bad != nil {
		return cmd, bad
	}
	if _, named := fields["viewer"]; !named && fields["rtp_time"] != nil && f.Viewer != "" {
		fields["viewer"], _ = json.Marshal(f.Viewer) // a string always is
	}
	return cmd, cmd.read(fields)
}

// read decodes the body of a command whose verb and sender are known.
func (cmd *Command) read(fields map[string]json.RawMessage) *Error {
	newBody, ok := verbs[cmd.Verb]
	if !ok {
		return &Error{UnknownVerb, fmt.Sprintf("there is no command %q; there are %s", cmd.Verb, strings.Join(Verbs(), ", "))}
	}
	cmd.Body = newBody()
	if bad := exact(cmd.Body, fields); bad != nil {
		return bad
	}
	rest, err := json.Marshal(fields)
	if err != nil {
		return &Error{BadJSON, plain(err)}
	}
	sum := fnv.New64a()
	_, _ = sum.Write(append([]byte(cmd.Verb), rest...))
	cmd.Sum = sum.Sum64()
	if err := strict(rest, cmd.Body); err != nil {
		return &Error{BadJSON, plain(err)}
	}
	if c, ok := cmd.Body.(interface{ check() error }); ok {
		if err := c.check(); err != nil {
			return &Error{BadRequest, err.Error()}
		}
	}
	return nil
}

// envelope reads what every command carries and returns the fields of its body.
func envelope(cmd *Command, body []byte) (map[string]json.RawMessage, *Error) {
	if len(body) > MaxBody {
		return nil, &Error{TooLarge, fmt.Sprintf("the command has %d bytes, at most %d are read", len(body), MaxBody)}
	}
	body = bytes.TrimSpace(body)
	if len(body) == 0 {
		body = []byte("{}")
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(body, &fields); err != nil {
		return nil, &Error{BadJSON, "the command is not a JSON object: " + plain(err)}
	}
	if fields == nil {
		return nil, &Error{BadJSON, "the command is not a JSON object: it is null"}
	}
	bad := cmp.Or(take(fields, "id", &cmd.ID), take(fields, "reply", &cmd.Reply))
	if s, ok := fields["schema"]; ok && string(s) != strconv.Itoa(Schema) {
		bad = &Error{BadRequest, fmt.Sprintf("schema %s is not spoken here, only %d", s, Schema)}
	}
	delete(fields, "schema")
	if len(cmd.ID) > maxName {
		cmd.ID, bad = "", &Error{BadRequest, fmt.Sprintf("id is at most %d bytes", maxName)}
	}
	if cmd.Reply != "" && !ValidReply(cmd.Reply) {
		cmd.Reply, bad = "", &Error{BadRequest, "reply is 1 to 64 letters, digits, '_', '.' and '-'"}
	}
	if err := unambiguous(body); err != nil {
		bad = &Error{BadJSON, err.Error()}
	}
	return fields, bad
}

// take moves a field that must be a string, where there is one, into s.
func take(fields map[string]json.RawMessage, name string, s *string) *Error {
	raw, ok := fields[name]
	delete(fields, name)
	if ok && (string(raw) == "null" || json.Unmarshal(raw, s) != nil) {
		*s = ""
		return &Error{BadJSON, fmt.Sprintf("field %q must be a string", name)}
	}
	return nil
}

// exact refuses fields that the body does not have under that very spelling: encoding/json would take any case.
func exact(body any, fields map[string]json.RawMessage) *Error {
	known := fieldNames(reflect.TypeOf(body).Elem())
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if !slices.Contains(known, name) {
			return &Error{BadJSON, fmt.Sprintf("unknown field %q", name)}
		}
	}
	return nil
}

// fieldNames are the JSON names of a struct's fields.
func fieldNames(t reflect.Type) []string {
	var out []string
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		out = append(out, name)
	}
	return out
}
