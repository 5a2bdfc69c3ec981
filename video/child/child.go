// Package child is encoders of package video in a child process: the program ffmpeg with libx264, with those of hardware that it was built
// for, and with libvpx for VP8; the program gst-launch-1.0 with Jetson's. Pictures go to it as uncompressed Matroska, whose time stamps
// also say where a keyframe is wanted; units come back in FLV, of VP8 in IVF, which say where each ends. What an encoder is worth is not
// known before it has been tried: Probe does. A child that hangs or dies is an error of Encode; what then takes its place decides package
// video (Standby).
package child

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/segedge/segedge/video"
)

// Options of an encoder.
type Options struct {
	Encoder string // one of Encoders, or VP8
	FFmpeg  string // the program; empty is ffmpeg
	// KeyframeInterval is the number of frames between keyframes that nobody asked for; 0 is 120. GStreamer's children hear of no wish: they
	// give one each second.
	KeyframeInterval int
	// First and Patience are how long a child may take for its first picture and for each other; 0 is 5 s and 1.5 s. One that is started
	// because another failed has no longer than Patience: with what takes its place (video.Standby) no viewer waits for two seconds.
	First, Patience time.Duration

	failed *atomic.Int64 // when a child of this factory last failed, in Unix nanoseconds
}

// How long a child may say nothing: at first, and later.
const (
	longestStart = 5 * time.Second
	longest      = 1500 * time.Millisecond
)

// New makes encoders for video.Options.NewEncoder.
func New(o Options) func(video.Format) (video.Encoder, error) {
	o.FFmpeg = cmp.Or(o.FFmpeg, "ffmpeg")
	o.KeyframeInterval = cmp.Or(o.KeyframeInterval, 120)
	o.First, o.Patience = cmp.Or(o.First, longestStart), cmp.Or(o.Patience, longest)
	o.failed = new(atomic.Int64)
	return func(f video.Format) (video.Encoder, error) {
		e, err := o.open(f)
		if err != nil {
			return nil, err // not a nil *encoder in a non-nil interface
		}
		return e, nil
	}
}

// command is the child's command line, the program first; nil where there is no such encoder.
func (o *Options) command(f video.Format) []string {
	if e, ok := gstreamerOf(o.Encoder); ok {
		return e.command(f)
	}
	if e, ok := ffmpegOf(o.Encoder); ok {
		return e.command(o, f)
	}
	return nil
}

// encoder is a running child.
type encoder struct {
	o      *Options
	format video.Format
	cmd    *exec.Cmd
	in     *os.File
	writer matroska
	units  chan []byte // closed when the child says nothing any more
	said   tail
	joined sync.WaitGroup
	n      int
	closed bool
}

func (o *Options) open(f video.Format) (*encoder, error) {
	command := o.command(f)
	if command == nil || f.Width < 16 || f.Height < 16 || f.FPS <= 0 || f.Bitrate <= 0 {
		return nil, fmt.Errorf("video/child: %q cannot encode %+v", o.Encoder, f)
	}
	in, write, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer in.Close()
	e := &encoder{o: o, format: f, in: write, units: make(chan []byte, 4)}
	e.cmd = exec.CommandContext(context.Background(), command[0], command[1:]...) // #nosec G204 -- Close ends it
	e.cmd.Stdin, e.cmd.Stderr = in, &e.said
	out, err := e.cmd.StdoutPipe()
	if err == nil {
		err = e.cmd.Start()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("video/child: %w", err), write.Close())
	}
	e.joined.Go(func() {
		defer close(e.units)
		o.form().read(bufio.NewReaderSize(out, 1<<16), e.units)
	})
	return e, nil
}

// Encode compresses one picture.
func (e *encoder) Encode(pic *video.Picture, keyframe bool) ([]byte, bool, error) {
	if e.closed {
		return nil, false, errors.New("video/child: the encoder is closed")
	}
	patience := e.o.Patience
	if e.n == 0 && time.Now().UnixNano()-e.o.failed.Load() > int64(patience) {
		patience = e.o.First
	}
	late := time.NewTimer(patience)
	defer late.Stop()
	if err := e.in.SetWriteDeadline(time.Now().Add(patience)); err != nil {
		return nil, false, err
	}
	if err := e.writer.write(e.in, pic, keyframe); err != nil {
		return nil, false, e.fault("takes no picture", err)
	}
	e.n++
	select {
	case unit, ok := <-e.units:
		if !ok {
			return nil, false, e.fault("has ended", nil)
		}
		return unit, e.o.form().key(unit), nil
	case <-late.C:
		return nil, false, e.fault(fmt.Sprintf("gives nothing within %v", patience), nil)
	}
}

// fault is an error with the child's own last words.
func (e *encoder) fault(what string, err error) error {
	e.o.failed.Store(time.Now().UnixNano())
	if err == nil {
		err = errors.New(what)
	} else {
		err = fmt.Errorf("%s: %w", what, err)
	}
	if said := e.said.String(); said != "" {
		err = fmt.Errorf("%w: %s", err, said)
	}
	return fmt.Errorf("video/child: %s %w", e.o.Encoder, err)
}

// Close ends the child; a second time does nothing.
func (e *encoder) Close() error {
	if e.closed {
		return nil
	}
	e.closed = true
	err := e.in.Close()
	_ = e.cmd.Process.Kill() // what it has not said nobody waits for
	for range e.units {      //nolint:revive // emptied so that the reader ends
	}
	e.joined.Wait()
	_ = e.cmd.Wait() // it was killed
	return err
}

// probed is what Probe encodes: large enough for every hardware.
var probed = video.Format{Width: 640, Height: 368, FPS: 30, Bitrate: 1_000_000}

// Probe tries an encoder: whether it gives a decodable unit for each picture, at once, and, of ffmpeg's, a keyframe where one is asked for.
// Nil is that it does.
func Probe(ctx context.Context, o Options) error {
	if e, ok := ffmpegOf(o.Encoder); ok && !e.there() {
		return fmt.Errorf("video/child: there is no %s: this machine has no GPU that offers VA-API, or its driver is not loaded", e.device)
	}
	o.First, o.Patience = 5*time.Second, 2*time.Second // a driver may have to load
	e, err := New(o)(probed)
	if err != nil {
		return err
	}
	defer e.Close()
	var pic video.Picture
	pic.Resize(probed.Width, probed.Height)
	for i := range 4 {
		if err := ctx.Err(); err != nil {
			return err
		}
		for j := range pic.Pix {
			pic.Pix[j] = byte(128 + (i*j)%31)
		}
		want := i == 0 || i == 2 && o.hears()
		unit, key, err := e.Encode(&pic, want)
		switch {
		case err != nil:
			return err
		case want && !key:
			return fmt.Errorf("video/child: %s gives no keyframe where one is asked for", o.Encoder)
		case want && !o.form().whole(unit):
			return fmt.Errorf("video/child: %s gives a keyframe without parameter sets", o.Encoder)
		}
	}
	return nil
}

// hears says whether the child makes a keyframe where one is asked for.
func (o *Options) hears() bool {
	_, ok := gstreamerOf(o.Encoder)
	return !ok
}

// tail keeps the last words of a child.
type tail struct {
	mu   sync.Mutex
	text []byte
}

// mostWords bounds what is kept of what a child says.
const mostWords = 400

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p...)
	if n := len(t.text) - mostWords; n > 0 {
		t.text = append(t.text[:0], t.text[n:]...)
	}
	return len(p), nil
}

// String is one line.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.Join(strings.FieldsFunc(strings.ToValidUTF8(string(t.text), ""), func(r rune) bool { return r == '\n' || r == '\r' }), "; ")
}
