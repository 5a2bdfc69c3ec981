package openh264

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/segedge/segedge/video"
)

// moving is picture n of a pattern that moves.
func moving(w, h, n int) *video.Picture {
	var p video.Picture
	p.Resize(w, h)
	y, u, v := p.Planes()
	for j := range h {
		for i := range w {
			y[j*w+i] = byte(60 + (i+3*n)/4%120 + (j/8+n/5)%2*20)
		}
	}
	for i := range u {
		u[i], v[i] = byte(100+n%50), byte(140-i%(w/2)/16)
	}
	return &p
}

func open264(t testing.TB, f video.Format, o Options) video.Encoder {
	t.Helper()
	e, err := New(o)(f)
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

func TestConstrainedBaseline(t *testing.T) {
	for _, size := range [][2]int{{640, 360}, {854, 480}, {1280, 720}} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			e := open264(t, video.Format{Width: size[0], Height: size[1], FPS: 30, Bitrate: 2_000_000}, Options{})
			data, key, err := e.Encode(moving(size[0], size[1], 0), false)
			if err != nil || !key {
				t.Fatalf("the first unit: keyframe %v, %v", key, err)
			}
			var kinds []byte
			for nal := range video.NALs(data) {
				kinds = append(kinds, video.NALType(nal))
				if video.NALType(nal) != video.NALSPS {
					continue
				}
				// profile_idc 66 with constraint_set1_flag is constrained baseline (H.264, A.2.1.1); no level above what
				// 42e01f promises.
				if nal[1] != 66 || nal[2]&0x40 == 0 || nal[3] > 0x1f {
					t.Errorf("SPS begins %x, want profile 42, constraint_set1_flag, level at most 1f", nal[:4])
				}
			}
			if !bytes.Equal(kinds, []byte{video.NALSPS, video.NALPPS, video.NALIDR}) {
				t.Errorf("NAL types %v", kinds)
			}
		})
	}
}

func TestKeyframesOnRequestAndByInterval(t *testing.T) {
	e := open264(t, video.Format{Width: 320, Height: 180, FPS: 30, Bitrate: 500_000}, Options{KeyframeInterval: 20})
	var keys []int
	for n := range 50 {
		data, key, err := e.Encode(moving(320, 180, n), n == 7)
		if err != nil || len(data) == 0 {
			t.Fatalf("picture %d: %d bytes, %v", n, len(data), err)
		}
		if key {
			keys = append(keys, n)
			if !bytes.Contains(data, []byte{0, 0, 0, 1, 0x67}) {
				t.Errorf("keyframe %d has no parameter sets", n)
			}
		}
	}
	if len(keys) < 3 || keys[0] != 0 || keys[1] != 7 {
		t.Fatalf("keyframes %v, want the first, the one asked for, and more", keys)
	}
	for i := range keys[1:] {
		if keys[i+1]-keys[i] > 20 {
			t.Errorf("keyframes %v, want one at least every 20", keys)
		}
	}
}

func TestBitrateIsKept(t *testing.T) {
	f := video.Format{Width: 640, Height: 360, FPS: 30, Bitrate: 1_000_000}
	e := open264(t, f, Options{})
	bytesOver := func(from, to int) (n int) {
		for i := from; i < to; i++ {
			data, _, err := e.Encode(moving(f.Width, f.Height, i), false)
			if err != nil {
				t.Fatal(err)
			}
			n += len(data)
		}
		return n
	}
	high := bytesOver(0, 90)
	if err := e.(video.BitrateSetter).SetBitrate(200_000); err != nil {
		t.Fatal(err)
	}
	low := bytesOver(90, 180)
	if err := e.(video.BitrateSetter).SetBitrate(f.Bitrate); err != nil {
		t.Fatal(err)
	}
	if again := bytesOver(180, 270); again < low*2 {
		t.Errorf("%d bytes after the target was raised again, %d before", again, low)
	}
	if high*8/3 > f.Bitrate*2 || low*2 > high {
		t.Errorf("%d bits a second for a target of %d, then %d for 200000", high*8/3, f.Bitrate, low*8/3)
	}
}

func TestRefusesWhatItCannotEncode(t *testing.T) {
	for _, f := range []video.Format{
		{}, {Width: 321, Height: 180, FPS: 30, Bitrate: 1}, {Width: 8, Height: 8, FPS: 30, Bitrate: 1}, {Width: 320, Height: 180, Bitrate: 1}, {Width: 320, Height: 180, FPS: 30},
	} {
		if e, err := New(Options{})(f); err == nil || e != nil {
			t.Errorf("%+v: %v, %v", f, e, err)
		}
	}
	e := open264(t, video.Format{Width: 320, Height: 180, FPS: 30, Bitrate: 500_000}, Options{})
	if _, _, err := e.Encode(moving(160, 90, 0), false); err == nil {
		t.Error("a picture of another size was taken")
	}
}

func BenchmarkEncode(b *testing.B) {
	for _, size := range [][2]int{{854, 480}, {1280, 720}} {
		b.Run(fmt.Sprintf("%dp", size[1]), func(b *testing.B) {
			pics := make([]*video.Picture, 30)
			for n := range pics {
				pics[n] = moving(size[0], size[1], n)
			}
			e := open264(b, video.Format{Width: size[0], Height: size[1], FPS: 30, Bitrate: 2_000_000}, Options{})
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				if _, _, err := e.Encode(pics[n%30], false); err != nil {
					b.Fatal(err)
				}
				n++
			}
		})
	}
}

func TestColoursAreDescribed(t *testing.T) {
	e := open264(t, video.Format{Width: 168, Height: 90, FPS: 30, Bitrate: 300_000}, Options{})
	data, _, err := e.Encode(moving(168, 90, 0), false)
	if err != nil {
		t.Fatal(err)
	}
	for nal := range video.NALs(data) {
		if video.NALType(nal) != video.NALSPS {
			continue
		}
		// video_signal_type (H.264, E.1.1) as bits: present, format 5, limited range, described, primaries 1, transfer 1, matrix 6.
		want := "1" + "101" + "0" + "1" + "00000001" + "00000001" + "00000110"
		if bits := fmt.Sprintf("%08b", nal); !strings.Contains(strings.NewReplacer("[", "", "]", "", " ", "").Replace(bits), want) {
			t.Errorf("%s does not describe its colours", bits)
		}
	}
}

func TestAClosedEncoderSaysSo(t *testing.T) {
	e, err := New(Options{})(video.Format{Width: 168, Height: 90, FPS: 30, Bitrate: 300_000})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, _, err := e.Encode(moving(168, 90, 0), false); err == nil {
		t.Error("a closed encoder encoded")
	}
	if err := e.(video.BitrateSetter).SetBitrate(1000); err == nil {
		t.Error("a closed encoder took a bitrate")
	}
	for code, want := range map[codeError]string{1: "wrong parameters", 77: "error 77"} {
		if code.Error() != want {
			t.Errorf("%q, want %q", code.Error(), want)
		}
	}
}

// The parameter sets promise no level above what the format was cut to, and the largest picture is taken.
func TestLevels(t *testing.T) {
	for _, c := range []struct {
		w, h  int
		fps   float64
		bits  int
		level byte
	}{{1280, 720, 30, 14_000_000, 31}, {896, 504, 60, 2_500_000, 31}, {640, 360, 30, 500_000, 30}, {8688, 16, 4, 500_000, 52}, {1920, 1080, 30, 2_500_000, 40}, {5776, 1624, 4, 2_500_000, 52}, {3536, 2652, 4, 2_500_000, 52}} {
		e := open264(t, video.Format{Width: c.w, Height: c.h, FPS: c.fps, Bitrate: c.bits}, Options{})
		data, _, err := e.Encode(moving(c.w, c.h, 0), true)
		if err != nil {
			t.Errorf("%dx%d: %v", c.w, c.h, err)
			continue
		}
		for nal := range video.NALs(data) {
			if video.NALType(nal) == video.NALSPS && nal[3] > c.level {
				t.Errorf("%dx%d at %g: level %d, want at most %d", c.w, c.h, c.fps, nal[3], c.level)
			}
		}
	}
}
