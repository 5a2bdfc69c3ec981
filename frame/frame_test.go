package frame

import (
	"context"
	"strings"
	"sync"
	"testing"
)

func TestPoolIsBoundedAndReusesBuffers(t *testing.T) {
	p := NewPool(2)
	a, b := p.Get(), p.Get()
	if a == nil || b == nil || p.Get() != nil {
		t.Fatal("a pool of 2 must give exactly 2 frames")
	}
	a.Resize(4, 2)
	first := &a.Pix[0]
	a.Release()
	c := p.Get()
	c.Resize(2, 2)
	if &c.Pix[0] != first || len(c.Pix) != 12 {
		t.Error("a smaller frame must reuse the buffer")
	}
	if got := testing.AllocsPerRun(100, func() { f := c.Retain(); f.Resize(4, 2); f.Release() }); got != 0 {
		t.Errorf("steady state allocates %v times", got)
	}
	c.Release()
	b.Release()
	if p.InUse() != 0 {
		t.Errorf("%d in use after all were released", p.InUse())
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
}

func TestPoolCloseNamesLeaks(t *testing.T) {
	p := NewPool(3)
	f := p.Get()
	f.Resize(2, 2)
	if err := p.Close(); err == nil || !strings.Contains(err.Error(), "1 of 3") {
		t.Errorf("leak not reported: %v", err)
	}
	f.Release()
	if len(p.pins) != 0 {
		t.Error("a frame that comes back after Close must be unpinned")
	}
	if p.Get() != nil {
		t.Error("a closed pool gives no frames")
	}
}

func TestMisusePanics(t *testing.T) {
	for name, misuse := range map[string]func(f *Frame){
		"release twice":        func(f *Frame) { f.Release(); f.Release() },
		"retain after release": func(f *Frame) { f.Release(); f.Retain() },
		"empty size":           func(f *Frame) { f.Resize(0, 4) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			misuse(New(2, 2))
		})
	}
}

func TestLatestKeepsTheNewest(t *testing.T) {
	p, l := NewPool(3), NewLatest()
	for seq := range uint64(3) {
		f := p.Get()
		f.Seq = seq
		l.Put(f)
	}
	f, err := l.Take(t.Context())
	if err != nil || f.Seq != 2 || l.Dropped() != 2 || p.InUse() != 1 {
		t.Fatalf("took %v, %v; dropped %d, in use %d", f, err, l.Dropped(), p.InUse())
	}
	f.Release()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := l.Take(ctx); err == nil {
		t.Error("Take on an empty slot must end with its context")
	}
	l.Put(p.Get())
	l.Close()
	l.Put(p.Get())
	if p.InUse() != 0 {
		t.Error("Close must release what waits, and what comes later")
	}
}

func TestLatestUnderRace(t *testing.T) {
	p, l := NewPool(3), NewLatest()
	const n = 2000
	var wg sync.WaitGroup
	wg.Go(func() {
		for seq := uint64(1); seq <= n; {
			f := p.Get()
			if f == nil {
				if f = l.Reclaim(); f == nil {
					continue
				}
			}
			f.Seq = seq
			l.Put(f)
			seq++
		}
	})
	wg.Go(func() {
		for last := uint64(0); last < n; {
			f, err := l.Take(t.Context())
			if err != nil {
				t.Error(err)
				return
			}
			if f.Seq <= last {
				t.Errorf("frame %d after %d", f.Seq, last)
			}
			last = f.Seq
			f.Release()
		}
	})
	wg.Wait()
	l.Close()
	if err := p.Close(); err != nil {
		t.Error(err)
	}
}
