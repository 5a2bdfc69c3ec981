package worker

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"github.com/segedge/segedge/capture"
	"github.com/segedge/segedge/frame"
)

var errSilent = errors.New("the process that reads it has ended without a word")

// maxSide bounds what a worker may call a picture.
const maxSide = 16384

// source is a worker, seen from its parent. One goroutine uses it.
type source struct {
	spec  capture.Spec
	cmd   *exec.Cmd
	stop  context.CancelFunc
	in    io.Closer // the worker ends when this does
	out   *os.File
	lines *os.File       // what the worker's libraries say
	said  sync.WaitGroup // reads lines
	head  head
	info  capture.Info
	ended error
}

// Opener reads spec in a process of its own, by this same program. What the libraries in it say goes to log.
func Opener(spec capture.Spec, log *slog.Logger) capture.Opener {
	return func(ctx context.Context) (capture.Source, error) {
		path, err := os.Executable()
		if err != nil {
			return nil, fmt.Errorf("open %s: %w", spec, err)
		}
		return start(ctx, exec.Command(path), spec, log) //nolint:noctx,gosec // this very program; its source ends it
	}
}

// start runs the worker and waits until it has opened the source, or ctx ends.
func start(ctx context.Context, cmd *exec.Cmd, spec capture.Spec, log *slog.Logger) (capture.Source, error) {
	asked, err := json.Marshal(spec)
	if err != nil {
		return nil, err
	}
	cmd.Env = append(os.Environ(), specEnv+"="+string(asked))
	s := &source{spec: spec, cmd: cmd}
	if err := s.run(log); err != nil {
		return nil, fmt.Errorf("open %s: a process to read it: %w", spec, err)
	}
	ctx, s.stop = context.WithCancel(ctx)
	context.AfterFunc(ctx, s.kill)
	if err := s.opened(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// run starts the process with its three pipes: frames out, libraries' lines out, and one that only ends.
func (s *source) run(log *slog.Logger) error {
	var files [3][2]*os.File
	for i := range files {
		var err error
		if files[i][0], files[i][1], err = os.Pipe(); err != nil {
			return err
		}
	}
	frames, lines, alive := files[0], files[1], files[2]
	s.out, s.lines, s.in = frames[0], lines[0], alive[1]
	s.cmd.Stdin, s.cmd.Stdout, s.cmd.Stderr = alive[0], lines[1], lines[1]
	s.cmd.ExtraFiles = []*os.File{frames[1]}
	s.cmd.SysProcAttr = attributes()
	err := s.cmd.Start()
	for _, f := range []*os.File{frames[1], lines[1], alive[0]} {
		f.Close()
	}
	if err != nil {
		frames[0].Close()
		lines[0].Close()
		alive[1].Close()
		return err
	}
	widen(s.out)
	s.said.Go(func() { listen(s.lines, capture.NewLines(log)) })
	return nil
}

// listen passes lines on until the process has closed them.
func listen(r io.ReadCloser, to *capture.Lines) {
	defer r.Close()
	in := bufio.NewReaderSize(r, 4096)
	for {
		line, _, err := in.ReadLine() // a longer one comes in parts
		if err != nil {
			return
		}
		to.Say(true, string(line))
	}
}

// opened reads the worker's first word.
func (s *source) opened(ctx context.Context) error {
	if err := s.next(ctx); err != nil {
		return err
	}
	if s.head.kind() != kindInfo {
		return errSilent
	}
	s.info = s.head.info()
	return nil
}

// next reads a head; the source's end and failures become errors.
func (s *source) next(ctx context.Context) error {
	_, err := io.ReadFull(s.out, s.head[:])
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		return fmt.Errorf("read %s: %w", s.spec, errSilent)
	}
	switch s.head.kind() {
	case kindEnd:
		return io.EOF
	case kindFailure, kindGone:
		return s.head.failure(s.out)
	}
	return nil
}

func (s *source) Info() capture.Info { return s.info }

// Read fetches the next picture, into dst itself.
func (s *source) Read(ctx context.Context, dst *frame.Frame) error {
	if s.ended == nil {
		s.ended = s.read(ctx, dst)
	}
	return s.ended
}

func (s *source) read(ctx context.Context, dst *frame.Frame) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := s.next(ctx); err != nil {
		return err
	}
	w, h := s.head.number(4), s.head.number(8)
	if s.head.kind() != kindPicture || w < 1 || h < 1 || w > maxSide || h > maxSide {
		return fmt.Errorf("read %s: %w", s.spec, errSilent)
	}
	dst.Resize(w, h)
	dst.PTS = s.head.pts()
	if _, err := io.ReadFull(s.out, dst.Pix); err != nil {
		return errors.Join(ctx.Err(), fmt.Errorf("read %s: %w", s.spec, errSilent))
	}
	return nil
}

// closeTime is how long a worker may take to end when it is told to.
const closeTime = 500 * time.Millisecond

// lastWords is for how long its lines are still read then, if a process that outlives it keeps them open.
const lastWords = 100 * time.Millisecond

// Close ends the process and joins it.
func (s *source) Close() error {
	s.in.Close()
	s.out.Close()
	timer := time.AfterFunc(closeTime, s.stop)
	_ = s.cmd.Wait() // how it ended does not matter any more
	timer.Stop()
	s.stop()
	_ = s.lines.SetReadDeadline(time.Now().Add(lastWords)) // it may be closed already
	s.said.Wait()
	return nil
}

// kill ends the worker and what its libraries have started, as GStreamer does to look through its plugins: that would keep the pipes open.
func (s *source) kill() { _ = syscall.Kill(-s.cmd.Process.Pid, syscall.SIGKILL) } // they may have ended by themselves

// attributes keep a terminal's signals from the worker, and make what it starts one group with it.
func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
