package api

import (
	"strings"
	"testing"

	"github.com/segedge/segedge/seg"
)

// good are commands that every door takes.
var good = []struct{ verb, body string }{
	{"prompt", `{"id":"1","points":[{"x":0.5,"y":0.5,"label":1}]}`},
	{"prompt", `{"points":[{"x":0,"y":1}]}`},
	{"prompt", `{"text":"two cups","choose":true}`},
	{"prompt", `{"points":[{"x":0.5,"y":0.5,"label":1},{"x":0.1,"y":0.1,"label":0}],"frame":17,"multimask":false}`},
	{"prompt", `{"object":"cam-1","points":[{"x":0.5,"y":0.5,"label":0}]}`},
	{"prompt", `{"box":[0.1,0.2,0.3,0.4],"name":"cup"}`},
	{"prompt", `{"text":"the red cup"}`},
	{"prompt", `{"mask":{"size":[2,2],"counts":[1,2,1]}}`},
	{"prompt", `{"points":[{"x":0.5,"y":0.5}],"viewer":"s","rtp_time":4294967295}`},
	{"choose", `{"object":"cam-1","candidate":2}`},
	{"rename", `{"object":"cam-1","name":"dog"}`},
	{"remove", `{"object":"cam-1"}`},
	{"remove", `{"objects":["cam-1","cam-2"]}`},
	{"undo", `{"object":"cam-1"}`},
	{"undo", `{"objects":["cam-1","cam-2"]}`},
	{"undo", `{}`},
	{"confirm", `{"object":"cam-1"}`},
	{"reject", `{"object":"cam-1"}`},
	{"clear", ``},
	{"clear", ` {"id":"x","reply":"me","schema":1} `},
	{"pause", `{}`}, {"pause", `{"paused":false}`}, {"resume", `{}`}, {"keyframe", `{}`}, {"snapshot", `{}`}, {"snapshot", `{"overlay":false,"width":320}`},
	{"automask", `{"max":5,"min_area":0.01}`},
	{"zone", `{"name":"door","points":[[0,0],[1,0],[1,1]]}`},
	{"zone", `{"name":"door"}`},
	{"line", `{"name":"gate","points":[[0,0.5],[1,0.5]]}`},
	{"model", `{"name":"tiny"}`},
	{"record", `{"action":"start","seconds":30}`},
	{"record", `{"action":"stop"}`},
	{"record", `{"action":"around","time":"2026-03-01T12:00:00Z","event":"zone.entered"}`},
	{"config", `{"set":{"log.level":"debug","cameras.cam.zones":[{"name":"door","points":[[0,0],[1,0],[1,1]]}]}}`},
	{"rename", `{"object":"cam-1","name":"Tür / Küche 🐕‍🦺 שלום 日本"}`},
	{"rename", `{"object":"cam-1","name":"name"}`},
}

func TestDecodeTakesEveryVerb(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range good {
		cmd, err := Decode(c.verb, []byte(c.body))
		if err != nil {
			t.Errorf("%s %s: %v", c.verb, c.body, err)
			continue
		}
		if cmd.Verb != c.verb || cmd.Body == nil {
			t.Errorf("%s %s: decoded %+v", c.verb, c.body, cmd)
		}
		seen[c.verb] = true
	}
	for _, v := range Verbs() {
		if !seen[v] {
			t.Errorf("no case for verb %s", v)
		}
	}
}

func TestDecodeRefusesInWords(t *testing.T) {
	long := strings.Repeat("n", 129)
	for _, c := range []struct {
		verb, body string
		code       Code
		says       string
	}{
		{"prompt", `{`, BadJSON, "not a JSON object"},
		{"prompt", `[]`, BadJSON, "array where an object belongs"},
		{"prompt", `null`, BadJSON, "null"},
		{"prompt", `{"id":3}`, BadJSON, `field "id" must be a string`},
		{"prompt", `{"reply":null}`, BadJSON, `field "reply" must be a string`},
		{"prompt", `{"schema":2}`, BadRequest, "schema 2"},
		{"prompt", `{"id":"` + long + `"}`, BadRequest, "id is at most 128 bytes"},
		{"prompt", `{"reply":"a/b"}`, BadRequest, "letters, digits"},
		{"record", `{"action":"around","time":5}`, BadJSON, `a time is written as a string such as "2026-03-01T12:00:00Z"`},
		{"record", `{"action":"around","time":""}`, BadJSON, "a time is written as"},
		{"record", `{"action":"around","time":"2926-13-01T00:00:00Z"}`, BadJSON, "a time is written as"},
		{"prompt", `{"reply":"a\u0001b"}`, BadRequest, "letters, digits"},
		{"prompt", `{"reply":"a\u007f"}`, BadRequest, "letters, digits"},
		{"prompt", `{"reply":"\uffff"}`, BadRequest, "letters, digits"},
		{"prompt", `{"reply":"` + long[:65] + `"}`, BadRequest, "1 to 64"},
		{"prompt", `{"text":"a","text":"b"}`, BadJSON, `field "text" comes twice`},
		{"clear", `{"id":"1","id":"2"}`, BadJSON, `field "id" comes twice`},
		{"prompt", `{"points":[{"x":0.5,"y":0.5,"x":0.1}]}`, BadJSON, `field "x" comes twice`},
		{"prompt", "{\"text\":\"a\xff\"}", BadJSON, "not UTF-8"},
		{"prompt", `{"text":"a","verb":"clear"}`, BadJSON, `unknown field "verb"`},
		{"prompt", `{"pints":[]}`, BadJSON, `unknown field "pints"`},
		{"prompt", `{"Points":[]}`, BadJSON, `unknown field "Points"`},
		{"prompt", `{"points":[{"x":0.5,"y":0.5,"z":1}]}`, BadJSON, `unknown field "z"`},
		{"prompt", `{"points":[{"x":0.5}]}`, BadJSON, "points[0]: x and y are both needed"},
		{"prompt", `{"points":[{"x":0.5,"y":0.5,"label":2}]}`, BadJSON, "neither 1 (positive) nor 0"},
		{"prompt", `{"points":[{"x":1.5,"y":0.5}]}`, BadRequest, "outside 0..1"},
		{"prompt", `{"points":[{"x":-0.1,"y":0.5}]}`, BadRequest, "point 0 (-0.1, 0.5)"},
		{"prompt", `{"points":[{"x":1e999,"y":0.5}]}`, BadJSON, "number 1e999"},
		{"prompt", `{"points":[{"x":"a","y":0.5}]}`, BadJSON, "string where a number belongs"},
		{"prompt", `{"points":7}`, BadJSON, `field "points": number where a list belongs`},
		{"prompt", `{"points":[{"x":0.5,"y":0.5,"label":0}]}`, BadRequest, "only negative points"},
		{"prompt", `{}`, BadRequest, "no point, box, mask or text"},
		{"prompt", `{"box":[0,0,1]}`, BadJSON, "4 numbers"},
		{"prompt", `{"box":[0,0,1,1,1]}`, BadJSON, "4 numbers"},
		{"prompt", `{"box":[0.5,0,0.2,1]}`, BadRequest, "x0 < x1"},
		{"prompt", `{"mask":{"size":[2,2],"counts":[9]}}`, BadRequest, "mask: RLE counts"},
		{"prompt", `{"mask":{"size":[2,2],"counts":[4]}}`, BadRequest, "no pixel is set"},
		{"prompt", `{"text":"a","name":"` + long + `"}`, BadRequest, "at most 128"},
		{"prompt", `{"text":"a","viewer":"s"}`, BadRequest, "come together"},
		{"prompt", `{"text":"a","frame":-1}`, BadJSON, `field "frame"`},
		{"choose", `{"object":"cam-1","candidate":-1}`, BadRequest, "counted from 0"},
		{"rename", `{"object":"cam-1"}`, BadRequest, "object and a name"},
		{"remove", `{}`, BadRequest, "needs an object"},
		{"remove", `{"object":"a","objects":["b"]}`, BadRequest, "needs an object, or several"},
		{"undo", `{"object":"a","objects":["b"]}`, BadRequest, "or neither"},
		{"remove", `{"objects":["a"` + strings.Repeat(`,"a"`, 1000) + `]}`, BadRequest, "1001 objects"},
		{"undo", `{"objects":["a"` + strings.Repeat(`,"a"`, 1000) + `]}`, BadRequest, "1001 objects"},
		{"zone", `{"points":[[0,0],[1,0],[1,1]]}`, BadRequest, "needs a name"},
		{"zone", `{"name":"z","points":[[0,0],[1,0]]}`, BadRequest, "3 to 64 points, not 2"},
		{"zone", `{"name":"z","points":[[0,0,0],[1,0],[1,1]]}`, BadJSON, "2 numbers"},
		{"zone", `{"name":"z","points":[[0.1,0.1],[0.1,0.1],[0.1,0.1]]}`, BadRequest, "nothing in it"},
		{"zone", `{"name":"z","points":[[0,0],[0.1,0.1],[0.7,0.7],[1,1]]}`, BadRequest, "nothing in it"},
		{"line", `{"name":"l","points":[[0.5,0.5],[0.5,0.5]]}`, BadRequest, "nobody could cross it"},
		{"line", `{"name":"l","points":[[0,0],[2,0]]}`, BadRequest, "point 1, 2,0: coordinates lie outside 0..1: they are shares of the picture's width and height"},
		{"automask", `{"max":-1}`, BadRequest, "a max of 0 or more"},
		{"snapshot", `{"width":20000}`, BadRequest, "within 16..16384, not 20000"},
		{"snapshot", `{"width":-1}`, BadRequest, "within 16..16384, not -1"},
		{"automask", `{"min_area":1.5}`, BadRequest, "min_area within 0..1"},
		{"model", `{}`, BadRequest, "model needs a name"},
		{"clear", `{"all":true}`, BadJSON, `unknown field "all"`},
		{"record", `{"id":"1"}`, BadRequest, "start, stop or around"},
		{"record", `{"action":"pause"}`, BadRequest, "start, stop or around"},
		{"record", `{"action":"stop","seconds":3}`, BadRequest, "takes no seconds"},
		{"record", `{"action":"start","time":"2026-03-01T12:00:00Z"}`, BadRequest, "start and stop are now"},
		{"record", `{"action":"start","seconds":-1}`, BadRequest, "seconds lie within 0..86400"},
		{"record", `{"action":"around","event":"../../etc"}`, BadRequest, "event is a type of event"},
		{"dance", `{}`, UnknownVerb, "there are automask"},
		{"prompt", `{"text":"` + strings.Repeat("a", MaxBody) + `"}`, TooLarge, "at most 65536"},
		{"rename", `{"object":"cam-1","name":"  "}`, BadRequest, "nothing but blanks"},
		{"rename", `{"object":"cam-1","name":"two\nlines"}`, BadRequest, "U+000A"},
		{"rename", `{"object":"cam-1","name":"\u0000nul"}`, BadRequest, "U+0000"},
		{"rename", `{"object":"cam-1","name":"\u202eevil"}`, BadRequest, "U+202E"},
		{"rename", `{"object":"cam-1","name":"\ud800"}`, BadRequest, "cannot be shown"},
		{"prompt", `{"text":"\u0007"}`, BadRequest, "U+0007"},
		{"rename", `{"object":"cam-1","name":"\u200b\u3000\u00ad\ufe0f"}`, BadRequest, "nothing but blanks"},
		{"rename", `{"object":"cam-1","name":"\u3164"}`, BadRequest, "nothing but blanks"},
		{"rename", `{"object":"cam-1","name":"a\uffff"}`, BadRequest, "cannot be shown"},
		{"prompt", `{"text":"\u2800"}`, BadRequest, "nothing but blanks"},
		{"zone", `{"name":"\t","points":[[0,0],[1,0],[1,1]]}`, BadRequest, "nothing but blanks"},
		{"zone", `{"name":"z","points":[[0,0],[1,0],[1,1]],"classes":[""]}`, BadRequest, "without classes a zone sees everything"},
		{"line", `{"name":"l","points":[[0,0],[1,0]],"classes":["car","-!"]}`, BadRequest, "a letter or a digit"},
		{"line", `{"name":"a\rb","points":[[0,0],[1,0]]}`, BadRequest, "U+000D"},
		{"model", `{"name":"a\u0085"}`, BadRequest, "U+0085"},
	} {
		_, err := Decode(c.verb, []byte(c.body))
		if len(c.body) > 200 {
			c.body = c.body[:200]
		}
		if err == nil {
			t.Errorf("%s %s: taken", c.verb, c.body)
		} else if err.Code != c.code || !strings.Contains(err.Message, c.says) {
			t.Errorf("%s %s: %s %q, want %s with %q", c.verb, c.body, err.Code, err.Message, c.code, c.says)
		}
	}
}

func TestRefusalStillKnowsItsSender(t *testing.T) {
	cmd, err := Decode("prompt", []byte(`{"id":"7","reply":"me","points":[{"x":9,"y":9}]}`))
	if err == nil || cmd.ID != "7" || cmd.Reply != "me" {
		t.Errorf("got %+v, %v", cmd, err)
	}
}

func TestVerbInTheBody(t *testing.T) {
	f := Form{Inline: true, Viewer: "v1"}
	cmd, err := f.Decode([]byte(`{"verb":"prompt","id":"7","points":[{"x":0.5,"y":0.5}],"rtp_time":5}`))
	if err != nil || cmd.Verb != "prompt" || cmd.ID != "7" || cmd.Body.(*Prompt).Viewer != "v1" {
		t.Errorf("got %+v, %v", cmd, err)
	}
	for body, code := range map[string]Code{
		`{"id":"1"}`: UnknownVerb, `{"verb":7}`: BadJSON, `{"verb":null}`: BadJSON, `{"verb":"clear","verb":"pause"}`: BadJSON,
	} {
		if _, err := f.Decode([]byte(body)); err == nil || err.Code != code {
			t.Errorf("%s: %v, want %s", body, err, code)
		}
	}
}

func TestSumTellsCommandsApart(t *testing.T) {
	sum := func(verb, body string) uint64 {
		cmd, err := Decode(verb, []byte(body))
		if err != nil {
			t.Fatal(err)
		}
		return cmd.Sum
	}
	same := sum("rename", `{"id":"1","reply":"me","object":"cam-1","name":"a"}`)
	if sum("rename", ` {"name": "a", "object":"cam-1", "id":"2", "schema":1}`) != same {
		t.Error("order, blanks and the sender make another command of it")
	}
	if sum("rename", `{"object":"cam-1","name":"b"}`) == same || sum("clear", "") == sum("pause", "") {
		t.Error("two commands look like one")
	}
}

func TestPointWithoutLabelIsPositive(t *testing.T) {
	cmd, err := Decode("prompt", []byte(`{"points":[{"x":0.25,"y":0.75}]}`))
	if err != nil {
		t.Fatal(err)
	}
	want := seg.Click{Point: seg.Point{X: 0.25, Y: 0.75}, Label: seg.Positive}
	if got := cmd.Body.(*Prompt).Points; len(got) != 1 || got[0] != want {
		t.Errorf("got %+v", got)
	}
}

func TestPromptBecomesTheModelsPrompt(t *testing.T) {
	cmd, err := Decode("prompt", []byte(`{"box":[0.1,0.2,0.3,0.4],"mask":{"size":[4,4],"counts":[5,2,9]},"multimask":false}`))
	if err != nil {
		t.Fatal(err)
	}
	p, e := cmd.Body.(*Prompt).Seg()
	if e != nil {
		t.Fatal(e)
	}
	if !p.Single || p.Box == nil || *p.Box != (seg.Box{X0: 0.1, Y0: 0.2, X1: 0.3, Y1: 0.4}) {
		t.Errorf("box and single: %+v", p)
	}
	if p.Mask == nil || p.Mask.W != 4 || p.Mask.H != 4 {
		t.Fatalf("mask: %+v", p.Mask)
	}
	if in, out := p.Mask.Data[1*4+1], p.Mask.Data[0]; in <= 0 || out >= 0 {
		t.Errorf("logits inside %g, outside %g", in, out)
	}
}

func FuzzDecode(f *testing.F) {
	for _, c := range good {
		f.Add(c.verb, []byte(c.body))
	}
	f.Add("prompt", []byte(`{"mask":{"size":[8192,8192],"counts":"0"}}`))
	f.Fuzz(func(t *testing.T, verb string, body []byte) {
		cmd, err := Decode(verb, body)
		switch {
		case err != nil && (err.Code == "" || err.Message == ""):
			t.Errorf("refused without a reason: %+v", err)
		case err == nil && cmd.Body == nil:
			t.Errorf("taken without a body: %+v", cmd)
		}
		if len(cmd.ID) > maxName || cmd.Reply != "" && !ValidReply(cmd.Reply) {
			t.Errorf("id %q or reply %q cannot be answered", cmd.ID, cmd.Reply)
		}
		if p, ok := cmd.Body.(*Prompt); ok && err == nil {
			for _, c := range p.Points {
				if !c.In01() {
					t.Errorf("point outside the picture: %+v", c)
				}
			}
		}
	})
}
