package stream

import (
	"bytes"
	"context"
	"encoding/json"
	"image"
	"image/jpeg"
	"testing"
	"time"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/api/dispatch"
	"github.com/segedge/segedge/testkit"
)

func TestAReplyThatDoesNotFitSaysSo(t *testing.T) {
	st := start(t)
	p := newPeer(t, st, false).connect()
	p.say(`{"verb":"clear","id":"huge"}`)
	if r := p.message("reply"); string(r["id"]) != `"huge"` || !bytes.Contains(r["error"], []byte(api.TooLarge)) {
		t.Errorf("%s: %s", r["id"], r["error"])
	}
	p.say(`{"verb":"clear","id":"next"}`)
	if r := p.message("reply"); string(r["id"]) != `"next"` || string(r["ok"]) != "true" {
		t.Errorf("%s", r)
	}
}

func TestACommandSentTwiceIsDoneOnce(t *testing.T) {
	st := start(t)
	p := newPeer(t, st, false).connect()
	for range 2 {
		p.say(`{"verb":"prompt","id":"1","points":[{"x":0.5,"y":0.5}]}`)
		if r := p.message("reply"); string(r["ok"]) != "true" || string(r["id"]) != `"1"` {
			t.Errorf("%s", r)
		}
	}
	q := newPeer(t, st, false).connect()
	q.say(`{"verb":"prompt","id":"1","points":[{"x":0.5,"y":0.5}]}`)
	q.message("reply")
	st.agent.mu.Lock()
	defer st.agent.mu.Unlock()
	if n := len(st.agent.commands); n != 2 {
		t.Errorf("done %d times, want once for each viewer", n)
	}
}

func TestEveryVerbTwiceOverTheChannel(t *testing.T) {
	st := start(t)
	p := newPeer(t, st, false).connect()
	for _, verb := range api.Verbs() {
		was := st.agent.done()
		for range 2 {
			p.say(testkit.With(api.ExampleCommand(verb), map[string]any{"verb": verb, "id": "the " + verb, "reply": nil}))
			if r := p.message("reply"); string(r["ok"]) != "true" || string(r["id"]) != `"the `+verb+`"` {
				t.Errorf("%s: %s", verb, r)
			}
		}
		want := 1
		if verb == "snapshot" { // a picture is taken anew
			want = 2
		}
		if n := st.agent.done() - was; n != want {
			t.Errorf("%s was done %d times, want %d", verb, n, want)
		}
	}
}

// noisy makes pictures that compress badly.
type noisy struct{}

func (noisy) Snapshot(context.Context, string, api.Shot) ([]byte, error) {
	m := image.NewGray(image.Rect(0, 0, 640, 480))
	for i := range m.Pix {
		m.Pix[i] = byte(i * i * 2654435761 >> 13)
	}
	var out bytes.Buffer
	err := jpeg.Encode(&out, m, nil)
	return out.Bytes(), err
}

func TestSnapshotFitsTheChannel(t *testing.T) {
	st := start(t, func(o *Options) {
		o.Commands = dispatch.New(dispatch.Options{Service: o.Service, Snapshot: noisy{}})
	})
	full, _ := noisy{}.Snapshot(t.Context(), "", api.Shot{})
	p := newPeer(t, st, false).connect()
	p.say(`{"verb":"snapshot","id":"1"}`)
	var got api.Snapshot
	r := p.message("reply")
	if err := json.Unmarshal(r["result"], &got); err != nil {
		t.Fatalf("%v: %s", err, r)
	}
	c, err := jpeg.DecodeConfig(bytes.NewReader(got.JPEG))
	if err != nil || len(full) < mostPicture || got.Bytes > mostPicture || c.Width != got.Width || c.Width < 100 {
		t.Errorf("%v: %d bytes of %d, %dx%d", err, got.Bytes, len(full), got.Width, got.Height)
	}
}

func TestOtherChannelsAreClosed(t *testing.T) {
	st := start(t)
	p := newPeer(t, st, false)
	other, err := p.pc.CreateDataChannel("chat", nil)
	if err != nil {
		t.Fatal(err)
	}
	closed := make(chan struct{})
	other.OnClose(func() { close(closed) })
	p.connect()
	select {
	case <-closed:
	case <-time.After(patience):
		t.Fatal("a channel that nobody speaks on stayed open")
	}
	p.say(`{"verb":"clear","id":"1"}`)
	p.message("reply")
}
