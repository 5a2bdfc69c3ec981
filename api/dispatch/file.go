package dispatch

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"time"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/atomicfile"
)

// maxFile is the least size at which the file is written anew with what is still remembered.
const maxFile = 4 << 20

// file keeps the memory of commands across restarts: one JSON document a line, the last of an id counts. A
// disk that refuses costs the durability of the ids, said once, and nothing else.
type file struct {
	path  string // empty keeps nothing
	log   *slog.Logger
	file  *os.File
	size  int64
	limit int64 // the size at which it is written anew
	dirty bool  // there are notes that are not durable
	quiet bool
}

// load reads the file into a memory. A command that was begun and has no reply was interrupted: whether it was done
// is not known, and so says its reply.
func (l *file) load(m *memory, now time.Time) {
	if l.path == "" {
		return
	}
	data, err := os.ReadFile(l.path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		l.complain(err)
	}
	parse(data, m)
	m.rebase(now)
	for _, r := range m.entries {
		if r.Reply == nil {
			reply := api.Refuse(r.ID, api.Internal, "the agent stopped while the command was being done; "+
				"look at the objects and send it again with a new id if need be")
			r.Reply = &reply
		}
	}
	l.rewrite(m)
}

// parse reads lines until one is torn.
func parse(data []byte, m *memory) {
	s := bufio.NewScanner(bytes.NewReader(data))
	s.Buffer(nil, maxFile)
	for s.Scan() {
		var r remembered
		if json.Unmarshal(s.Bytes(), &r) != nil || r.ID == "" {
			continue
		}
		known := m.entries[commandKey{r.Client, r.ID}]
		switch {
		case r.Forget && known != nil:
			m.forget(known)
		case !r.Forget && (known != nil || len(m.entries) < maxRemembered && m.clients[r.Client] < maxPerClient):
			r.bytes = len(s.Bytes())
			m.put(&r)
		}
	}
}

// note writes what is known of a command; sync makes it durable. Of a command's two notes only the first needs that: who
// finds no second does not do the command again, but says that it may have been done.
func (l *file) note(r *remembered, m *memory) {
	if l.path == "" || r == nil {
		return
	}
	line, err := json.Marshal(r)
	if err == nil && l.file == nil {
		err = l.open()
	}
	if err == nil {
		_, err = l.file.Write(append(line, '\n'))
	}
	if err != nil {
		l.close()
		l.complain(err)
		return
	}
	l.dirty = true
	if l.size += int64(len(line)) + 1; l.size > l.limit {
		l.rewrite(m)
	}
}

// sync makes the notes so far durable.
func (l *file) sync() {
	if !l.dirty || l.file == nil {
		return
	}
	if err := l.file.Sync(); err != nil {
		l.close()
		l.complain(err)
		return
	}
	l.dirty, l.quiet = false, false
}

func (l *file) open() error {
	f, err := os.OpenFile(l.path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	l.file = f
	return nil
}

// rewrite replaces the file by what is remembered now.
func (l *file) rewrite(m *memory) {
	var buf bytes.Buffer
	for _, r := range m.order {
		if r.Forget {
			continue
		}
		if line, err := json.Marshal(r); err == nil {
			buf.Write(append(line, '\n'))
		}
	}
	l.close()
	if err := atomicfile.Write(l.path, buf.Bytes()); err != nil {
		l.complain(err)
	}
	l.size = int64(buf.Len())
	l.limit = max(maxFile, 2*l.size)
}

func (l *file) complain(err error) {
	if !l.quiet {
		l.log.Error("the ids of commands are not durable: a command repeated after a restart would be done twice",
			"error", fmt.Errorf("command memory: %w", err))
	}
	l.quiet = true
}

func (l *file) close() {
	if l.file != nil {
		_ = l.file.Close()
		l.file, l.dirty = nil, false
	}
}
