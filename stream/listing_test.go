package stream

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/seg"
)

// Every list belongs to a picture: it comes once with each, and says which.
func TestListsBelongToPictures(t *testing.T) {
	st := start(t)
	p := newPeer(t, st, false).connect()
	if m := p.message("state"); string(m["state"]) != `"running"` || string(m["fps"]) != "30" {
		t.Errorf("state %s", m)
	}
	begin(p, time.Now())
	within(t, "the channel is open", func() bool { return st.viewer(p.id()).channel.Load() != nil })
	o := seg.Object{ID: 3, Name: "cup", State: seg.Tracking, Mask: disc(320, 180, 0.5, 0.5, 0.2), Candidates: []seg.ObjectCandidate{{Mask: disc(320, 180, 0.5, 0.5, 0.1)}}}
	st.agent.set(1, seg.Object{ID: 9}) // what the service says later is not what belongs to these pictures
	for seq := uint64(2); seq < 30; seq++ {
		st.Write("cam", unit(seq, false, time.Now()), []seg.Object{o, {ID: 4, State: seg.Lost}})
		rtp, _ := p.picture()
		m := p.message("objects")
		for string(m["frame"]) != "" && !strings.Contains(string(m["frame"]), fmt.Sprintf(`"seq":%d,`, seq)) {
			m = p.message("objects") // of the first picture, if the channel was open by then
		}
		if string(m["rtp_time"]) != jsonOf(t, rtp) {
			t.Fatalf("frame %d: rtp_time %s, want %d", seq, m["rtp_time"], rtp)
		}
		if seq == 2 {
			wantList(t, m["objects"])
		}
	}
}

func wantList(t *testing.T, objects json.RawMessage) {
	t.Helper()
	var list []struct {
		ID, Color  string
		Outline    [][]float64
		Candidates []struct {
			Index   int
			Outline [][]float64
		}
	}
	if err := json.Unmarshal(objects, &list); err != nil || len(list) != 2 {
		t.Fatalf("%s, %v", objects, err)
	}
	if list[0].ID != "cam-3" || list[0].Color != "#0102ff" || len(list[0].Outline) != 1 || len(list[0].Candidates) != 1 || len(list[0].Candidates[0].Outline) != 1 {
		t.Errorf("%+v", list[0])
	}
	if len(list[1].Outline) != 0 {
		t.Errorf("an object without a mask has outline %v", list[1].Outline)
	}
}

// While no picture is sent, as of a camera that is paused, what changes is told for the one that is on the screen.
func TestListsWhileThePictureStandsStill(t *testing.T) {
	st := start(t)
	p := newPeer(t, st, false).connect()
	rtp := begin(p, time.Now())
	for _, name := range []string{"cup", "mug"} {
		st.agent.set(1, seg.Object{ID: 3, Name: name, State: seg.Tracking})
		within(t, name, func() bool {
			m := p.message("objects")
			return string(m["rtp_time"]) == jsonOf(t, rtp) && strings.Contains(string(m["objects"]), name)
		})
	}
}

// However many objects there are, a list stays small, and what the path does not take is left out.
func TestListsAreBounded(t *testing.T) {
	st := start(t)
	var objects []seg.Object
	for i := range 64 {
		objects = append(objects, seg.Object{ID: seg.ID(i + 1), State: seg.Tracking, Mask: disc(320, 180, 0.5, 0.5, 0.4)})
	}
	_, text := st.objects(api.Objects{Camera: "cam", Objects: objects})
	if len(text) > 64<<10 {
		t.Errorf("%d bytes", len(text))
	}
	b, now, n := lists(), time.Unix(0, 0), 0
	for range 300 { // ten seconds
		if b.take(now, float64(len(text))) {
			n += len(text)
		}
		now = now.Add(time.Second / 30)
	}
	if n > 5<<20 || n < 2<<20 {
		t.Errorf("%d bytes in ten seconds", n)
	}
}
