package dispatch

import (
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/segedge/segedge/api"
)

// An audit line is written for each command; of a flood as many as these, and how many were left out.
const (
	auditBurst  = 50
	auditEvery  = 100 * time.Millisecond // and one more in this time
	auditLength = 64                     // bytes of what a stranger wrote
)

// audit says in the log who commanded what, and how it ended.
type audit struct {
	log  *slog.Logger
	told func(Outcome) // of every command; nil for nobody

	mu     sync.Mutex
	left   int
	filled time.Time
	hidden int
}

// Outcome is a command and how it ended.
type Outcome struct {
	Door, Camera, Verb, ID string   // as far as they are short: a stranger wrote them
	Code                   api.Code // why it was refused; empty where it was done
	Began                  time.Time
	Took                   time.Duration // until its reply
}

func newAudit(log *slog.Logger, told func(Outcome)) *audit {
	return &audit{log: log, told: told, left: auditBurst}
}

// allow reports whether a line may be written, and how many were left out before it.
func (a *audit) allow(now time.Time) (hidden int, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if n := int(now.Sub(a.filled) / auditEvery); n > 0 {
		a.left = min(auditBurst, a.left+n)
		a.filled = now
	}
	if a.left == 0 {
		a.hidden++
		return 0, false
	}
	a.left--
	hidden, a.hidden = a.hidden, 0
	return hidden, true
}

func (a *audit) note(r *Request, t *Ticket, reply api.Reply) {
	door, _, _ := strings.Cut(r.Door, " ") // what follows is a session's secret
	a.tell(door, r, t, reply)
	hidden, ok := a.allow(time.Now())
	if !ok {
		return
	}
	attrs := []any{"door", door, "camera", short(r.Camera), "verb", short(t.Verb), "id", short(t.ID)}
	if r.Caller.Name != "" {
		attrs = append(attrs, "who", r.Caller.Name)
	}
	if t.Reply != "" {
		attrs = append(attrs, "client", short(t.Reply))
	}
	if hidden > 0 {
		attrs = append(attrs, "not_shown", hidden)
	}
	if reply.Error != nil {
		a.log.Info("a command was refused", append(attrs, "code", string(reply.Error.Code))...)
		return
	}
	a.log.Info("a command was done", attrs...)
}

// tell passes on how a command ended.
func (a *audit) tell(door string, r *Request, t *Ticket, reply api.Reply) {
	if a.told == nil {
		return
	}
	o := Outcome{Door: door, Camera: short(r.Camera), Verb: short(t.Verb), ID: short(t.ID), Began: t.begun, Took: time.Since(t.begun)}
	if reply.Error != nil {
		o.Code = reply.Error.Code
	}
	a.told(o)
}

func short(s string) string {
	if len(s) > auditLength {
		return strings.ToValidUTF8(s[:auditLength], "") + "…"
	}
	return s
}
