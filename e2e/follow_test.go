package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/seg"
)

// In how many looks in a row two objects may be one thing; for less they may be two that pass each other. A watch compares masks as often as
// the test looks, and ends one of two after five times. What only the detector can tell it does after four of its looks, one a second.
const (
	mostByMasks = 8
	mostByBoxes = 30
)

// TestFollowedWithoutDoubles: what is kept looked for becomes objects, and no thing two of them that stay. No two that are seen have masks
// that overlap by half, or one of which lies nearly all in the other, for more than mostByMasks looks in a row, nor boxes that overlap by half
// for more than mostByBoxes. It does not hold that every object is what the phrase says: one may have gone over to something else, and then
// more are seen than there are. The built-in scene has two balls that come and go; SEGEDGE_TEST_CLIPS names a folder with clips of one dog
// and of three cups, which then are looped, and SEGEDGE_TEST_FOLLOW is how long to look.
func TestFollowedWithoutDoubles(t *testing.T) {
	long, err := time.ParseDuration(os.Getenv("SEGEDGE_TEST_FOLLOW"))
	if err != nil {
		long = 5 * time.Second
	}
	for _, c := range []struct{ source, phrase string }{{"synthetic", "every ball"}, {"01_dog.mp4", "every dog"}, {"02_cups.mp4", "every cup"}} {
		t.Run(c.source, func(t *testing.T) {
			source := c.source
			if source != "synthetic" {
				dir := os.Getenv("SEGEDGE_TEST_CLIPS")
				if dir == "" {
					t.Skip("SKIPPED: SEGEDGE_TEST_CLIPS names no folder with clips")
				}
				source = filepath.Join(dir, c.source)
			}
			r := start(t, "--source", source, "--loop", "--prompt", "follow:"+c.phrase, "--set", "mqtt.masks=200ms")
			e := listen(t, r.mqtt)
			r.await("something is followed", func(s state) bool { return s.Objects > 0 })
			j := judge{t: t, ids: map[string]bool{}}
			e.listenFor(long, "camera/masks", j.look)
			ended := e.tally("camera/events", has(`"double_of"`))
			row := []any{c.source, c.phrase, long, j.looks, len(j.ids), j.most, j.masks.longest, j.boxes.longest, ended}
			t.Logf("|"+strings.Repeat(" %v |", len(row)), row...)
			if j.looks == 0 {
				t.Error("no masks came")
			}
		})
	}
}

// judge looks at frame after frame.
type judge struct {
	t            testing.TB
	ids          map[string]bool
	looks        int
	most         int // that were seen at once
	masks, boxes rows
}

// rows count the looks in a row in which two objects were one thing.
type rows struct {
	before, now map[[2]string]int
	longest     int
}

// add takes a pair of the present look, and returns how long its row is.
func (r *rows) add(pair [2]string) int {
	r.now[pair] = r.before[pair] + 1
	r.longest = max(r.longest, r.now[pair])
	return r.now[pair]
}

// next begins a look.
func (r *rows) next() { r.before, r.now = r.now, map[[2]string]int{} }

// look judges one frame, and fails where two have been one thing for too long.
func (j *judge) look(payload string) {
	j.t.Helper()
	var f api.Masks
	if err := json.Unmarshal([]byte(payload), &f); err != nil {
		j.t.Fatal(err)
	}
	j.looks++
	j.masks.next()
	j.boxes.next()
	seen := map[string]*seg.Mask{}
	for _, o := range f.Objects {
		j.ids[o.ID] = true
		if !o.State.Visible() || o.Mask == nil {
			continue
		}
		m, err := o.Mask.Mask()
		if err != nil {
			j.t.Fatal(err)
		}
		for id, other := range seen {
			pair := [2]string{id, o.ID}
			if oneThing(m, other) && j.masks.add(pair) == mostByMasks+1 {
				j.t.Errorf("frame %d: the masks of %v have been of one thing for more than %d looks", f.Frame.Seq, pair, mostByMasks)
			}
			if m.Box().IoU(other.Box()) > 0.5 && j.boxes.add(pair) == mostByBoxes+1 {
				j.t.Errorf("frame %d: the boxes of %v have overlapped for more than %d looks", f.Frame.Seq, pair, mostByBoxes)
			}
		}
		seen[o.ID] = m
	}
	j.most = max(j.most, len(seen))
}

// oneThing says whether two masks overlap by half, or one lies nearly all in the other.
func oneThing(a, b *seg.Mask) bool {
	smaller := float64(min(a.Count(), b.Count()))
	return a.IoU(b) > 0.5 || smaller > 0 && float64(a.Count()-a.Minus(b).Count()) > 0.9*smaller
}

// listenFor hands what comes on a topic from now on to a function, for a while.
func (e *ear) listenFor(long time.Duration, topic string, do func(payload string)) {
	over := time.After(long)
	e.mu.Lock()
	at := len(e.heard)
	e.mu.Unlock()
	for {
		e.mu.Lock()
		fresh, more := e.heard[at:], e.more
		at = len(e.heard)
		e.mu.Unlock()
		for _, m := range fresh {
			if m.Topic() == "segedge/box/"+topic {
				do(string(m.Payload()))
			}
		}
		select {
		case <-more:
		case <-over:
			return
		}
	}
}

// tally is how many messages like that have come on a topic so far.
func (e *ear) tally(topic string, like func(payload string) bool) (n int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, m := range e.heard {
		if strings.HasSuffix(m.Topic(), "/"+topic) && like(string(m.Payload())) {
			n++
		}
	}
	return n
}
