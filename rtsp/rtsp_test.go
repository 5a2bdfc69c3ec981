package rtsp

import (
	"context"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bluenviron/gortsplib/v4"
	"github.com/bluenviron/gortsplib/v4/pkg/base"
	"github.com/bluenviron/gortsplib/v4/pkg/description"
	"github.com/bluenviron/gortsplib/v4/pkg/format"
	"github.com/pion/rtp"

	"github.com/segedge/segedge/video"
)

// patience is a safety net, no measurement.
const patience = 30 * time.Second

var begun = time.Now()

// unit is the nth picture; each is a keyframe with parameter sets (of 1920x1080, which nobody decodes).
func unit(n int) video.Unit {
	data := []byte{
		0, 0, 0, 1, 0x67, 0x42, 0xc0, 0x28, 0xd9, 0x00, 0x78, 0x02, 0x27, 0xe5, 0x84, 0x00, 0x00, 0x03, 0x00, 0x04, 0x00, 0x00, 0x03, 0x00, 0xf0, 0x3c, 0x60, 0xc9, 0x20,
		0, 0, 0, 1, 0x68, 0xce, 0x3c, 0x80, 0, 0, 0, 1, 0x65, 0x88, 'n', byte(n) | 1,
	}
	return video.Unit{Data: data, Keyframe: true, Seq: uint64(n), Width: 1920, Height: 1080, Captured: begun.Add(time.Duration(n) * 100 * time.Millisecond)}
}

// door is a server with a camera "door" that sends pictures as soon as somebody asks for them.
type door struct {
	*Server
	t       *testing.T
	address string
	mu      sync.Mutex
	asked   []source
	down    bool
}

func open(t *testing.T, o Options) *door {
	t.Helper()
	d := &door{t: t}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d.address = l.Addr().String()
	o.Listen = func() (net.Listener, error) { return l, nil }
	o.Cameras = func() []string { return []string{"door"} }
	o.Keyframe = func(camera string, clean bool) {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.asked = append(d.asked, source{camera, clean})
	}
	if d.Server, err = New(o); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	var parts sync.WaitGroup
	parts.Go(func() {
		if err := d.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	parts.Go(func() { d.pictures(ctx) })
	t.Cleanup(func() { cancel(); parts.Wait() })
	return d
}

// pictures sends what is wanted, as a camera does.
func (d *door) pictures(ctx context.Context) {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		d.mu.Lock()
		down := d.down
		d.mu.Unlock()
		for _, clean := range []bool{false, true} {
			if !down && d.Wanted("door", clean) {
				d.Write("door", clean, unit(n))
			}
		}
	}
}

// read plays a path until a picture comes, and gives the client, which is closed with the test.
func (d *door) read(path, login string) (*gortsplib.Client, error) {
	u, err := base.ParseURL("rtsp://" + login + d.address + path)
	if err != nil {
		d.t.Fatal(err)
	}
	transport := gortsplib.TransportTCP
	c := &gortsplib.Client{Transport: &transport, Scheme: u.Scheme, Host: u.Host}
	if err := c.Start2(); err != nil {
		return nil, err
	}
	d.t.Cleanup(c.Close)
	desc, _, err := c.Describe(u)
	if err != nil {
		return c, err
	}
	var h *format.H264
	medi := desc.FindFormat(&h)
	if medi == nil || len(h.SPS) == 0 || len(h.PPS) == 0 {
		d.t.Fatalf("%+v does not say what the picture is", desc)
	}
	if _, err := c.Setup(desc.BaseURL, medi, 0, 0); err != nil {
		return c, err
	}
	came := make(chan uint32, 100)
	c.OnPacketRTPAny(func(_ *description.Media, _ format.Format, p *rtp.Packet) {
		select {
		case came <- p.Timestamp:
		default:
		}
	})
	if _, err := c.Play(nil); err != nil {
		return c, err
	}
	var stamps [2]uint32
	for i := range stamps {
		select {
		case stamps[i] = <-came:
		case <-time.After(patience):
			d.t.Fatalf("no picture %d came", i)
		}
	}
	if step := stamps[1] - stamps[0]; step%9000 != 0 || step == 0 {
		d.t.Errorf("pictures are %d ticks apart, which is no number of tenths of a second", step)
	}
	return c, nil
}

func TestReadersGetThePictureTheyName(t *testing.T) {
	d := open(t, Options{})
	if d.Wanted("door", false) || d.Wanted("door", true) {
		t.Error("pictures are wanted of which nobody has asked")
	}
	for path, clean := range map[string]bool{"/door": false, "/door/clean": true} {
		c, err := d.read(path, "")
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		d.mu.Lock()
		for _, of := range d.asked {
			if of != (source{"door", clean}) {
				t.Errorf("%s: a keyframe was asked of %+v", path, of)
			}
		}
		d.asked = nil
		d.mu.Unlock()
		f := d.feeds[source{"door", clean}]
		if f.readers.Load() != 1 {
			t.Errorf("%s: %d readers", path, f.readers.Load())
		}
		c.Close()
		for end := time.Now().Add(patience); f.readers.Load() != 0; time.Sleep(time.Millisecond) {
			if time.Now().After(end) {
				t.Fatal("the reader that has gone is still counted")
			}
		}
		f.asked.Store(0)
		if d.Wanted("door", clean) {
			t.Error("a picture is wanted that nobody reads any more")
		}
	}
	if _, err := d.read("/attic", ""); err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("a camera that does not exist: %v", err)
	}
}

func TestReadersNeedAToken(t *testing.T) {
	wall, desk := Token{"wall", "0123456789abcdef"}, Token{"desk", "fedcba9876543210"}
	d := open(t, Options{Tokens: []Token{wall, desk}})
	for login, ok := range map[string]bool{"": false, "wall:0123456789abcdef@": true, "desk:0123456789abcdef@": false, "desk:fedcba9876543210@": true} {
		if _, err := d.read("/door", login); (err == nil) != ok || !ok && !strings.Contains(err.Error(), "401") {
			t.Errorf("%q: %v", login, err)
		}
	}
	c, err := d.read("/door", "wall:0123456789abcdef@")
	if err != nil {
		t.Fatal(err)
	}
	d.SetTokens([]Token{desk})
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	select {
	case <-ended:
	case <-time.After(patience):
		t.Error("who came with a token that is gone still reads")
	}
	for range 12 {
		_, err = d.read("/door", "desk:guessedguessedgue@")
	}
	if err == nil || !strings.Contains(err.Error(), "403") {
		t.Errorf("the twelfth wrong password: %v", err)
	}
}

func TestReadersAreBounded(t *testing.T) {
	d := open(t, Options{MaxReaders: 2})
	for range 2 {
		if _, err := d.read("/door", ""); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := d.read("/door", ""); err == nil || !strings.Contains(err.Error(), "453") || !strings.Contains(err.Error(), "2 readers are here already") {
		t.Errorf("a third reader: %v", err)
	}
	d.Drop("door")
	for end := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		d.Server.mu.Lock()
		n := len(d.sessions)
		d.Server.mu.Unlock()
		if n == 0 {
			break
		}
		if time.Now().After(end) {
			t.Fatal("readers stay though their camera has gone")
		}
	}
	if _, err := d.read("/door", ""); err != nil {
		t.Errorf("a camera that has come again: %v", err)
	}
}

// A picture of another size is another stream: its readers ask anew.
func TestANewSizeEndsTheStream(t *testing.T) {
	d := open(t, Options{})
	c, err := d.read("/door", "")
	if err != nil {
		t.Fatal(err)
	}
	d.mu.Lock()
	d.down = true // the test writes instead
	d.mu.Unlock()
	small := unit(1000)
	small.Width, small.Height = 640, 360
	d.Write("door", false, small)
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	select {
	case <-ended:
	case <-time.After(patience):
		t.Error("the reader goes on with another size")
	}
}

func TestOptions(t *testing.T) {
	if _, err := New(Options{}); err == nil {
		t.Error("a server without cameras")
	}
	if r := refuse(base.StatusServiceUnavailable, "two\r\nlines "+strings.Repeat("x", 500)); strings.ContainsAny(r.StatusMessage, "\r\n") || len(r.StatusMessage) > 200 {
		t.Errorf("%q", r.StatusMessage)
	}
}
