package mqtt

import (
	"encoding/json"
	"log/slog"
	"strings"
	"testing"

	"github.com/segedge/segedge/api"
)

// FuzzReduceEvent: whatever lies in a journal, what is sent instead is a whole event of the size that was asked for.
func FuzzReduceEvent(f *testing.F) {
	if body, err := api.EncodeEvent(ragged(1, 40, 30), "s", 1, 40, 30); err == nil {
		f.Add(body, 300)
	}
	f.Add([]byte(`{"after":{"mask":{"size":[9999,9999],"counts":"0"}}}`), 10)
	f.Add([]byte(`{"after":null}`), 0)
	f.Fuzz(func(t *testing.T, body []byte, most int) {
		if cells(body) > 1<<16 {
			return // what is larger takes longer, and is nothing else
		}
		out, ok := reduceEvent(body, most)
		if ok && (len(out) > most || !json.Valid(out) || strings.Contains(string(out), `"mask":`) && !strings.Contains(string(body), `"mask":`)) {
			t.Fatalf("%d bytes of %d: %s", len(out), most, out)
		}
	})
}

// cells is how many an event's mask has, as far as it says so.
func cells(body []byte) float64 {
	var e struct {
		After struct {
			Mask struct {
				Size []float64 `json:"size"`
			} `json:"mask"`
		} `json:"after"`
	}
	if json.Unmarshal(body, &e) != nil || len(e.After.Mask.Size) != 2 {
		return 0
	}
	return e.After.Mask.Size[0] * e.After.Mask.Size[1]
}

// TestAHugeMaskIsReduced: the largest mask there may be becomes an outline, and one above it goes, unexpanded.
func TestAHugeMaskIsReduced(t *testing.T) {
	for body, how := range map[string]string{
		`{"after":{"mask":{"size":[4096,16384],"counts":[0,67108864]}}}`:  maskOutline,
		`{"after":{"mask":{"size":[8192,16384],"counts":[0,134217728]}}}`: maskNone,
	} {
		out, ok := reduceEvent([]byte(body), 200)
		if !ok || !strings.Contains(string(out), `"mask_reduced":"`+how+`"`) {
			t.Errorf("%s becomes %s, not %s", body, out, how)
		}
	}
}

// FuzzTopics: a topic that is a command's leads to topics that may be published to, if the names in it are proper.
func FuzzTopics(f *testing.F) {
	for _, s := range []string{
		"segedge/box/cam/cmd/prompt", "segedge/box/cam/cmd/", "segedge/box//cmd/x", "segedge/box/a\x01/cmd/x", "other/cam/cmd/x",
	} {
		f.Add(s, "me")
	}
	topics := Topics{Prefix: "segedge/box"}
	f.Fuzz(func(t *testing.T, topic, client string) {
		camera, verb, ok := topics.ParseCommand(topic)
		if !ok {
			return
		}
		if topics.Command(camera, verb) != topic {
			t.Fatalf("%q is camera %q and verb %q", topic, camera, verb)
		}
		if api.ValidName(camera) && api.ValidReply(client) && validTopic(topics.Reply(camera, client)) != nil {
			t.Fatalf("the reply to %q on camera %q cannot be sent", client, camera)
		}
	})
}

// FuzzAnnounced: whatever lies in the file, the agent goes on from it.
func FuzzAnnounced(f *testing.F) {
	f.Add([]byte(`{"broker":"b","topics":{"a/state":true},"discovery":"d","components":{"x":"sensor"}}`))
	f.Add([]byte(`{"broker":"b","topics":null}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		a := loadAnnounced("", "b", slog.New(slog.DiscardHandler))
		_ = a.read(data) // what it holds is then what it held
		a.topic("t")
		a.described("d", map[string]string{"y": "sensor"})
		a.cleared("d")
		if !a.Topics["t"] || a.Devices["d"] != nil {
			t.Fatalf("%+v", a.kept)
		}
	})
}
