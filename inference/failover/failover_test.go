package failover

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/inference/inferencetest"
	"github.com/segedge/segedge/seg"
)

// elsewhere is a model elsewhere that can be away in several ways.
type elsewhere struct {
	connect, embed, decode atomic.Bool // true: fails
	connects               atomic.Int32
	made                   []*inferencetest.Segmenter
}

// named is a test model of another name.
type named struct{ *inferencetest.Segmenter }

func (n named) Info() inference.Info {
	i := n.Segmenter.Info()
	i.Name, i.Provider = "big", "remote"
	return i
}

func (e *elsewhere) Connect(context.Context) (inference.Segmenter, error) {
	e.connects.Add(1)
	if e.connect.Load() {
		return nil, errors.New("connection refused")
	}
	fails := func(b *atomic.Bool) error {
		if b.Load() {
			return errors.New("cut off")
		}
		return nil
	}
	s := inferencetest.New(inferencetest.Options{
		Embed:  func(context.Context, *frame.Frame) error { return fails(&e.embed) },
		Decode: func(context.Context, []seg.Prompt) error { return fails(&e.decode) },
	})
	e.made = append(e.made, s)
	return named{s}, nil
}

// square is a picture with a bright square.
func square() *frame.Frame {
	f := frame.New(64, 48)
	for y := 10; y < 30; y++ {
		for x := 10; x < 30; x++ {
			copy(f.Pix[y*f.Stride()+3*x:], []byte{200, 200, 200})
		}
	}
	return f
}

func click() []seg.Prompt {
	return []seg.Prompt{{Clicks: []seg.Click{{Point: seg.Point{X: 20. / 64, Y: 20. / 48}, Label: seg.Positive}}}}
}

// check asks about the square and says which model saw it.
func check(t *testing.T, m *Model) string {
	t.Helper()
	e, err := m.Embed(t.Context(), square())
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	answer(t, e)
	i, ok := e.(inference.Identified)
	if !ok {
		t.Fatal("it does not say who saw it")
	}
	return i.Model()
}

func answer(t *testing.T, e inference.Embedding) {
	t.Helper()
	a, err := e.Decode(t.Context(), click())
	if err != nil {
		t.Fatal(err)
	}
	if len(a) != 1 || a[0].Best() == nil {
		t.Errorf("the square is not found: %+v", a)
	}
}

// TestNothingIsLostWhileTheOtherIsAway takes the other model away in each way, in the middle of everything, and gives it back.
func TestNothingIsLostWhileTheOtherIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		there, local := &elsewhere{}, inferencetest.New(inferencetest.Options{})
		there.connect.Store(true)
		var changes atomic.Int32
		m := New(Options{Local: local, Connect: there.Connect, Where: "http://gpu:8000"})
		m.Notify(func() { changes.Add(1) })
		if err := m.Connect(t.Context()); err == nil {
			t.Error("it connected to what is away")
		}
		if i := m.Info(); i.Name != "test" || !strings.HasPrefix(i.Away, "http://gpu:8000 since ") || !strings.HasSuffix(i.Away, "connection refused") {
			t.Errorf("from the start: %+v", i)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- m.Run(ctx) }()
		if who := check(t, m); who != "test/test" {
			t.Errorf("%s saw it", who)
		}
		back := func(what string) {
			t.Helper()
			for _, b := range []*atomic.Bool{&there.connect, &there.embed, &there.decode} {
				b.Store(false)
			}
			time.Sleep(time.Minute)
			if who := check(t, m); who != "test/big" || m.Info().Away != "" || m.Info().Provider != "remote" {
				t.Errorf("%s: %s serves, %+v", what, who, m.Info())
			}
		}
		back("at start")
		if m.Falls() != 1 {
			t.Errorf("away from the start: it fell %d times", m.Falls())
		}
		for _, c := range []struct {
			name string
			b    *atomic.Bool
		}{{"embed", &there.embed}, {"decode", &there.decode}} {
			open, err := m.Embed(t.Context(), square())
			if err != nil {
				t.Fatal(err)
			}
			before := changes.Load()
			c.b.Store(true)
			there.connect.Store(true)
			if who := check(t, m); c.name == "embed" && who != "test/test" {
				t.Errorf("%s: %s saw it", c.name, who)
			}
			answer(t, open) // the one that is open keeps its model, and where that fails is answered here
			synctest.Wait()
			if changes.Load() != before+1 || m.Info().Provider != "cpu" {
				t.Errorf("%s: %d changes, %+v", c.name, changes.Load()-before, m.Info())
			}
			if err := open.Close(); err != nil {
				t.Error(err)
			}
			back(c.name)
		}
		if m.Falls() != 3 {
			t.Errorf("it fell %d times", m.Falls())
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if err := m.Close(); err != nil {
			t.Error(err)
		}
		for i, s := range append(there.made, local) {
			if !s.Closed() || s.Live() != 0 {
				t.Errorf("model %d: closed %v, %d embeddings open", i, s.Closed(), s.Live())
			}
		}
	})
}

// A prompt that makes no sense, and a caller who goes away, are no failure of the model.
func TestOnlyFailuresOfTheModelCount(t *testing.T) {
	there := &elsewhere{}
	m := New(Options{Local: inferencetest.New(inferencetest.Options{}), Connect: there.Connect})
	defer m.Close()
	if err := m.Connect(t.Context()); err != nil {
		t.Fatal(err)
	}
	e, err := m.Embed(t.Context(), square())
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	if _, err := e.Decode(t.Context(), []seg.Prompt{{Text: "a square"}}); err == nil {
		t.Error("it takes text")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := e.Decode(ctx, click()); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if _, err := m.Embed(ctx, square()); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if m.Falls() != 0 || m.Info().Away != "" {
		t.Errorf("it fell: %+v", m.Info())
	}
}

// What stays away is asked less and less often, and a model that is closed asks no more.
func TestTheOtherIsAskedLessAndLess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		there := &elsewhere{}
		there.connect.Store(true)
		m := New(Options{Local: inferencetest.New(inferencetest.Options{}), Connect: there.Connect})
		done := make(chan error)
		go func() { done <- m.Run(t.Context()) }()
		time.Sleep(10*time.Minute + 31*time.Second)
		if n := there.connects.Load(); n < 20 || n > 27 {
			t.Errorf("it was asked %d times in ten minutes", n)
		}
		if err := m.Close(); err != nil {
			t.Error(err)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
		if _, err := m.Embed(t.Context(), square()); err == nil {
			t.Error("a closed model embeds")
		}
	})
}
