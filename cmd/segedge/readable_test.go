package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/segedge/segedge/api"
	web "github.com/segedge/segedge/web/client"
)

// On a terminal a reply is a line or a few, whatever masks it has; a refusal is an error.
func TestRepliesForPeople(t *testing.T) {
	mask := `{"size":[720,1280],"counts":[` + strings.Repeat("12,", 5000) + `1]}`
	object := `{"id":"door-3","name":"cup","state":"tracking","box":[0.1,0.2,0.3,0.4],"area":0.125,"predicted_iou":0.91,"mask":` + mask + `}`
	for result, want := range map[string]string{
		`{"object":"door-3","document":` + object + `}`:                                               `door-3  "cup"  tracking  12.5 % of the picture  box 0.100,0.200,0.300,0.400`,
		`{"object":"door-3","objects":["door-3","door-4"],"note":"1 of 2","document":` + object + `}`: "all of them: door-3, door-4\n1 of 2",
		`{"object":"","document":null,"note":"looked for from now on","watch":{"text":"dog"}}`:        "looked for from now on",
		object: "door-3", `{"file":"/var/clips/door/a.mp4","recording":true}`: "file: /var/clips/door/a.mp4\nrecording: true", `null`: "done", ``: "done",
	} {
		var out bytes.Buffer
		if err := printReply(&out, web.Reply{OK: true, Result: json.RawMessage(result)}); err != nil || !strings.Contains(out.String(), want) || out.Len() > 400 {
			t.Errorf("%.80s: %d bytes, %.400s, %v", result, out.Len(), out.String(), err)
		}
	}
	if err := printReply(nil, web.Reply{Error: &api.Error{Code: api.Conflict, Message: "there is nothing to undo"}}); err == nil || !strings.Contains(err.Error(), "nothing to undo") {
		t.Error(err)
	}
	for doc, want := range map[string]string{
		`{"camera":"door","objects":[` + object + `]}`: "door-3", `{"camera":"door","objects":[]}`: "nothing is followed on camera door",
	} {
		var out bytes.Buffer
		if err := printDocument(&out, "objects", []byte(doc)); err != nil || !strings.Contains(out.String(), want) || out.Len() > 300 {
			t.Errorf("%.60s: %.300s, %v", doc, out.String(), err)
		}
	}
}
