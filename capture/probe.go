package capture

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/segedge/segedge/frame"
)

// Probe opens a source, reads one picture and closes it again: what a person asks who wants to know whether a camera
// works. It returns when ctx ends, even if the source is stuck in C, which is then left behind.
func Probe(ctx context.Context, open Opener) (width, height int, err error) {
	type result struct {
		w, h int
		err  error
	}
	began := time.Now()
	done := make(chan result, 1)
	go func() {
		f := frame.New(2, 2)
		err := readOne(ctx, open, f)
		done <- result{f.Width, f.Height, err}
	}()
	select {
	case r := <-done:
		if ctx.Err() == nil || r.err == nil {
			return r.w, r.h, r.err
		}
	case <-ctx.Done():
	}
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return 0, 0, fmt.Errorf("no picture came within %v", time.Since(began).Round(time.Second))
	}
	return 0, 0, ctx.Err()
}

func readOne(ctx context.Context, open Opener, f *frame.Frame) error {
	src, err := open(ctx)
	if err != nil {
		return err
	}
	return errors.Join(src.Read(ctx, f), src.Close())
}
