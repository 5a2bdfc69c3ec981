package worker

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/segedge/segedge/capture"
	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/testkit"
)

// The test binary is also the worker.
func TestMain(m *testing.M) {
	if Asked() {
		os.Exit(Serve(func(s capture.Spec) capture.Opener {
			return func(context.Context) (capture.Source, error) { return openActor(s.Address) }
		}))
	}
	os.Exit(m.Run())
}

// actor is a source that behaves as its address says.
type actor struct {
	part string
	n    int
}

func openActor(part string) (capture.Source, error) {
	switch part {
	case "refuse":
		return nil, errors.New("there is no such pipeline")
	case "gone":
		return nil, capture.Permanent(errors.New("there never will be"))
	case "hang":
		select {} // deaf, as C is
	case "die":
		os.Exit(3)
	case "a child", "a daemon":
		child := exec.Command("sleep", "40") //nolint:noctx // it outlives this process
		child.Stderr = os.Stderr
		child.SysProcAttr = &syscall.SysProcAttr{Setsid: part == "a daemon"}
		if err := child.Start(); err != nil {
			return nil, err
		}
	}
	os.Stderr.WriteString("GStreamer warning: of rtsp://u:geheim@h/x\n")
	return &actor{part: part}, nil
}

func (*actor) Info() capture.Info { return capture.Info{Live: true, FPS: 12.5, Width: 4, Height: 2} }
func (*actor) Close() error       { return nil }

func (a *actor) Read(_ context.Context, dst *frame.Frame) error {
	if a.n++; a.n == 4 {
		switch a.part {
		case "ends":
			return io.EOF
		case "fails":
			return errors.New("the camera is gone")
		case "crashes":
			os.Exit(2)
		case "hangs later":
			select {}
		}
	}
	dst.Resize(4+2*a.n, 2)
	for i := range dst.Pix {
		dst.Pix[i] = byte(a.n + i)
	}
	dst.PTS = time.Duration(a.n) * time.Second
	return nil
}

func open(ctx context.Context, t *testing.T, part string, log *slog.Logger) (capture.Source, error) {
	t.Helper()
	return start(ctx, exec.Command(os.Args[0]), capture.Spec{Kind: capture.KindGStreamer, Address: part}, log)
}

func opened(t *testing.T, part string) capture.Source {
	t.Helper()
	s, err := open(t.Context(), t, part, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestFramesComeThroughWhole(t *testing.T) {
	for part, want := range map[string]string{"ends": io.EOF.Error(), "fails": "the camera is gone", "crashes": errSilent.Error()} {
		s := opened(t, part)
		if i := s.(capture.Describer).Info(); i != (capture.Info{Live: true, FPS: 12.5, Width: 4, Height: 2}) {
			t.Errorf("%s: info %+v", part, i)
		}
		f := frame.New(2, 2)
		for n := 1; n < 4; n++ {
			if err := s.Read(t.Context(), f); err != nil {
				t.Fatal(part, err)
			}
			last := len(f.Pix) - 1
			if f.Width != 4+2*n || f.Height != 2 || f.Pix[last] != byte(n+last) || f.PTS != time.Duration(n)*time.Second {
				t.Errorf("%s: frame %d is %dx%d, %v at %v", part, n, f.Width, f.Height, f.Pix, f.PTS)
			}
		}
		for range 2 { // and nothing else from then on
			if err := s.Read(t.Context(), f); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v", part, err)
			}
		}
	}
}

func TestOpeningsThatFail(t *testing.T) {
	_, err := open(t.Context(), t, "refuse", slog.New(slog.DiscardHandler))
	if err == nil || err.Error() != "there is no such pipeline" || errors.Is(err, capture.ErrPermanent) {
		t.Errorf("refused: %v", err)
	}
	if _, err := open(t.Context(), t, "gone", slog.New(slog.DiscardHandler)); !errors.Is(err, capture.ErrPermanent) {
		t.Errorf("gone: %v", err)
	}
	if _, err := open(t.Context(), t, "die", slog.New(slog.DiscardHandler)); !errors.Is(err, errSilent) {
		t.Errorf("died: %v", err)
	}
}

// A worker that hangs for ever, while it opens or while it reads, ends with the context, and is joined.
func TestAHangingWorkerEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := open(ctx, t, "hang", slog.New(slog.DiscardHandler))
		done <- err
	}()
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("opening: %v", err)
	}
	ctx, cancel = context.WithCancel(t.Context())
	s, err := open(ctx, t, "hangs later", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	f := frame.New(2, 2)
	for range 3 {
		if err := s.Read(ctx, f); err != nil {
			t.Fatal(err)
		}
	}
	go cancel()
	if err := s.Read(ctx, f); !errors.Is(err, context.Canceled) {
		t.Errorf("reading: %v", err)
	}
	if err := s.Close(); err != nil || s.(*source).cmd.ProcessState == nil {
		t.Errorf("close: %v, %v", err, s.(*source).cmd.ProcessState)
	}
}

// Closing ends a worker that hangs, without a context's help.
func TestCloseEndsAWorkerThatHangs(t *testing.T) {
	s, err := open(t.Context(), t, "hangs later", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil || s.(*source).cmd.ProcessState == nil {
		t.Errorf("close: %v, %v", err, s.(*source).cmd.ProcessState)
	}
}

// What a worker's library has started keeps the worker's standard error open: that holds nobody up.
func TestCloseDoesNotWaitForWhatAWorkerHasStarted(t *testing.T) {
	for _, part := range []string{"a child", "a daemon"} {
		s, err := open(t.Context(), t, part, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		closed := make(chan error, 1)
		go func() { closed <- s.Close() }()
		select {
		case err := <-closed:
			if err != nil {
				t.Errorf("%s: %v", part, err)
			}
		case <-time.After(20 * time.Second): // it ends after 40
			t.Errorf("%s is waited for", part)
		}
	}
}

func TestWhatItsLibrariesSayIsLogged(t *testing.T) {
	var out testkit.Buffer
	s, err := open(t.Context(), t, "ends", slog.New(slog.NewTextHandler(&out, nil)))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil { // joins the reader
		t.Fatal(err)
	}
	if got := out.String(); !strings.Contains(got, "GStreamer warning: of rtsp://***@h/x") {
		t.Errorf("logged %q", got)
	}
}

func TestReadAllocatesNothing(t *testing.T) {
	s, f := opened(t, "for ever"), frame.New(2000, 2)
	if err := s.Read(t.Context(), f); err != nil {
		t.Fatal(err)
	}
	got := testing.AllocsPerRun(40, func() {
		if err := s.Read(t.Context(), f); err != nil {
			t.Fatal(err)
		}
	})
	if got >= 1 {
		t.Errorf("%v allocations a read", got)
	}
}
