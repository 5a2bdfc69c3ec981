package child

import (
	"bufio"
	"bytes"
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/segedge/segedge/video"
)

// program is the real one.
func program(t testing.TB) string {
	t.Helper()
	p, err := exec.LookPath("ffmpeg")
	if err != nil {
		t.Skip("SKIPPED: no ffmpeg on this machine")
	}
	return p
}

var format = video.Format{Width: 320, Height: 192, FPS: 30, Bitrate: 500_000}

// picture is the nth of a ramp that moves.
func picture(n int) *video.Picture {
	var p video.Picture
	p.Resize(format.Width, format.Height)
	y, u, v := p.Planes()
	for i := range y {
		y[i] = byte(16 + (i%format.Width+4*n)%200)
	}
	for i := range u {
		u[i], v[i] = 128, 128
	}
	return &p
}

// patient is how long a child may take on a loaded machine: no measurement.
const patient = 20 * time.Second

func open(t *testing.T, o Options) video.Encoder {
	t.Helper()
	o.First, o.Patience = patient, patient
	e, err := New(o)(format)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

// A unit comes for each picture, at once, and a keyframe where it is asked for; a decoder takes what comes.
func TestEncodesThroughTheChild(t *testing.T) {
	p := program(t)
	e := open(t, Options{Encoder: "libx264", FFmpeg: p, KeyframeInterval: 1000})
	var stream bytes.Buffer
	for n := range 24 {
		unit, key, err := e.Encode(picture(n), n == 5 || n == 13)
		if err != nil {
			t.Fatal(err)
		}
		if want := n == 0 || n == 5 || n == 13; key != want || key != video.IsKeyframe(unit) || key && !decodable(unit) {
			t.Errorf("picture %d: keyframe %t, want %t", n, key, want)
		}
		if key {
			for nal := range video.NALs(unit) {
				if video.NALType(nal) == video.NALSPS && (nal[1] != 66 || nal[2]&0xc0 != 0xc0) {
					t.Errorf("profile %d with %08b is not constrained baseline", nal[1], nal[2])
				}
			}
		}
		stream.Write(unit)
	}
	near(t, &stream, 24)
	if err := errors.Join(e.Close(), e.Close()); err != nil {
		t.Error(err)
	}
	if _, _, err := e.Encode(picture(0), false); err == nil {
		t.Error("a closed encoder encodes")
	}
}

// near decodes a stream, of so many of the pictures of picture, and compares the last one.
func near(t *testing.T, stream *bytes.Buffer, pictures int) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program(t), strings.Fields("-v error -f h264 -i pipe:0 -fps_mode passthrough -f rawvideo -pix_fmt yuv420p pipe:1")...)
	cmd.Stdin = stream
	out, err := cmd.Output()
	size := format.Width * format.Height * 3 / 2
	if err != nil || len(out) != pictures*size {
		t.Fatalf("%d bytes of %d pictures of %d were decoded, %v", len(out), pictures, size, err)
	}
	if got, want := out[(pictures-1)*size+1000], picture(pictures - 1).Pix[1000]; got > want+12 || want > got+12 {
		t.Errorf("a pixel is %d, was %d", got, want)
	}
}

// Probe says of each encoder whether it works here, and why not.
func TestProbe(t *testing.T) {
	p := program(t)
	if err := Probe(t.Context(), Options{Encoder: "libx264", FFmpeg: p}); err != nil {
		t.Error(err)
	}
	for _, name := range Encoders() {
		t.Logf("%s: %v", name, Probe(t.Context(), Options{Encoder: name, FFmpeg: p}))
	}
	for _, o := range []Options{{Encoder: "libx264", FFmpeg: "/none/ffmpeg"}, {Encoder: "mpeg2video", FFmpeg: p}, {Encoder: "libx264", FFmpeg: "/bin/false"}} {
		if err := Probe(t.Context(), o); err == nil {
			t.Errorf("%+v works", o)
		}
	}
	if exec.Command("sh", "-c", "ls /dev/video* /dev/dri /dev/nvidia0 2>/dev/null | grep -q .").Run() != nil {
		if err := Probe(t.Context(), Options{Encoder: "h264_v4l2m2m", FFmpeg: p}); err == nil || !strings.Contains(err.Error(), "h264_v4l2m2m") {
			t.Errorf("hardware that is not there: %v", err)
		}
	}
}

// A device that is not there is told in one sentence, without a child's many words.
func TestProbeNamesAMissingDevice(t *testing.T) {
	if _, err := os.Stat("/dev/dri/renderD128"); err == nil {
		t.Skip("SKIPPED: this machine has a VA-API device")
	}
	err := Probe(t.Context(), Options{Encoder: "h264_vaapi", FFmpeg: "/none/ffmpeg"})
	if err == nil || !strings.Contains(err.Error(), "there is no /dev/dri/renderD128: this machine has no GPU") || strings.Contains(err.Error(), ";") {
		t.Error(err)
	}
}

// spare is the encoder that takes another's place.
type spare struct{ n int }

func (s *spare) Encode(*video.Picture, bool) ([]byte, bool, error) {
	s.n++
	return []byte{0, 0, 0, 1, 0x65, byte(s.n)}, true, nil
}
func (s *spare) Close() error { return nil }

// A child that is killed is started again, and the second time replaced, and no picture is lost by either.
func TestAKilledChildIsReplaced(t *testing.T) {
	t.Run("ffmpeg", func(t *testing.T) { aKilledChildIsReplaced(t, Options{Encoder: "libx264", FFmpeg: program(t)}) })
	t.Run("gstreamer", func(t *testing.T) {
		withX264(t)
		aKilledChildIsReplaced(t, Options{Encoder: "x264enc"})
	})
}

func aKilledChildIsReplaced(t *testing.T, o Options) {
	var children []*encoder
	o.First, o.Patience = patient, patient
	open := New(o)
	first := func(f video.Format) (video.Encoder, error) {
		e, err := open(f)
		if err == nil {
			children = append(children, e.(*encoder))
		}
		return e, err
	}
	after := &spare{}
	e, err := video.Standby(first, func(video.Format) (video.Encoder, error) { return after, nil }, slog.New(slog.DiscardHandler))(format)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	for n := range 12 {
		if n == 4 || n == 8 {
			if err := children[len(children)-1].cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			children[len(children)-1].joined.Wait() // its end is there before the next picture, as it mostly is
		}
		unit, key, err := e.Encode(picture(n), false)
		if err != nil || len(unit) == 0 {
			t.Fatalf("picture %d: %v", n, err)
		}
		if want := n == 0 || n == 4 || n >= 8; key != want {
			t.Errorf("picture %d: keyframe %t, want %t", n, key, want)
		}
	}
	if len(children) != 2 || after.n != 4 {
		t.Errorf("%d children, %d pictures by the spare; want 2 and 4", len(children), after.n)
	}
}

// A child that says nothing is given up, as one that is not there.
func TestAHungChild(t *testing.T) {
	sleeper := filepath.Join(t.TempDir(), "sleeper")
	if err := exec.Command("sh", "-c", "printf '#!/bin/sh\\nexec sleep 60\\n' > "+sleeper+" && chmod +x "+sleeper).Run(); err != nil {
		t.Fatal(err)
	}
	e, err := New(Options{Encoder: "libx264", FFmpeg: sleeper, First: 50 * time.Millisecond})(format)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := e.Encode(picture(0), true); err == nil || !strings.Contains(err.Error(), "libx264") {
		t.Errorf("%v", err)
	}
	if err := e.Close(); err != nil {
		t.Error(err)
	}
	if d := (Options{}); New(d) == nil {
		t.Error("no factory")
	}
}

// What a child says is not believed.
func TestDamagedFLV(t *testing.T) {
	whole := []byte("FLV\x01\x01\x00\x00\x00\x09\x00\x00\x00\x00")
	tag := func(kind byte, body ...byte) []byte {
		out := append([]byte{kind, 0, 0, byte(len(body)), 0, 0, 0, 0, 0, 0, 0}, body...)
		return append(out, 0, 0, 0, 0)
	}
	for _, c := range []struct {
		in   []byte
		want string
	}{
		{nil, ""}, {whole, ""}, {append(whole[:13:13], 9, 0xff, 0xff, 0xff), ""},
		{append(whole[:13:13], tag(9, 0x17, 1, 0, 0, 0, 0, 0, 0, 2, 0x65, 7)...), "\x00\x00\x00\x01\x65\x07"},
		{append(whole[:13:13], tag(9, 0x17, 1, 0, 0, 0, 0xff, 0, 0, 2, 0x65, 7)...), ""},
		{append(whole[:13:13], tag(9, 0x17, 0, 0, 0, 0, 1, 66, 0, 31, 255, 225, 0, 99, 1)...), ""},
		{append(append(whole[:13:13], tag(9, 0x17, 0, 0, 0, 0, 1, 66, 0, 31, 255, 225, 0, 1, 0x67, 1, 0, 1, 0x68)...), tag(9, 0x17, 1, 0, 0, 0, 0, 0, 0, 1, 0x65)...),
			"\x00\x00\x00\x01\x67\x00\x00\x00\x01\x68\x00\x00\x00\x01\x65"},
		{append(whole[:13:13], tag(18, 1, 2, 3, 4, 5, 6)...), ""},
	} {
		units := make(chan []byte, 4)
		readFLV(bufio.NewReader(bytes.NewReader(c.in)), units)
		close(units)
		if got := string(<-units); got != c.want {
			t.Errorf("%q gives %q, want %q", c.in, got, c.want)
		}
	}
}
