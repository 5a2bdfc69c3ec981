package web

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/segedge/segedge/api"
)

// FuzzCommand: whatever is sent, the answer is a reply with a status that fits it, and says why when it is a refusal.
func FuzzCommand(f *testing.F) {
	for _, s := range []struct{ camera, verb, body string }{
		{"cam", "prompt", `{"id":"1","points":[{"x":0.5,"y":0.5,"label":1}]}`},
		{"cam", "prompt", `{"points":[{"x":0.5,"y":0.5,"label":1}],"viewer":"v1","rtp_time":90000}`},
		{"cam", "prompt", `{"box":[0.1,0.1,0.5,0.5],"multimask":false}`},
		{"cam", "prompt", `{"mask":{"size":[4,4],"counts":"04"}}`},
		{"cam", "choose", `{"object":"cam-1","candidate":1}`},
		{"cam", "zone", `{"name":"door","points":[[0,0],[1,0],[1,1]]}`},
		{"attic", "clear", ``},
		{"c/m", "cl/ear", `{"reply":"+"}`},
		{"cam", "clear", `{"id":"` + strings.Repeat("x", 200) + `"}`},
		{"", "", "\x00"},
	} {
		f.Add(s.camera, s.verb, s.body)
	}
	door, err := New(Options{Service: newFakeAgent("cam")})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, camera, verb, body string) {
		r := httptest.NewRequest("POST", "/", strings.NewReader(body))
		r.Host = "localhost"
		r.URL = &url.URL{Path: "/api/v1/cameras/" + camera + "/" + verb, RawPath: "/api/v1/cameras/" + url.PathEscape(camera) + "/" + url.PathEscape(verb)}
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		door.ServeHTTP(w, r)
		if w.Header().Get("Content-Type") != "application/json" {
			if w.Code != http.StatusMethodNotAllowed && w.Code/100 != 3 { // a path that is no command's
				t.Fatalf("%d %s", w.Code, w.Body)
			}
			return
		}
		var reply api.Reply
		if err := json.Unmarshal(w.Body.Bytes(), &reply); err != nil {
			t.Fatalf("no reply: %v: %s", err, w.Body)
		}
		if reply.OK != (w.Code == 200) || (!reply.OK && (reply.Error == nil || reply.Error.Message == "")) || w.Code == 500 {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
	})
}
