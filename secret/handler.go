package secret

import (
	"context"
	"log/slog"
)

// Handler masks what goes through it to another handler: messages, and attributes that are strings or errors.
type Handler struct{ next slog.Handler }

// NewHandler puts a mask before a handler.
func NewHandler(next slog.Handler) Handler { return Handler{next} }

// Enabled is the next handler's.
func (h Handler) Enabled(ctx context.Context, l slog.Level) bool { return h.next.Enabled(ctx, l) }

// Handle masks a record and hands it on.
func (h Handler) Handle(ctx context.Context, r slog.Record) error {
	masked := slog.NewRecord(r.Time, r.Level, Mask(r.Message), r.PC)
	r.Attrs(func(a slog.Attr) bool {
		masked.AddAttrs(maskAttr(a))
		return true
	})
	return h.next.Handle(ctx, masked)
}

// WithAttrs masks attributes once.
func (h Handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	masked := make([]slog.Attr, len(attrs))
	for i, a := range attrs {
		masked[i] = maskAttr(a)
	}
	return Handler{h.next.WithAttrs(masked)}
}

// WithGroup is the next handler's.
func (h Handler) WithGroup(name string) slog.Handler { return Handler{h.next.WithGroup(name)} }

func maskAttr(a slog.Attr) slog.Attr {
	v := a.Value.Resolve()
	switch v.Kind() {
	case slog.KindString:
		return slog.String(a.Key, Mask(v.String()))
	case slog.KindGroup:
		var in []any
		for _, b := range v.Group() {
			in = append(in, maskAttr(b))
		}
		return slog.Group(a.Key, in...)
	case slog.KindAny:
		switch x := v.Any().(type) {
		case error:
			return slog.String(a.Key, Mask(x.Error()))
		case interface{ String() string }:
			return slog.String(a.Key, Mask(x.String()))
		}
	}
	return slog.Attr{Key: a.Key, Value: v}
}
