package capture

import (
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/segedge/segedge/frame"
)

// tree makes a folder with these files; images are real ones.
func tree(t *testing.T, names ...string) string {
	t.Helper()
	dir := t.TempDir()
	for i, name := range names {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		w, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		img := image.NewNRGBA(image.Rect(0, 0, 4, 2))
		for k := range 8 {
			img.SetNRGBA(k%4, k/4, color.NRGBA{uint8(10 * i), 100, 200, 255})
		}
		switch filepath.Ext(name) {
		case ".png":
			err = png.Encode(w, img)
		case ".jpg":
			err = jpeg.Encode(w, img, &jpeg.Options{Quality: 100})
		default:
			_, err = io.WriteString(w, "x")
		}
		if err := errors.Join(err, w.Close()); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestParseSource(t *testing.T) {
	dir := tree(t, "clip.mp4", "7", "csi:0.mp4", "2026-01-02T10:11:12.mp4", "100%.mp4", "a b #1?.mp4", "gst: a.mp4", "imgs/b.png", "imgs/a.jpg", "imgs/notes.txt", "seq/img_0010.png", "seq/img_0009.png", "seq/img_x.png", "one.jpg")
	t.Chdir(dir)
	if err := os.WriteFile("film.jpg", []byte("\x00\x00\x00\x20ftypisom"), 0o600); err != nil {
		t.Fatal(err)
	}
	for in, want := range map[string]Spec{
		"synthetic":                              {Kind: KindSynthetic},
		" synthetic:crossing ":                   {Kind: KindSynthetic, Preset: "crossing"},
		"0":                                      {Kind: KindDevice, Address: "/dev/video0"},
		"7":                                      {Kind: KindFile, Address: "7"}, // a file of that name goes first
		"/dev/video3":                            {Kind: KindDevice, Address: "/dev/video3"},
		"/dev/v4l/by-id/usb-x":                   {Kind: KindDevice, Address: "/dev/v4l/by-id/usb-x"},
		"csi":                                    {Kind: KindCSI},
		"csi:1":                                  {Kind: KindCSI, Sensor: 1},
		"rtsp://u:p@cam:554/a?x=1":               {Kind: KindRTSP, Address: "rtsp://u:p@cam:554/a?x=1"},
		"RTSPS://cam/a":                          {Kind: KindRTSP, Address: "RTSPS://cam/a"},
		"http://cam/mjpg":                        {Kind: KindHTTP, Address: "http://cam/mjpg"},
		"gst: videotestsrc ! fake":               {Kind: KindGStreamer, Address: "videotestsrc ! fake"},
		"gst:gst-launch-1.0 -e -v a":             {Kind: KindGStreamer, Address: "a"},
		"csi:0.mp4":                              {Kind: KindFile, Address: "csi:0.mp4"},
		"gst: a.mp4":                             {Kind: KindFile, Address: "gst: a.mp4"},
		"2026-01-02T10:11:12.mp4":                {Kind: KindFile, Address: "2026-01-02T10:11:12.mp4"},
		"GST: videotestsrc ! fake":               {Kind: KindGStreamer, Address: "videotestsrc ! fake"},
		"Synthetic:Crossing":                     {Kind: KindSynthetic, Preset: "Crossing"},
		"film.jpg":                               {Kind: KindFile, Address: "film.jpg"}, // by what is in it
		"FILE://" + dir + "/a%20b%20%231%3F.mp4": {Kind: KindFile, Address: dir + "/a b #1?.mp4"},
		"file://localhost" + dir + "/100%25.mp4": {Kind: KindFile, Address: dir + "/100%.mp4"},
		"file://" + dir + "/100%.mp4":            {Kind: KindFile, Address: dir + "/100%.mp4"},
		"file://" + dir + "/csi:0.mp4":           {Kind: KindFile, Address: dir + "/csi:0.mp4"},
		"clip.mp4":                               {Kind: KindFile, Address: "clip.mp4"},
		"file://" + dir + "/clip.mp4":            {Kind: KindFile, Address: dir + "/clip.mp4"},
		"imgs":                                   {Kind: KindImages, Address: "imgs", Files: []string{"imgs/a.jpg", "imgs/b.png"}},
		"one.jpg":                                {Kind: KindImages, Address: "one.jpg", Files: []string{"one.jpg"}},
		"seq/img_%04d.png":                       {Kind: KindImages, Address: "seq/img_%04d.png", Files: []string{"seq/img_0009.png", "seq/img_0010.png"}},
		"seq/img_%d.png":                         {Kind: KindImages, Address: "seq/img_%d.png", Files: []string{"seq/img_0009.png", "seq/img_0010.png"}},
	} {
		got, err := ParseSource(in)
		if err != nil {
			t.Errorf("%q: %v", in, err)
			continue
		}
		if got.Kind != want.Kind || got.Address != want.Address || got.Sensor != want.Sensor || got.Preset != want.Preset || !slices.Equal(got.Files, want.Files) {
			t.Errorf("%q: %+v, want %+v", in, got, want)
		}
	}
}

func TestParseSourceRefuses(t *testing.T) {
	dir := tree(t, "empty/notes.txt", "zero.mp4")
	if err := os.Truncate(filepath.Join(dir, "zero.mp4"), 0); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	for in, want := range map[string]string{
		"":                         "is empty; try synthetic",
		"missing.mp4":              `"missing.mp4": no such file`,
		"empty":                    "a folder without images",
		"empty/img_%03d.png":       "no file fits the pattern img_%03d.png",
		"nowhere/img_%03d.png":     "the folder cannot be read",
		"zero.mp4":                 "the file is empty",
		"csi:x":                    `"x" is no sensor number`,
		"csi:":                     `"" is no sensor number`,
		"gst:":                     "no pipeline after gst:",
		"xyz://host/a":             `unknown scheme "xyz"; there are rtsp`,
		"rtsp://":                  "names no host",
		"rtsp://u:geheim@ho st/a":  "not a valid address",
		"http://u:geheim@h:port/a": "not a valid address",
		"999":                      "no such file",
		"%d/":                      "no such file",
		"zero.mp4/under":           "cannot be read",
	} {
		_, err := ParseSource(in)
		switch {
		case err == nil:
			t.Errorf("%q: accepted", in)
		case !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "geheim") || strings.Contains(err.Error(), "\n"):
			t.Errorf("%q: %v, want %q", in, err, want)
		case !errors.Is(err, ErrPermanent):
			t.Errorf("%q: not permanent", in)
		}
	}
}

func TestMaskHidesSecrets(t *testing.T) {
	for in, want := range map[string]string{
		"rtsp://admin:geheim@cam/live":                 "rtsp://***@cam/live",
		"rtsp://admin:ge@heim@cam/live":                "rtsp://***@cam/live",
		"http://cam/a?user=me&password=x&size=2":       "http://cam/a?user=***&password=***&size=2",
		"http://cam/a?token=abc":                       "http://cam/a?token=***",
		`rtspsrc location="rtsp://u:p@h/a" user-pw=pw`: `rtspsrc location="rtsp://***@h/a" user-pw=***`,
		"clip.mp4":                 "clip.mp4",
		"rtsp://cam/live@home":     "rtsp://cam/live@home",
		"rtsp://cam:554/a?speed=2": "rtsp://cam:554/a?speed=2",
	} {
		if got := Mask(in); got != want {
			t.Errorf("Mask(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestSpecInWords(t *testing.T) {
	for want, s := range map[string]Spec{
		"synthetic":              {Kind: KindSynthetic},
		"synthetic:light":        {Kind: KindSynthetic, Preset: "light"},
		"imgs (2 images)":        {Kind: KindImages, Address: "imgs", Files: []string{"a", "b"}},
		"csi:1":                  {Kind: KindCSI, Sensor: 1},
		"gst: a key=*** ! b":     {Kind: KindGStreamer, Address: "a key=s ! b"},
		"rtsp://***@cam/a":       {Kind: KindRTSP, Address: "rtsp://u:p@cam/a"},
		"/dev/video0":            {Kind: KindDevice, Address: "/dev/video0"},
		"http://cam/a.mp4?t=3.5": {Kind: KindHTTP, Address: "http://cam/a.mp4?t=3.5"},
	} {
		if got := s.String(); got != want {
			t.Errorf("%+v is %q, want %q", s, got, want)
		}
	}
}

func TestGStreamerPipelines(t *testing.T) {
	const sink = "appsink drop=1 max-buffers=1 sync=false"
	for want, s := range map[string]Spec{
		"a ! b ! videoconvert ! video/x-raw,format=BGR ! " + sink:                       {Kind: KindGStreamer, Address: "a ! b !"},
		"a ! video/x-raw,format=BGR ! appsink":                                          {Kind: KindGStreamer, Address: "a ! video/x-raw,format=BGR ! appsink"},
		"a ! videoconvert ! video/x-raw,format=BGR ! appsink x":                         {Kind: KindGStreamer, Address: "a ! appsink x"},
		"appsinks ! videoconvert ! video/x-raw,format=BGR ! " + sink:                    {Kind: KindGStreamer, Address: "appsinks"},
		"a ! video/x-raw,format=BGRx ! videoconvert ! video/x-raw,format=BGR ! appsink": {Kind: KindGStreamer, Address: "a ! video/x-raw,format=BGRx ! appsink"},
		"nvarguscamerasrc sensor-id=1 ! video/x-raw(memory:NVMM),width=1920,height=1080,framerate=60/1 ! nvvidconv ! " +
			"video/x-raw,format=BGRx ! videoconvert ! video/x-raw,format=BGR ! " + sink: {Kind: KindCSI, Sensor: 1, Width: 1920, Height: 1080, FPS: 60},
		"": {Kind: KindFile},
	} {
		if got := s.GStreamer(); got != want {
			t.Errorf("%+v:\n%s\nwant\n%s", s, got, want)
		}
	}
}

func TestImagesAreReadInOrder(t *testing.T) {
	spec, err := ParseSource(tree(t, "0.png", "1.jpg", "2.png"))
	if err != nil {
		t.Fatal(err)
	}
	spec.FPS = 10
	src, err := OpenImages(spec)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	if i := src.(Describer).Info(); i.Live || i.FPS != 10 {
		t.Errorf("info %+v", i)
	}
	f := frame.New(2, 2)
	for n := range 3 {
		if err := src.Read(t.Context(), f); err != nil {
			t.Fatal(err)
		}
		near := func(a byte, b int) bool { return max(int(a)-b, b-int(a)) <= 3 }
		if f.Width != 4 || f.Height != 2 || !near(f.Pix[0], 200) || !near(f.Pix[1], 100) || !near(f.Pix[2], 10*n) || f.PTS.Milliseconds() != int64(100*n) {
			t.Errorf("image %d: %dx%d %v at %v", n, f.Width, f.Height, f.Pix[:3], f.PTS)
		}
	}
	if err := src.Read(t.Context(), f); !errors.Is(err, io.EOF) {
		t.Errorf("at the end: %v", err)
	}
}

// A damaged picture is not the end of a folder; a folder of nothing else is.
func TestBrokenImages(t *testing.T) {
	dir := tree(t, "0.png", "2.png")
	if err := os.WriteFile(filepath.Join(dir, "1.png"), []byte("no image"), 0o600); err != nil {
		t.Fatal(err)
	}
	f := frame.New(2, 2)
	src := openFolder(t, dir)
	for _, want := range []time.Duration{0, 2 * time.Second / 30} {
		if err := src.Read(t.Context(), f); err != nil || (f.PTS-want).Abs() > time.Millisecond {
			t.Errorf("picture at %v, want %v: %v", f.PTS, want, err)
		}
	}
	if err := src.Read(t.Context(), f); !errors.Is(err, io.EOF) {
		t.Errorf("at the end: %v", err)
	}
	for _, name := range []string{"0.png", "2.png"} {
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := openFolder(t, dir).Read(t.Context(), f); !errors.Is(err, ErrPermanent) || !strings.Contains(err.Error(), "1.png") {
		t.Errorf("broken image: %v", err)
	}
	if _, err := OpenImages(Spec{Kind: KindFile}); err == nil {
		t.Error("a video is no images")
	}
}

func FuzzParseSource(f *testing.F) {
	for _, s := range []string{"synthetic:x", "rtsp://u:p@h/a", "csi:9", "gst: a ! b", "img_%04d.png", "0", "file:///x", "http://[::1", "%d", "://"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		spec, err := ParseSource(s)
		if err != nil {
			if !errors.Is(err, ErrPermanent) {
				t.Errorf("%q: %v is not permanent", s, err)
			}
			return
		}
		if spec.Kind == "" || spec.String() == "" {
			t.Errorf("%q: %+v", s, spec)
		}
		_ = spec.GStreamer()
	})
}

// What is not there may come; an address that makes no sense stays so.
func TestWhatIsAbsentIsToldFromWhatIsWrong(t *testing.T) {
	for source, absent := range map[string]bool{
		filepath.Join(t.TempDir(), "x.mp4"): true, "file:///none/x.mp4": true, t.TempDir(): true, "img_%04d.png": true,
		"rstp://host/x": false, "csi:front": false, "gst:": false, "": false, "rtsp:///x": false,
	} {
		if _, err := ParseSource(source); err == nil || errors.Is(err, ErrAbsent) != absent || !errors.Is(err, ErrPermanent) {
			t.Errorf("%q: %v", source, err)
		}
	}
}

func openFolder(t *testing.T, dir string) Source {
	t.Helper()
	spec, err := ParseSource(dir)
	if err != nil {
		t.Fatal(err)
	}
	src, err := OpenImages(spec)
	if err != nil {
		t.Fatal(err)
	}
	return src
}
