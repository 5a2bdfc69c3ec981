package mp4

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/segedge/segedge/video"
)

// units are 50 pictures of 168x90 with a keyframe every 15, encoded by video/openh264: a bright box moves over a ramp.
func units(t *testing.T) (out [][]byte) {
	t.Helper()
	data, err := os.ReadFile("testdata/units.h264")
	if err != nil {
		t.Fatal(err)
	}
	for nal := range video.NALs(data) {
		if kind := video.NALType(nal); kind == video.NALSPS || kind == 1 {
			out = append(out, nil)
		}
		last := &out[len(out)-1]
		*last = append(append(*last, 0, 0, 0, 1), nal...)
	}
	return out
}

// record writes as many of the pictures as there are times, at those times.
func record(t *testing.T, at []time.Duration, pts, crashed bool) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "out.mp4")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	m, err := NewWriter(f, Format{168, 90})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Write(video.Unit{Data: []byte{0, 0, 1, 0x61, 1}}); err != nil || m.Samples() != 0 {
		t.Fatalf("a unit before the first keyframe: %d samples, %v", m.Samples(), err)
	}
	start := time.Unix(1e9, 0)
	for n, data := range units(t)[:len(at)] {
		u := video.Unit{Data: data, Keyframe: video.IsKeyframe(data), Seq: uint64(n), Captured: start.Add(at[n]), Duration: 40 * time.Millisecond}
		if pts {
			u.PTS, u.Captured = at[n]+time.Second, start.Add(at[n]*17/10) // a source that runs faster than its own clock
		}
		if err := m.Write(u); err != nil {
			t.Fatal(err)
		}
	}
	if got := m.At(); got != at[len(at)-1]-at[0] {
		t.Errorf("the last picture is shown at %v, want %v", got, at[len(at)-1]-at[0])
	}
	if crashed { // whatever was written is all there is
		return path
	}
	if err := errors.Join(m.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
	return path
}

// A recording that ended with the power, or with its process, is played up to there: also where the last picture is cut off.
func TestACrashLeavesAPlayableFile(t *testing.T) {
	var at []time.Duration
	for i := range 50 {
		at = append(at, time.Duration(i)*40*time.Millisecond)
	}
	path := record(t, at, false, true)
	s := ffprobe(t, path).Streams[0]
	if s.CodecName != "h264" || s.NbReadFrames != "50" || s.AvgFrameRate != "25/1" {
		t.Errorf("%+v", s)
	}
	out, err := exec.CommandContext(t.Context(), "ffmpeg", "-v", "error", "-ss", "1.5", "-i", path, "-f", "null", "-").CombinedOutput()
	if err != nil || len(out) > 0 {
		t.Errorf("ffmpeg after a seek: %s, %v", out, err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data[:len(data)-30], 0o600); err != nil {
		t.Fatal(err)
	}
	if n := ffprobe(t, path).Streams[0].NbReadFrames; n != "49" && n != "50" {
		t.Errorf("%s pictures of one that is cut", n)
	}
}

type probe struct {
	Streams []struct {
		CodecName    string `json:"codec_name"`
		Profile      string `json:"profile"`
		Width        int    `json:"width"`
		Height       int    `json:"height"`
		AvgFrameRate string `json:"avg_frame_rate"`
		Duration     string `json:"duration"`
		ColorSpace   string `json:"color_space"`
		ColorRange   string `json:"color_range"`
		NbFrames     string `json:"nb_frames"`
		NbReadFrames string `json:"nb_read_frames"`
	} `json:"streams"`
}

func ffprobe(t *testing.T, path string) probe {
	t.Helper()
	tool, err := exec.LookPath("ffprobe")
	if err != nil {
		t.Skip("ffprobe is not installed: a real reader cannot judge the file")
	}
	out, err := exec.CommandContext(t.Context(), tool, "-v", "fatal", "-count_frames", "-show_streams", "-of", "json", path).Output()
	if err != nil {
		t.Fatal(err)
	}
	var p probe
	if err := json.Unmarshal(out, &p); err != nil || len(p.Streams) != 1 {
		t.Fatalf("%s, %v", out, err)
	}
	return p
}

func TestPlayersReadIt(t *testing.T) {
	at := make([]time.Duration, 50)
	for i := range at {
		at[i] = time.Duration(i) * 40 * time.Millisecond
	}
	for name, pts := range map[string]bool{"capture time": false, "source time": true} {
		t.Run(name, func(t *testing.T) {
			path := record(t, at, pts, false)
			s := ffprobe(t, path).Streams[0]
			if s.CodecName != "h264" || s.Profile != "Constrained Baseline" || s.Width != 168 || s.Height != 90 || s.ColorSpace != "smpte170m" || s.ColorRange != "tv" {
				t.Errorf("%+v", s)
			}
			if s.NbFrames != "50" || s.NbReadFrames != "50" || s.AvgFrameRate != "25/1" || s.Duration != "2.000000" {
				t.Errorf("%+v", s)
			}
			out, err := exec.CommandContext(t.Context(), "ffmpeg", "-v", "error", "-i", path, "-f", "null", "-").CombinedOutput()
			if err != nil || len(out) > 0 {
				t.Errorf("ffmpeg: %s, %v", out, err)
			}
			out, err = exec.CommandContext(t.Context(), "ffmpeg", "-v", "error", "-ss", "1.5", "-i", path, "-f", "null", "-").CombinedOutput()
			if err != nil || len(out) > 0 {
				t.Errorf("ffmpeg after a seek: %s, %v", out, err)
			}
		})
	}
}

func TestDroppedFramesKeepTheTime(t *testing.T) {
	var at []time.Duration
	for i := range 50 {
		if i%5 != 2 && (i < 20 || i > 30) {
			at = append(at, time.Duration(i)*40*time.Millisecond)
		}
	}
	if s := ffprobe(t, record(t, at, false, false)).Streams[0]; s.Duration != "2.000000" || s.NbReadFrames == "50" {
		t.Errorf("%+v, want 2 s", s)
	}
}

func TestBetween(t *testing.T) {
	now := time.Now()
	a := video.Unit{PTS: time.Second, Captured: now, Duration: 40 * time.Millisecond}
	for name, c := range map[string]struct {
		b    video.Unit
		want time.Duration
	}{
		"source clock":         {video.Unit{PTS: 1500 * time.Millisecond, Captured: now.Add(time.Hour)}, 500 * time.Millisecond},
		"source set its clock": {video.Unit{PTS: 10 * time.Minute, Captured: now.Add(40 * time.Millisecond)}, 40 * time.Millisecond},
		"a long stall":         {video.Unit{PTS: 10 * time.Minute, Captured: now.Add(598 * time.Second)}, 599 * time.Second},
		"source began anew":    {video.Unit{PTS: 0, Captured: now.Add(30 * time.Millisecond)}, 30 * time.Millisecond},
		"no clock moved":       {video.Unit{PTS: time.Second, Captured: now, Duration: 20 * time.Millisecond}, 20 * time.Millisecond},
	} {
		if got := between(a, c.b); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
	if ticks(time.Second) != Timescale || ticks(-1) != 1 || ticks(100*time.Hour) != 600*Timescale {
		t.Error("ticks")
	}
}

func TestErrors(t *testing.T) {
	for _, f := range []Format{{}, {1 << 16, 2}} {
		if _, err := NewWriter(&failing{}, f); err == nil || !strings.Contains(err.Error(), "size") {
			t.Errorf("%v: %v", f, err)
		}
	}
	if _, err := NewWriter(&failing{}, Format{16, 16}); !errors.Is(err, errDisk) {
		t.Error(err)
	}
	m, err := NewWriter(&failing{room: 100}, Format{16, 16})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Close(); err == nil {
		t.Error("an empty recording was closed without a word")
	}
	if err := m.Write(video.Unit{Keyframe: true, Data: []byte{0, 0, 1, 0x65, 1}}); err == nil || !strings.Contains(err.Error(), "parameter sets") {
		t.Error(err)
	}
	unit := append([]byte{0, 0, 1, 0x67, 66, 0xc0, 30, 0, 0, 1, 0x68, 1, 0, 0, 1, 0x65}, bytes.Repeat([]byte{7}, 200)...)
	if err := m.Write(video.Unit{Keyframe: true, Data: unit}); !errors.Is(err, errDisk) {
		t.Errorf("%v, want %v", err, errDisk)
	}
	m.sizes = make([]uint32, MaxSamples)
	if err := m.Write(video.Unit{Keyframe: true, Data: unit}); !errors.Is(err, ErrFull) {
		t.Errorf("%v, want %v", err, ErrFull)
	}
}

var errDisk = errors.New("disk full")

// failing is a file on a disk with little room.
type failing struct{ room int }

func (f *failing) Write(b []byte) (int, error) {
	if f.room -= len(b); f.room < 0 {
		return 0, errDisk
	}
	return len(b), nil
}
func (f *failing) Seek(int64, int) (int64, error) { return 0, io.ErrUnexpectedEOF }
