package testkit

import "strings"

// commands are fields of a command for each verb, such as every door must take.
var commands = map[string]string{
	"prompt":   `"points":[{"x":0.5,"y":0.5}],"name":"cup"`,
	"choose":   `"object":"cam-1","candidate":0`,
	"rename":   `"object":"cam-1","name":"mug"`,
	"remove":   `"object":"cam-1"`,
	"undo":     `"object":"cam-1"`,
	"confirm":  `"object":"cam-1"`,
	"reject":   `"object":"cam-1"`,
	"clear":    ``,
	"pause":    ``,
	"resume":   ``,
	"keyframe": ``,
	"snapshot": `"overlay":false,"width":320`,
	"automask": `"max":3`,
	"zone":     `"name":"door","points":[[0,0],[1,0],[1,1]]`,
	"line":     `"name":"gate","points":[[0,0.5],[1,0.5]]`,
	"model":    `"name":"tiny"`,
	"config":   `"set":{"tracker.budget":0.4}`,
	"record":   `"action":"start","seconds":5`,
}

// CommandOf is a command of a verb as JSON, with these fields before its own ones, as `"id":"1"`; empty for a verb that nobody has
// written one for.
func CommandOf(verb string, fields ...string) string {
	own, ok := commands[verb]
	if !ok {
		return ""
	}
	if own != "" {
		fields = append(fields, own)
	}
	return "{" + strings.Join(fields, ",") + "}"
}
