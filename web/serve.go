package web

import (
	"context"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// Limits of the HTTP server. The body of a command is limited where it is read; WHEP reads its own.
const (
	readHeaderTimeout = 5 * time.Second
	readTimeout       = 15 * time.Second
	writeTimeout      = 30 * time.Second // above Options.Timeout, so that a late reply still leaves
	idleTimeout       = 2 * time.Minute
	maxHeaderBytes    = 16 << 10
	shutdownTimeout   = 2 * time.Second
)

// Serve answers on l until ctx ends, then lets the requests in progress finish, for two seconds at most. It closes l
// and has joined every goroutine of the server's own when it returns. A clean end is nil.
func Serve(ctx context.Context, l net.Listener, h http.Handler) error {
	base, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	srv := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		BaseContext:       func(net.Listener) context.Context { return base },
		ErrorLog:          errorLog(h),
	}
	failed := make(chan error, 1)
	go func() { failed <- srv.Serve(l) }()
	select {
	case err := <-failed:
		return fmt.Errorf("web: serve on %s: %w", l.Addr(), err)
	case <-ctx.Done():
	}
	bound, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer cancel()
	err := srv.Shutdown(bound)
	cut() // what still runs is told to end
	if err != nil {
		_ = srv.Close()
	}
	<-failed
	if err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("web: shut down: %w", err)
	}
	return nil
}

// errorLog is where net/http writes of handlers that panicked and of peers that speak no HTTP.
func errorLog(h http.Handler) *log.Logger {
	handler := slog.Default().Handler()
	if s, ok := h.(*Server); ok {
		handler = s.opts.Logger.Handler()
	}
	return slog.NewLogLogger(handler, slog.LevelWarn)
}
