package libav

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/segedge/segedge/frame"
)

// quarters is a filter whose picture has a red, a green, a blue and a white quarter.
func quarters(size string) string {
	c := func(colour string) string { return "color=" + colour + ":s=" + size + ":r=10" }
	return c("red") + "[a];" + c("lime") + "[b];" + c("blue") + "[c];" + c("white") + "[d];[a][b]hstack[t];[c][d]hstack[u];[t][u]vstack"
}

// A file that says how it is to be turned comes as every player shows it. ffmpeg's own picture is the reference.
func TestRotationIsAppliedAsPlayersDo(t *testing.T) {
	flat := clip(t, "flat.mp4", "-f", "lavfi", "-i", quarters("80x32"), "-frames:v", "3", "-c:v", "libx264", "-pix_fmt", "yuv420p")
	for _, turn := range []string{"0", "90", "180", "270"} {
		path := turned(t, flat, turn)
		f := frame.New(2, 2)
		all(t, openFile(t, path), f)
		if want := reference(t, path, 2); !near(f.Pix, want, 3) || (f.Width < f.Height) != (turn == "90" || turn == "270") {
			t.Errorf("turned by %s: %dx%d is not as ffmpeg shows it", turn, f.Width, f.Height)
		}
	}
}

// A stream may say it in its pictures (ITU-T H.264, D.2.27), and then in the first alone: all come as that does.
func TestARotationHoldsForThePicturesAfterIt(t *testing.T) {
	flat := clip(t, "flat.mp4", "-f", "lavfi", "-i", quarters("80x32"), "-frames:v", "6", "-c:v", "libx264", "-pix_fmt", "yuv420p", "-g", "3")
	for _, turn := range []string{"rotate=90", "rotate=270", "flip=horizontal", "rotate=90:flip=vertical"} {
		path := clip(t, "said.mp4", "-i", flat, "-c", "copy", "-bsf:v", "h264_metadata=display_orientation=insert:"+turn)
		f := frame.New(2, 2)
		all(t, openFile(t, path), f)
		if want := reference(t, path, 0); !near(f.Pix, want, 3) || (f.Width < f.Height) != strings.HasPrefix(turn, "rotate") {
			t.Errorf("%s: %dx%d is not as ffmpeg shows it", turn, f.Width, f.Height)
		}
	}
}

// turned is an MP4 with the matrix of its track header (ISO/IEC 14496-12, 8.3.2) set to a quarter turn or more: ffmpeg has had another option for
// it in every version.
func turned(t *testing.T, path, turn string) string {
	t.Helper()
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.Index(file, []byte("tkhd"))
	if at < 0 {
		t.Fatal("the clip has no track header")
	}
	const one = 1 << 16
	matrix := map[string][4]int32{"0": {one, 0, 0, one}, "90": {0, one, -one, 0}, "180": {-one, 0, 0, -one}, "270": {0, -one, one, 0}}[turn]
	for i, v := range [9]int32{matrix[0], matrix[1], 0, matrix[2], matrix[3], 0, 0, 0, 1 << 30} {
		binary.BigEndian.PutUint32(file[at+44+4*i:], uint32(v))
	}
	out := filepath.Join(t.TempDir(), "turned.mp4")
	if err := os.WriteFile(out, file, 0o600); err != nil {
		t.Fatal(err)
	}
	return out
}

// Pixels that are not square are made so: the picture has the shape that it is shown in.
func TestPixelsAreMadeSquare(t *testing.T) {
	for sar, want := range map[string][2]int{"1/1": {704, 576}, "16/11": {1024, 576}, "12/11": {768, 576}, "8/9": {626, 576}, "1000/1": {704, 576}, "0/1": {704, 576}} {
		path := clip(t, "sar.mp4", "-f", "lavfi", "-i", "testsrc2=s=704x576:r=10", "-frames:v", "2", "-vf", "setsar="+sar, "-c:v", "libx264", "-preset", "ultrafast")
		f := frame.New(2, 2)
		if all(t, openFile(t, path), f); [2]int{f.Width, f.Height} != want {
			t.Errorf("pixels of %s: %dx%d, want %v", sar, f.Width, f.Height, want)
		}
	}
}

// A stream that changes its size midway gives each picture in its own.
func TestASizeThatChangesIsSeenOnEveryFrame(t *testing.T) {
	small := clip(t, "a.ts", "-f", "lavfi", "-i", "testsrc2=s=64x36:r=10", "-frames:v", "10", "-c:v", "libx264", "-preset", "ultrafast")
	large := clip(t, "b.ts", "-f", "lavfi", "-i", "testsrc2=s=96x54:r=10", "-frames:v", "10", "-c:v", "libx264", "-preset", "ultrafast")
	tall := clip(t, "c.ts", "-f", "lavfi", "-i", "testsrc2=s=36x64:r=10", "-frames:v", "10", "-c:v", "libx264", "-preset", "ultrafast")
	path := filepath.Join(t.TempDir(), "joined.ts")
	var whole []byte
	for _, part := range []string{small, large, tall} {
		b, err := os.ReadFile(part)
		if err != nil {
			t.Fatal(err)
		}
		whole = append(whole, b...)
	}
	if err := os.WriteFile(path, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	src, f, seen := openFile(t, path), frame.New(2, 2), map[[2]int]int{}
	for src.Read(t.Context(), f) == nil {
		seen[[2]int{f.Width, f.Height}]++
	}
	for _, size := range [][2]int{{64, 36}, {96, 54}, {36, 64}} {
		if seen[size] < 8 {
			t.Errorf("pictures of each size: %v", seen)
		}
	}
}

// The video is the default track, whatever comes first in the file.
func TestTheDefaultTrackIsTheVideo(t *testing.T) {
	film := clip(t, "film.mp4", "-f", "lavfi", "-i", "testsrc2=s=128x72:r=10", "-frames:v", "10", "-c:v", "libx264", "-preset", "ultrafast")
	cover := clip(t, "cover.jpg", "-f", "lavfi", "-i", "testsrc2=s=300x300", "-frames:v", "1")
	for name, path := range map[string]string{
		"cover first": clip(t, "a.mp4", "-i", film, "-i", cover, "-map", "1:v", "-map", "0:v", "-c", "copy", "-disposition:v:0", "attached_pic"),
		"thumbnails first": clip(t, "a.mov", "-f", "lavfi", "-i", "testsrc2=s=160x90:r=1", "-i", film, "-map", "0:v", "-map", "1:v", "-t", "1",
			"-c:v:0", "mjpeg", "-c:v:1", "copy", "-disposition:v:1", "default", "-disposition:v:0", "0"),
		"sound first": clip(t, "a.mkv", "-i", film, "-f", "lavfi", "-i", "anullsrc", "-map", "1:a", "-map", "0:v", "-t", "1", "-c:v", "copy", "-c:a", "aac"),
	} {
		f := frame.New(2, 2)
		if times := all(t, openFile(t, path), f); f.Width != 128 || len(times) != 10 {
			t.Errorf("%s: %d pictures of %dx%d", name, len(times), f.Width, f.Height)
		}
	}
}

func TestAPathIsAPath(t *testing.T) {
	film, err := os.ReadFile(clip(t, "film.mp4", "-f", "lavfi", "-i", "testsrc2=s=64x36:r=10", "-frames:v", "2", "-c:v", "libx264", "-preset", "ultrafast"))
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	for _, name := range []string{"2026-01-02T10:11:12.mp4", "http:door.mp4", "100%.mp4", "%04d.mp4", "a b #1?.mp4", "-dash.mp4", "concat:x|y", "Tür 🐕.mp4", "csi:0.mp4", "noext"} {
		if err := os.WriteFile(name, film, 0o600); err != nil {
			t.Fatal(err)
		}
		f := frame.New(2, 2)
		if times := all(t, openFile(t, name), f); len(times) != 2 {
			t.Errorf("%s: %d pictures", name, len(times))
		}
	}
}

// Known colours come through as they are meant, whatever matrix and range a file says it was written with.
func TestColoursAreAsTheFileSays(t *testing.T) {
	for name, args := range map[string][]string{
		"tv601":   {"-vf", "scale=out_color_matrix=bt601:out_range=tv,format=yuv420p", "-c:v", "libx264", "-colorspace", "smpte170m", "-color_range", "tv"},
		"tv709":   {"-vf", "scale=out_color_matrix=bt709:out_range=tv,format=yuv420p", "-c:v", "libx264", "-colorspace", "bt709", "-color_range", "tv"},
		"pc709":   {"-vf", "scale=out_color_matrix=bt709:out_range=pc,format=yuv420p", "-c:v", "libx264", "-colorspace", "bt709", "-color_range", "pc"},
		"yuvj":    {"-vf", "scale=out_color_matrix=bt601:out_range=pc,format=yuvj420p", "-c:v", "libx264", "-colorspace", "smpte170m"},
		"10 bits": {"-vf", "scale=out_color_matrix=bt601:out_range=tv,format=yuv420p10le", "-c:v", "libx264", "-colorspace", "smpte170m"},
		"rgb":     {"-vf", "format=bgr0", "-c:v", "ffv1"},
	} {
		path := clip(t, strings.ReplaceAll(name, " ", "")+".mkv", append([]string{"-f", "lavfi", "-i", "color=0xC04020:s=64x64:r=10,format=rgb24", "-frames:v", "3"}, args...)...)
		f := frame.New(2, 2)
		all(t, openFile(t, path), f)
		if got := f.Pix[3*(32*64+32):][:3]; !near(got, []byte{0x20, 0x40, 0xC0}, 8) {
			t.Errorf("%s: %v, want [32 64 192]", name, got)
		}
	}
}

// A file of which pictures are damaged goes on to its end.
func TestDamagedPicturesAreNotTheEnd(t *testing.T) {
	path := clip(t, "a.avi", "-f", "lavfi", "-i", "testsrc2=size=320x240:rate=20", "-frames:v", "40", "-c:v", "mjpeg")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i, from := 0, 20000; i < 6; i, from = i+1, from+len(data)/8 {
		for k := range 1500 {
			data[from+k] ^= byte(37 * k)
		}
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	times := all(t, openFile(t, path), frame.New(2, 2))
	if len(times) < 25 || times[len(times)-1].Seconds() < 1.7 {
		t.Errorf("%d of 40 pictures, the last at %v", len(times), times[len(times)-1])
	}
}
