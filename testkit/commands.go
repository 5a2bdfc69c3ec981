package testkit

import (
	"encoding/json"
	"fmt"
	"maps"
)

// With is a JSON object with these fields in place of its own; one that is nil is left out.
func With(object string, fields map[string]any) string {
	var all map[string]any
	if err := json.Unmarshal([]byte(object), &all); err != nil {
		panic(fmt.Sprintf("testkit: %q is no object: %v", object, err))
	}
	maps.Copy(all, fields)
	maps.DeleteFunc(all, func(_ string, v any) bool { return v == nil })
	text, err := json.Marshal(all)
	if err != nil {
		panic(err)
	}
	return string(text)
}
