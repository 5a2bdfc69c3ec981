package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/segedge/segedge/api"
	web "github.com/segedge/segedge/web/client"
)

// printReply prints what a person wants to know of a reply; a refusal is an error.
func printReply(w io.Writer, r web.Reply) error {
	if !r.OK {
		if r.Error == nil {
			return errors.New("the agent refused without a reason")
		}
		return r.Error
	}
	_, err := fmt.Fprintln(w, strings.Join(replyLines(r.Result), "\n"))
	return err
}

// replyLines are the lines of a result: its objects, its note, or what its fields are.
func replyLines(result json.RawMessage) []string {
	var prompted struct {
		Objects  []string
		Note     string
		Watch    *api.Watch
		Document *api.Object
	}
	var edited api.Object
	switch {
	case json.Unmarshal(result, &prompted) == nil && (prompted.Document != nil || prompted.Watch != nil):
		var lines []string
		if prompted.Document != nil {
			lines = append(lines, objectLine(prompted.Document))
		}
		if len(prompted.Objects) > 1 {
			lines = append(lines, "all of them: "+strings.Join(prompted.Objects, ", "))
		}
		if prompted.Note != "" {
			lines = append(lines, prompted.Note)
		}
		return lines
	case json.Unmarshal(result, &edited) == nil && edited.ID != "":
		return []string{objectLine(&edited)}
	}
	return fieldLines(result)
}

// objectLine is an object without its mask.
func objectLine(o *api.Object) string {
	s := fmt.Sprintf("%s  %q  %s  %.1f %% of the picture  box %.3f,%.3f,%.3f,%.3f  IoU %.2f as the model thinks",
		o.ID, o.Name, o.State, 100*o.Area, o.Box[0], o.Box[1], o.Box[2], o.Box[3], o.PredictedIoU)
	if n := len(o.Candidates); n > 1 {
		s += fmt.Sprintf("  %d candidates: segedge choose %s 0 … %d", n, o.ID, n-1)
	}
	return s
}

// widest is how much of a field is shown, in runes.
const widest = 100

// fieldLines are a document's fields, one a line in the order of their names.
func fieldLines(doc json.RawMessage) []string {
	var fields map[string]json.RawMessage
	if json.Unmarshal(doc, &fields) != nil || len(fields) == 0 {
		return []string{"done"}
	}
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		value := []rune(strings.Trim(string(bytes.TrimSpace(fields[name])), `"`))
		if len(value) > widest {
			value = append(value[:widest], '…')
		}
		lines = append(lines, name+": "+string(value))
	}
	return lines
}

// printDocument prints a camera's state or objects for a person.
func printDocument(w io.Writer, what string, doc []byte) error {
	lines := fieldLines(doc)
	var list api.ObjectList
	if what == "objects" && json.Unmarshal(doc, &list) == nil {
		lines = nil
		for i := range list.Objects {
			lines = append(lines, objectLine(&list.Objects[i]))
		}
		if lines == nil {
			lines = []string{"nothing is followed on camera " + list.Camera}
		}
	}
	_, err := fmt.Fprintln(w, strings.Join(lines, "\n"))
	return err
}
