package video

import (
	"errors"
	"image"
	"log/slog"
	"testing"
	"time"

	"github.com/segedge/segedge/seg"
)

// Each rendition is encoded while it is wanted, in its own size, from one painted picture.
func TestRenditions(t *testing.T) {
	r := newRig(t)
	defer r.stop()
	r.show(1920, 1080, 0)
	if u := r.unit(); u.Rendition != Full || u.Width != 1920 || u.Height != 1080 {
		t.Fatalf("unit %+v", u)
	}
	r.idle()
	r.also.Store(1<<Common | 1<<Low)
	r.show(1920, 1080, time.Second)
	for i, want := range [][2]int{{1920, 1080}, {1280, 720}, {640, 360}} {
		u := r.unit()
		if u.Rendition != Rendition(i) || u.Width != want[0] || u.Height != want[1] || u.Seq != 2 || u.Keyframe != (i > 0) {
			t.Errorf("unit %+v, want rendition %d of %v", u, i, want)
		}
	}
	r.idle()
	r.wanted.Store(false)
	r.also.Store(1 << Low)
	r.sink.RequestKeyframe(Common) // of nobody
	r.show(1920, 1080, 2*time.Second)
	if u := r.unit(); u.Rendition != Low || u.Keyframe {
		t.Errorf("unit %+v", u)
	}
	r.idle()
	r.wanted.Store(true)
	r.show(1920, 1080, 3*time.Second)
	if u := r.unit(); u.Rendition != Full || !u.Keyframe {
		t.Errorf("unit %+v: one that is wanted again begins with a keyframe", u)
	}
	if n := len(r.encoders); n != 4 || r.encoders[0].closed != 1 || r.encoders[1].closed != 1 {
		t.Errorf("%d encoders", n)
	}
}

func TestThrottleIsOfOneRendition(t *testing.T) {
	r := newRig(t)
	defer r.stop()
	r.also.Store(1 << Low)
	r.sink.Throttle(Low, 0.5)
	r.show(640, 360, 0)
	r.unit()
	r.unit()
	if full, low := r.encoders[0].rates, r.encoders[1].rates; len(full) != 0 || len(low) != 1 {
		t.Errorf("bitrates %v and %v", full, low)
	}
}

// An encoder that takes no picture is told, once, and everything else goes on.
func TestFault(t *testing.T) {
	r := newRig(t)
	defer r.stop()
	r.also.Store(1 << Low)
	r.prepare = func(e *fakeEncoder) {
		if e.format.Width > 640 {
			e.fail = errors.New("too large for me")
		}
	}
	if err := r.sink.Fault(); err != nil {
		t.Error(err)
	}
	r.show(1280, 720, 0)
	if u := r.unit(); u.Rendition != Low {
		t.Errorf("unit %+v", u)
	}
	if err := r.sink.Fault(); err == nil || !errors.Is(err, r.encoders[0].fail) {
		t.Errorf("fault %v", err)
	}
	r.idle()
	r.wanted.Store(false)
	if err := r.sink.Fault(); err != nil {
		t.Errorf("%v, of a rendition that nobody wants", err)
	}
}

// A camera that turns out to be faster than it seemed does not go on in an encoder whose level it breaks.
func TestAFasterCameraRebuildsTheEncoder(t *testing.T) {
	r := newRig(t)
	defer r.stop()
	r.wanted.Store(false)
	r.also.Store(1 << Common)
	last := Unit{}
	for i := range 40 {
		r.show(1280, 720, time.Duration(i)*time.Second/60)
		last = r.unit()
		r.idle()
	}
	if last.Width != 896 || r.encoders[0].format.Width != 1280 {
		t.Errorf("%+v", last)
	}
}

func TestLevelOfTheFullRendition(t *testing.T) {
	r := newRig(t)
	defer r.stop()
	r.wanted.Store(false) // it is known all the same
	if l := r.sink.Level(); l != 0 {
		t.Errorf("level %d before the first frame", l)
	}
	for size, want := range map[[2]int]Level{{1280, 720}: 31, {1920, 1080}: 40, {640, 360}: 30, {4000, 3000}: 52} {
		r.show(size[0], size[1], 0)
		if l := r.sink.Level(); l != want {
			t.Errorf("%v: level %d, want %d", size, l, want)
		}
	}
}

// The clean renditions are the camera's picture, and nothing is painted where nobody is to see it.
func TestCleanRenditions(t *testing.T) {
	r := newRig(t)
	defer r.stop()
	all := seg.NewMask(64, 32, image.Rect(0, 0, 64, 32))
	for i := range all.Bits {
		all.Bits[i] = 1
	}
	object := seg.Object{ID: 1, State: seg.Tracking, Mask: all}
	r.also.Store(1 << CleanFull)
	r.show(64, 32, 0, object)
	if u := r.unit(); u.Rendition != Full {
		t.Fatalf("unit %+v", u)
	}
	if u := r.unit(); u.Rendition != CleanFull {
		t.Fatalf("unit %+v", u)
	}
	if painted, clean := r.encoders[0].first, r.encoders[1].first; clean != 16 || painted == clean {
		t.Errorf("luma %d with the overlay, %d without: want black without", painted, clean)
	}
	r.idle()
	for len(r.stages) > 0 {
		<-r.stages
	}
	r.wanted.Store(false)
	r.show(64, 32, time.Second, object)
	r.unit()
	r.idle()
	for len(r.stages) > 0 {
		if s := <-r.stages; s == StagePaint {
			t.Error("a picture was painted that nobody sees")
		}
	}
	for _, q := range []Rendition{Full, Common, Low, VP8} {
		if c := q.With(true); !c.Clean() || c.With(false) != q || c.With(true) != c || bounds[c] != bounds[q] {
			t.Errorf("rendition %d without the overlay is %d", q, c)
		}
	}
}

// The low rendition is as small in VP8 as in H.264.
func TestVP8LowIsSmall(t *testing.T) {
	o := &Options{Logger: slog.New(slog.DiscardHandler), Bitrate: 2_500_000, NewEncoder: func(f Format) (Encoder, error) { return nil, errSmall{f} }}
	for r, want := range map[Rendition]bool{VP8: true, VP8Low: true, CleanVP8Low: true, Low: false, CleanLow: false, CleanFull: false} {
		c := &channel{rendition: r}
		var got errSmall
		if err := c.build(o, 1280, 720, 30); !errors.As(err, &got) || got.VP8 != want || r.With(false) != VP8 && r != CleanFull && got.Width*got.Height > 920*256 {
			t.Errorf("rendition %d: %+v, %v", r, got, err)
		}
	}
}

// errSmall is the format that an encoder was asked for.
type errSmall struct{ Format }

func (errSmall) Error() string { return "no encoder" }

// Who wants VP8 gets a unit of an encoder that was asked for VP8, and no level of H.264 is read out of it.
func TestVP8IsItsOwnRendition(t *testing.T) {
	r := newRig(t)
	defer r.stop()
	r.also.Store(1 << VP8)
	r.show(64, 32, 0)
	if u := r.unit(); u.Rendition != Full {
		t.Fatalf("unit %+v", u)
	}
	// The encoders are looked at only now: until the second unit has come, the sink may still be making its encoder.
	if u := r.unit(); u.Rendition != VP8 || u.Level != 0 || r.encoders[0].format.VP8 || !r.encoders[1].format.VP8 {
		t.Fatalf("unit %+v of %+v and %+v", u, r.encoders[0].format, r.encoders[1].format)
	}
}
