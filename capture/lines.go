package capture

import (
	"context"
	"fmt"
	"hash/maphash"
	"log/slog"
	"strings"
	"sync"
	"time"
)

// Lines passes what a library says on to the log, a few lines in a while: a broken stream makes a decoder complain of
// every picture. Safe for concurrent use.
type Lines struct {
	log  *slog.Logger
	seed maphash.Seed

	mu     sync.Mutex
	since  time.Time // when the present period began
	said   int       // lines in it
	held   int       // lines not passed on in it
	newest uint64    // hash of the line before
}

const (
	linesPeriod = 10 * time.Second
	linesMost   = 5 // in a period
	lineLength  = 300
)

// NewLines passes lines on to l.
func NewLines(l *slog.Logger) *Lines { return &Lines{log: l, seed: maphash.MakeSeed()} }

// Say takes one line: an error becomes a warning, since what it costs is told elsewhere, anything less is for debugging.
func (l *Lines) Say(bad bool, line string) {
	line = strings.TrimSpace(line)
	if line == "" {
		return
	}
	level := slog.LevelDebug
	if bad {
		level = slog.LevelWarn
	}
	if !l.log.Enabled(context.Background(), level) {
		return
	}
	if held, ok := l.admit(line); ok {
		if held > 0 {
			l.log.Warn(fmt.Sprintf("%d more lines like these", held))
		}
		l.log.Log(context.Background(), level, clip(Mask(line)))
	}
}

// admit counts a line, and reports whether it may pass and how many did not in the period before.
func (l *Lines) admit(line string) (held int, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now := time.Now(); now.Sub(l.since) >= linesPeriod {
		held, l.held, l.said, l.since, l.newest = l.held, 0, 0, now, 0
	}
	hash := maphash.String(l.seed, line)
	if hash == l.newest || l.said >= linesMost {
		l.held++
		return 0, false
	}
	l.newest = hash
	l.said++
	return held, true
}

func clip(line string) string {
	if len(line) > lineLength {
		return strings.ToValidUTF8(line[:lineLength], "") + "…"
	}
	return strings.ToValidUTF8(line, "?")
}
