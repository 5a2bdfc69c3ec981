// Package worker reads a source in a process of its own: one that may hang, deaf to everything, in a library that was never
// meant to be stopped. The parent ends such a process and starts another; nothing of it stays behind. It passes frames on
// through a pipe and knows nothing of what reads them.
package worker

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/segedge/segedge/capture"
	"github.com/segedge/segedge/frame"
)

// specEnv holds the source for a process that is to be a worker. A command line would show its password to everybody.
const specEnv = "SEGEDGE_CAPTURE_WORKER"

// What the worker says: a head of headSize bytes, whose first is the kind, and what that kind brings.
const (
	headSize = 32

	kindInfo    = 1 // of the open source; comes first
	kindPicture = 2 // width, height, PTS; then its pixels
	kindFailure = 3 // length; then the error's text. The last word.
	kindEnd     = 4 // the last word too
	kindGone    = 5 // kindFailure that trying again cannot mend
)

// Asked reports whether this process was started to be a worker. A program that opens sources through Opener asks before
// anything else, and if so calls Serve and ends.
func Asked() bool { return os.Getenv(specEnv) != "" }

// Serve reads the source that the parent has asked for until it ends or the parent does, and returns the exit code.
func Serve(open func(capture.Spec) capture.Opener) int {
	signal.Ignore(syscall.SIGINT, syscall.SIGTERM) // the parent says when; a terminal's Ctrl-C reaches both
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // ends with the parent, however that ends
		os.Exit(0)                           //nolint:forbidigo // the process is the worker
	}()
	syscall.CloseOnExec(3) // what a library starts must not keep the frames' pipe open
	out := os.NewFile(3, "frames")
	var spec capture.Spec
	if err := json.Unmarshal([]byte(os.Getenv(specEnv)), &spec); err != nil {
		fmt.Fprintln(os.Stderr, "worker:", err)
		return 1
	}
	if err := serve(context.Background(), out, open(spec)); err != nil {
		return 1 // the parent reads no more
	}
	return 0
}

// serve writes what a source gives. Its error is that of w.
func serve(ctx context.Context, w io.Writer, open capture.Opener) error {
	src, err := open(ctx)
	if err != nil {
		return last(w, err)
	}
	defer src.Close()
	info := capture.Info{Live: true}
	if d, ok := src.(capture.Describer); ok {
		info = d.Info()
	}
	if err := writeInfo(w, info); err != nil {
		return err
	}
	f := frame.New(2, 2)
	for {
		if err := src.Read(ctx, f); err != nil {
			return last(w, err)
		}
		var head [headSize]byte
		head[0] = kindPicture
		binary.LittleEndian.PutUint32(head[4:], uint32(f.Width))
		binary.LittleEndian.PutUint32(head[8:], uint32(f.Height))
		binary.LittleEndian.PutUint64(head[16:], uint64(f.PTS))
		if _, err := w.Write(head[:]); err != nil {
			return err
		}
		if _, err := w.Write(f.Pix); err != nil {
			return err
		}
	}
}

func writeInfo(w io.Writer, i capture.Info) error {
	var head [headSize]byte
	head[0], head[1], head[2] = kindInfo, flag(i.Live), flag(i.Paced)
	binary.LittleEndian.PutUint32(head[4:], uint32(i.Width))
	binary.LittleEndian.PutUint32(head[8:], uint32(i.Height))
	binary.LittleEndian.PutUint64(head[16:], math.Float64bits(i.FPS))
	_, err := w.Write(head[:])
	return err
}

func flag(b bool) byte {
	if b {
		return 1
	}
	return 0
}

// last writes the end, or why there is no more.
func last(w io.Writer, err error) error {
	var head [headSize]byte
	var text []byte
	switch {
	case errors.Is(err, io.EOF):
		head[0] = kindEnd
	case errors.Is(err, capture.ErrPermanent):
		head[0], text = kindGone, []byte(err.Error())
	default:
		head[0], text = kindFailure, []byte(err.Error())
	}
	binary.LittleEndian.PutUint32(head[4:], uint32(len(text)))
	_, err = w.Write(append(head[:], text...))
	return err
}

// head is one read: what follows it is still in the pipe.
type head [headSize]byte

func (h *head) kind() byte         { return h[0] }
func (h *head) number(at int) int  { return int(binary.LittleEndian.Uint32(h[at:])) }
func (h *head) pts() time.Duration { return time.Duration(binary.LittleEndian.Uint64(h[16:])) }

func (h *head) info() capture.Info {
	return capture.Info{
		Live: h[1] != 0, Paced: h[2] != 0, Width: h.number(4), Height: h.number(8),
		FPS: math.Float64frombits(binary.LittleEndian.Uint64(h[16:])),
	}
}

// failure reads the text of a failure.
func (h *head) failure(r io.Reader) error {
	var text bytes.Buffer
	if _, err := io.CopyN(&text, r, int64(min(h.number(4), 4096))); err != nil {
		return errSilent
	}
	err := errors.New(text.String())
	if h.kind() == kindGone {
		return capture.Permanent(err)
	}
	return err
}
