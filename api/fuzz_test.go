package api

import (
	"encoding/json"
	"testing"
	"unicode/utf8"
)

// FuzzInline: what comes over a data channel is refused in words, or is a command that says the same when it is sent again.
func FuzzInline(f *testing.F) {
	for _, s := range []string{
		`{"verb":"prompt","id":"1","points":[{"x":0.5,"y":0.5,"label":1}],"rtp_time":5}`, `{"verb":1}`, `{"verb":"clear","verb":"pause"}`,
		`{"verb":"rename","object":"cam-1","name":"\u202e"}`, `{"verb":"clear","reply":"a\u0001b"}`, "{\"verb\":\"\xff\"}",
		`[]`, `{"a":{"b":1,"b":2}}`,
	} {
		f.Add([]byte(s))
	}
	form := Form{Inline: true, Viewer: "v"}
	f.Fuzz(func(t *testing.T, body []byte) {
		cmd, bad := form.Decode(body)
		if bad != nil {
			if bad.Code == "" || bad.Message == "" {
				t.Fatalf("refused without a reason: %+v", bad)
			}
			return
		}
		if cmd.Verb == "" || cmd.Body == nil || !utf8.Valid(body) {
			t.Fatalf("taken: %+v", cmd)
		}
		if again, bad := form.Decode(body); bad != nil || again.Sum != cmd.Sum {
			t.Fatalf("the same bytes are another command: %+v, %v", again, bad)
		}
	})
}

// FuzzEvent: an event that can be read is one that can be written again.
func FuzzEvent(f *testing.F) {
	if data, err := EncodeEvent(testEvent(), "s", 9, 16, 8); err == nil {
		f.Add(data)
	}
	f.Add([]byte(`{"seq":1,"after":{"id":"cam-1","state":"lost","mask":{"size":[2,2],"counts":[1,3]}},"from":3}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var e Event
		if json.Unmarshal(data, &e) != nil {
			return
		}
		if _, err := json.Marshal(e); err != nil {
			t.Fatalf("%v: %s", err, data)
		}
	})
}
