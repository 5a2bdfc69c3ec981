package stream

import (
	"fmt"
	"log/slog"

	"github.com/pion/logging"
)

// loggers hand what the WebRTC stack says to slog: its warnings are about single packets and go out at debug level.
type loggers struct{ to *slog.Logger }

// NewLogger is called by the stack for each of its parts.
func (l loggers) NewLogger(scope string) logging.LeveledLogger {
	return leveled{l.to.With("part", scope)}
}

type leveled struct{ to *slog.Logger }

func (leveled) Trace(string)                     {}
func (leveled) Tracef(string, ...any)            {}
func (leveled) Debug(string)                     {}
func (leveled) Debugf(string, ...any)            {}
func (leveled) Info(string)                      {}
func (leveled) Infof(string, ...any)             {}
func (l leveled) Warn(msg string)                { l.to.Debug(msg) }
func (l leveled) Warnf(format string, a ...any)  { l.to.Debug(fmt.Sprintf(format, a...)) }
func (l leveled) Error(msg string)               { l.to.Warn(msg) }
func (l leveled) Errorf(format string, a ...any) { l.to.Warn(fmt.Sprintf(format, a...)) }
