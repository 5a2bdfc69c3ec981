package mil

import (
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/seg"
)

// picture is a noisy ground with a chequered square at (x, y).
func picture(x, y int) *frame.Frame {
	f, r := frame.New(240, 160), rand.New(rand.NewPCG(1, 2))
	for i := range f.Pix {
		f.Pix[i] = byte(90 + r.IntN(30))
	}
	for j := range 40 {
		for i := range 40 {
			v := byte(30 + 200*((i/8+j/8)%2))
			p := f.Pix[(y+j)*f.Stride()+3*(x+i):][:3]
			p[0], p[1], p[2] = v, v/2, 255-v
		}
	}
	return f
}

func TestFollowsASquare(t *testing.T) {
	tr := New()
	defer func() {
		if err := tr.Close(); err != nil {
			t.Error(err)
		}
	}()
	if _, _, err := tr.Update(picture(60, 50)); !errors.Is(err, ErrNotStarted) {
		t.Errorf("an update before a box: %v", err)
	}
	if err := tr.Init(picture(60, 50), seg.Box{X0: 0.5, Y0: 0.5, X1: 0.501, Y1: 0.501}); err == nil {
		t.Error("a box without a pixel is accepted")
	}
	if err := tr.Init(picture(60, 50), seg.Box{X0: 60.0 / 240, Y0: 50.0 / 160, X1: 100.0 / 240, Y1: 90.0 / 160}); err != nil {
		t.Fatal(err)
	}
	for n := 1; n <= 10; n++ {
		x, y := 60+4*n, 50+2*n
		box, ok, err := tr.Update(picture(x, y))
		want := seg.Box{X0: float64(x) / 240, Y0: float64(y) / 160, X1: float64(x+40) / 240, Y1: float64(y+40) / 160}
		if err != nil || !ok || box.IoU(want) < 0.5 {
			t.Fatalf("frame %d: %v, %v, %v, want about %v", n, box, ok, err, want)
		}
	}
}
