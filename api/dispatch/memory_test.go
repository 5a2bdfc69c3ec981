package dispatch

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

var testTime = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// know begins a command that must be new.
func know(t *testing.T, m *memory, client, id string, at time.Time) *remembered {
	t.Helper()
	r, fresh := m.begin(client, id, 3, at)
	if r == nil || !fresh {
		t.Fatalf("command %s of %s: %+v, new: %t", id, client, r, fresh)
	}
	return r
}

func TestMemoryForgetsAfterTenMinutes(t *testing.T) {
	m, now := newMemory(), testTime
	m.finish(know(t, m, "me", "1", now), api.Done("1", "x"))
	if r, fresh := m.begin("me", "1", 3, now.Add(keep)); fresh || r.Reply == nil {
		t.Error("forgotten too early")
	}
	know(t, m, "me", "1", now.Add(keep+time.Second))
	if _, fresh := m.begin("me", "1", 3, now.Add(-time.Hour)); fresh {
		t.Error("a clock that was set back made it forget")
	}
	if len(m.entries) != 1 || m.clients["me"] != 1 {
		t.Errorf("%d entries, %v", len(m.entries), m.clients)
	}
}

func TestAClientHasItsBound(t *testing.T) {
	m := newMemory()
	for i := range maxPerClient {
		know(t, m, "me", fmt.Sprint(i), testTime)
	}
	if r, _ := m.begin("me", "more", 0, testTime); r != nil {
		t.Error("room without an end")
	}
	know(t, m, "you", "1", testTime)
	m.forget(m.entries[commandKey{"me", "5"}])
	know(t, m, "me", "more", testTime)
}

func TestWhoHasMostLosesTheOldest(t *testing.T) {
	m := newMemory()
	for c := range 8 {
		for i := range maxPerClient {
			know(t, m, fmt.Sprint("client", c), fmt.Sprint(i), testTime)
		}
	}
	m.forget(m.entries[commandKey{"client3", "0"}])
	know(t, m, "client3", "again", testTime)
	know(t, m, "you", "1", testTime)
	if m.entries[commandKey{"you", "1"}] == nil || len(m.entries) > maxRemembered || m.clients["client3"] < maxPerClient*15/16-1 {
		t.Errorf("%d entries, %v", len(m.entries), m.clients)
	}
}

func TestWhatIsForgottenTakesNoRoom(t *testing.T) {
	m := newMemory()
	for i := range 10_000 {
		m.forget(know(t, m, "me", fmt.Sprint(i), testTime))
	}
	if len(m.entries) != 0 || len(m.clients) != 0 || len(m.order) > 64 {
		t.Errorf("%d entries, %d clients, %d in order", len(m.entries), len(m.clients), len(m.order))
	}
}

func TestMemoryDropsOldResultsFirst(t *testing.T) {
	m := newMemory()
	big := strings.Repeat("r", maxReplyBytes/4)
	for i := range 8 {
		id := fmt.Sprint(i)
		m.finish(know(t, m, "me", id, testTime), api.Done(id, big))
	}
	if m.bytes > maxReplyBytes {
		t.Errorf("%d bytes of replies", m.bytes)
	}
	first, last := m.entries[commandKey{"me", "0"}], m.entries[commandKey{"me", "7"}]
	if !first.Reply.OK || first.Reply.Result != nil || last.Reply.Result == nil {
		t.Error("the oldest result is dropped, its verdict and the newest are kept")
	}
	m.expire(testTime.Add(time.Hour))
	if m.bytes != 0 || len(m.entries) != 0 {
		t.Errorf("%d bytes of %d entries are left", m.bytes, len(m.entries))
	}
}

func newLog(t *testing.T, path string) (*file, *bytes.Buffer) {
	buf := new(bytes.Buffer)
	l := &file{path: path, log: slog.New(slog.NewTextHandler(buf, nil))}
	t.Cleanup(l.close)
	return l, buf
}

func TestFileOverARestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "commands.json")
	l, _ := newLog(t, path)
	m := newMemory()
	l.load(m, testTime)
	for _, id := range []string{"done", "begun", "forgotten"} {
		l.note(know(t, m, "me", id, testTime), m)
	}
	answer := api.Done("done", map[string]int{"n": 1})
	data, _ := json.Marshal(answer)
	done, forgotten := m.entries[commandKey{"me", "done"}], m.entries[commandKey{"me", "forgotten"}]
	m.finish(done, answer)
	m.forget(forgotten)
	l.note(done, m)
	l.note(forgotten, m)
	l.sync()
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
	again, begun := m.entries[commandKey{"me", "done"}], m.entries[commandKey{"me", "begun"}]
	if got, _ := json.Marshal(again.Reply); string(got) != string(data) || again.Hash != 3 {
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

func TestFileIsRewritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "commands.json")
	l, _ := newLog(t, path)
	m := newMemory()
	l.load(m, testTime)
	big := strings.Repeat("r", 900_000)
	for i := range 30 {
		id := fmt.Sprint(i)
		r := know(t, m, "me", id, testTime.Add(time.Duration(i)*2*time.Minute))
		m.finish(r, api.Done(id, big))
		l.note(r, m)
	}
	if info, err := os.Stat(path); err != nil || info.Size() > 2*maxReplyBytes {
		t.Errorf("%v: %d bytes", err, info.Size())
	}
}

func TestFileThatCannotBeWritten(t *testing.T) {
	l, log := newLog(t, filepath.Join(t.TempDir(), "gone", "commands.json"))
	m := newMemory()
	l.load(m, testTime)
	for i := range 3 {
		l.note(know(t, m, "me", fmt.Sprint(i), testTime), m)
	}
	if n := strings.Count(log.String(), "not durable"); n != 1 {
		t.Errorf("said %d times: %s", n, log)
	}
}

// TestFromTheFuture: a clock that was two hours ahead when an id was noted stops nothing from being forgotten.
func TestFromTheFuture(t *testing.T) {
	path := filepath.Join(t.TempDir(), "commands.json")
	l, _ := newLog(t, path)
	m := newMemory()
	l.load(m, testTime)
	l.note(know(t, m, "me", "ahead", testTime.Add(2*time.Hour)), m)
	for i := range 100 {
		l.note(know(t, m, "me", fmt.Sprint(i), testTime), m)
	}
	l.close()
	l, _ = newLog(t, path)
	m = newMemory()
	l.load(m, testTime.Add(5*time.Minute))
	if len(m.entries) != 101 {
		t.Errorf("%d commands are remembered, want all 101", len(m.entries))
	}
	if m.expire(testTime.Add(11 * time.Minute)); len(m.entries) != 1 {
		t.Errorf("%d commands are remembered, want the one from the future alone", len(m.entries))
	}
	if m.expire(testTime.Add(16 * time.Minute)); len(m.entries) != 0 {
		t.Error("what seems to come from the future is remembered for longer than ten minutes")
	}
}

func FuzzFile(f *testing.F) {
	f.Add([]byte(`{"client":"me","id":"1","hash":3,"at":"2026-03-01T12:00:00Z","reply":{"schema":1,"id":"1","ok":true}}` +
		"\n" + `{"client":"me","id":"1","forget":true}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		m := newMemory()
		parse(data, m)
		m.rebase(testTime)
		if m.bytes < 0 || len(m.entries) > len(m.order) {
			t.Errorf("%d bytes, %d entries, %d in order", m.bytes, len(m.entries), len(m.order))
		}
	})
}
