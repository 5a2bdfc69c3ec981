package mqtt

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/segedge/segedge/api"
)

func reply(id string, result any) (api.Reply, []byte) {
	r := api.Done(id, result)
	data, _ := json.Marshal(r)
	return r, data
}

func TestMemoryForgetsAfterTenMinutes(t *testing.T) {
	m, now := newMemory(), testTime
	if known, ok := m.begin("me", "1", 7, now); known != nil || !ok {
		t.Fatal("a new command is known")
	}
	r, data := reply("1", "x")
	m.finish("me", "1", r, data)
	if known, _ := m.begin("me", "1", 7, now.Add(remember)); known == nil || known.Reply == nil {
		t.Error("forgotten too early")
	}
	if known, _ := m.begin("me", "1", 7, now.Add(remember+time.Second)); known != nil {
		t.Error("remembered too long")
	}
	if known, _ := m.begin("me", "1", 7, now.Add(-time.Hour)); known == nil {
		t.Error("a clock that was set back made it forget")
	}
}

func TestMemoryIsBounded(t *testing.T) {
	m := newMemory()
	for i := range maxRemembered {
		if _, ok := m.begin("me", fmt.Sprint(i), 0, testTime); !ok {
			t.Fatalf("no room for command %d", i)
		}
	}
	if _, ok := m.begin("me", "more", 0, testTime); ok {
		t.Error("room without an end")
	}
	m.forget("me", "5")
	if _, ok := m.begin("me", "more", 0, testTime); !ok {
		t.Error("forgetting makes no room")
	}
}

func TestMemoryDropsOldResultsFirst(t *testing.T) {
	m := newMemory()
	big := strings.Repeat("r", maxReplyBytes/4)
	for i := range 8 {
		id := fmt.Sprint(i)
		m.begin("me", id, 0, testTime)
		r, data := reply(id, big)
		m.finish("me", id, r, data)
	}
	if m.bytes > maxReplyBytes {
		t.Errorf("%d bytes of replies", m.bytes)
	}
	first, _ := m.begin("me", "0", 0, testTime)
	last, _ := m.begin("me", "7", 0, testTime)
	if !first.Reply.OK || first.Reply.Result != nil || last.Reply.Result == nil {
		t.Error("the oldest result is dropped, its verdict and the newest are kept")
	}
}

func newLog(t *testing.T, path string) (*commandLog, *bytes.Buffer) {
	buf := new(bytes.Buffer)
	l := &commandLog{path: path, log: slog.New(slog.NewTextHandler(buf, nil))}
	t.Cleanup(l.close)
	return l, buf
}

func TestCommandLogOverARestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "commands.json")
	l, _ := newLog(t, path)
	m := newMemory()
	l.load(m, testTime)
	for _, id := range []string{"done", "begun", "forgotten"} {
		m.begin("me", id, 3, testTime)
		l.note(m.entries[commandKey{"me", id}], m)
	}
	r, data := reply("done", map[string]int{"n": 1})
	l.note(m.finish("me", "done", r, data), m)
	l.note(m.forget("me", "forgotten"), m)
	l.close()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = f.WriteString(`{"client":"me","id":"torn`)
	_ = f.Close()

	l, _ = newLog(t, path)
	m = newMemory()
	l.load(m, testTime.Add(time.Minute))
	if len(m.entries) != 2 {
		t.Errorf("%d commands are remembered", len(m.entries))
	}
	done, begun := m.entries[commandKey{"me", "done"}], m.entries[commandKey{"me", "begun"}]
	if got, _ := json.Marshal(done.Reply); string(got) != string(data) || done.Hash != 3 {
		t.Errorf("got %s, want %s", got, data)
	}
	if begun.Reply.OK || begun.Reply.Error.Code != api.Internal || !strings.Contains(begun.Reply.Error.Message, "stopped while") {
		t.Errorf("an interrupted command: %+v", begun.Reply)
	}
	l, _ = newLog(t, path)
	m = newMemory()
	l.load(m, testTime.Add(time.Hour))
	if len(m.entries) != 0 {
		t.Error("an hour later they are remembered still")
	}
}

func TestCommandLogIsRewritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "commands.json")
	l, _ := newLog(t, path)
	m := newMemory()
	l.load(m, testTime)
	big := strings.Repeat("r", 900_000)
	for i := range 30 {
		id := fmt.Sprint(i)
		m.begin("me", id, 0, testTime.Add(time.Duration(i)*2*time.Minute))
		r, data := reply(id, big)
		l.note(m.finish("me", id, r, data), m)
	}
	if info, err := os.Stat(path); err != nil || info.Size() > 2*maxReplyBytes {
		t.Errorf("%v: %d bytes", err, info.Size())
	}
}

func TestCommandLogThatCannotBeWritten(t *testing.T) {
	l, log := newLog(t, filepath.Join(t.TempDir(), "gone", "commands.json"))
	m := newMemory()
	l.load(m, testTime)
	for range 3 {
		m.begin("me", "1", 0, testTime)
		l.note(m.entries[commandKey{"me", "1"}], m)
	}
	if n := strings.Count(log.String(), "not durable"); n != 1 {
		t.Errorf("said %d times: %s", n, log)
	}
}

func FuzzCommandLog(f *testing.F) {
	f.Add([]byte(`{"client":"me","id":"1","hash":3,"at":"2026-03-01T12:00:00Z","reply":{"schema":1,"id":"1","ok":true}}` + "\n" + `{"client":"me","id":"1","forget":true}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		m := newMemory()
		parseCommandLog(data, m)
		m.expire(testTime)
		if m.bytes < 0 || len(m.entries) > len(m.order) {
			t.Errorf("%d bytes, %d entries, %d in order", m.bytes, len(m.entries), len(m.order))
		}
	})
}
