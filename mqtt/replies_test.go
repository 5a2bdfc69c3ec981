package mqtt

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/segedge/segedge/api"
)

// TestRepliesHoldCommandsBack: while the answers wait, no more commands are taken, so that no answer is lost.
func TestRepliesHoldCommandsBack(t *testing.T) {
	d := newDesk(t, &agent{}, t.TempDir())
	const n = 2 * enoughReplies
	for i := range n {
		d.send("cam", "clear", fmt.Sprintf(`{"id":"%d","reply":"me","pints":1}`, i))
	}
	until(t, "the answers are enough", func() bool { return d.c.commands.replies.len() >= enoughReplies })
	for i := range n {
		d.refusal(fmt.Sprint(i), api.BadJSON, "pints")
	}
	if s := d.c.Stats(); s.Replies != 0 || s.Refused != n {
		t.Errorf("%+v", s)
	}
	if told := d.rejected(); len(told) < rejectionBurst || len(told) > rejectionBurst+20 {
		t.Errorf("%d of %d refusals became events", len(told), n)
	}
}

// TestSnapshotsHoldCommandsBack: few of them fill the queue, and what was taken is done when its answer has room.
func TestSnapshotsHoldCommandsBack(t *testing.T) {
	a := &agent{}
	c := offline(t, a, t.TempDir())
	synctest.Test(t, func(t *testing.T) {
		cs := newCommands(c, c.o.Commands)
		q, ln := cs.replies, cs.lanes["cam"]
		for q.bytes < enoughReplyBytes {
			q.put(answer{topic: "segedge/box/cam/snapshot", payload: make([]byte, mostPicture)})
		}
		full := q.len()
		ln.work <- cs.begin(Message{Topic: c.topics.Command("cam", "clear"), Payload: []byte(`{"id":"1","reply":"me"}`)})
		close(ln.work)
		go cs.work(t.Context(), ln)
		synctest.Wait()
		if n := len(a.commands()); n != 0 || full >= enoughReplies {
			t.Errorf("%d commands were done whose answers have no room behind %d snapshots", n, full)
		}
		_, lost := q.first(0)
		q.sent(1, lost)
		synctest.Wait()
		if n := len(a.commands()); n != 1 || q.len() != full {
			t.Errorf("%d commands were done, %d answers wait, want 1 and %d", n, q.len(), full)
		}
	})
}

// TestWhatMQTT5AddsIsBounded: response topics and correlation data count in the queues, and are not remembered.
func TestWhatMQTT5AddsIsBounded(t *testing.T) {
	dir, long := t.TempDir(), strings.Repeat("x", 60000)
	d := &desk{t: t, c: offline(t, &agent{}, dir), acks: make(chan string, 1024)}
	topic := d.c.topics.Command("cam", "clear")
	for i := range 400 {
		d.c.commands.receive(Message{
			Topic: topic, Payload: text(`{"id":"%d"}`, i), ResponseTopic: long, Correlation: []byte(long), Done: func() { d.acks <- "" },
		})
	}
	if n := d.c.commands.count; n > maxInboxBytes/len(long)/2 || n < 10 || len(d.acks) != 400-n {
		t.Errorf("%d commands are kept, %d refused", n, len(d.acks))
	}
	if n := d.c.commands.replies.len(); n > maxReplyQueue/len(long)/2 || n < 10 {
		t.Errorf("%d answers are kept", n)
	}
	ln := d.c.commands.lanes["cam"]
	for d.c.commands.count > 0 {
		d.c.commands.take(ln)
	}
	if n := d.c.commands.bytes; n != 0 {
		t.Errorf("%d bytes in an empty inbox", n)
	}
	begin := func(response string) bool {
		return d.c.commands.begin(Message{Topic: topic, Payload: []byte(`{"id":"1"}`), ResponseTopic: response}).Repeated
	}
	if begin(long+"1") || begin(long+"2") || !begin(long+"1") {
		t.Error("ids belong to the response topic")
	}
	d.c.o.Commands.Sync()
	if data, err := os.ReadFile(filepath.Join(dir, "commands.json")); err != nil || len(data) == 0 || len(data) > 4096 {
		t.Errorf("%d bytes are remembered: %v", len(data), err)
	}
}

func TestRepliesAreBounded(t *testing.T) {
	q := newReplies()
	for i := range maxReplies + 10 {
		q.put(answer{payload: text("%d", i)})
	}
	window, lost := q.first(3)
	if q.len() != maxReplies || string(window[0].payload) != "10" || lost != 10 {
		t.Errorf("%d replies, the first is %s, %d lost", q.len(), window[0].payload, lost)
	}
	if now := q.put(answer{}); now != 11 { // the first is lost while the window is being sent
		t.Errorf("%d lost", now)
	}
	q.sent(3, lost)
	if window, _ := q.first(1); string(window[0].payload) != "13" {
		t.Errorf("the first is %s", window[0].payload)
	}
	for range 20 {
		q.put(answer{payload: make([]byte, 1<<20)})
	}
	if q.len() != 16 || q.bytes != maxReplyQueue {
		t.Errorf("%d replies of %d bytes", q.len(), q.bytes)
	}
}
