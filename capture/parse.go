package capture

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/segedge/segedge/frame/picture"
	"github.com/segedge/segedge/secret"
)

// ParseSource reads a source's address:
//
//	synthetic[:preset]          the built-in scene
//	/dev/video0, 0              a V4L2 camera
//	csi[:0]                     a camera on a Jetson's CSI port
//	rtsp://…, http://…          a stream
//	gst: a ! b ! appsink        a GStreamer pipeline
//	clip.mp4, file:///clip.mp4  a video file
//	folder, img_%04d.png        still pictures: JPEG or PNG, by name or by number
//
// It looks at files and folders, never at devices and the network: those may come and go. Its errors are one sentence
// without secrets and wrap ErrPermanent.
func ParseSource(s string) (Spec, error) {
	spec, err := parse(strings.TrimSpace(s))
	if err != nil {
		return Spec{}, fmt.Errorf("source %q: %w", Mask(s), permanent{err})
	}
	return spec, nil
}

// permanent makes an error one that wraps ErrPermanent without saying so.
type permanent struct{ error }

func (p permanent) Is(target error) bool { return target == ErrPermanent }
func (p permanent) Unwrap() error        { return p.error }

// Permanent marks an error as one that opening again cannot mend.
func Permanent(err error) error { return permanent{err} }

func parse(s string) (Spec, error) {
	if s == "" {
		return Spec{}, errors.New("is empty; try synthetic, /dev/video0, a video file or rtsp://host/path")
	}
	if scheme, _, ok := strings.Cut(s, "://"); ok && plainScheme.MatchString(scheme) {
		return parseURL(strings.ToLower(scheme), s)
	}
	name, rest, _ := strings.Cut(s, ":")
	if strings.Contains(s, ":") && exists(s) {
		name = "" // a path is a path, whatever it looks like
	}
	switch strings.ToLower(name) {
	case "synthetic":
		return Spec{Kind: KindSynthetic, Preset: strings.TrimSpace(rest)}, nil
	case "gst":
		return parseGStreamer(strings.TrimSpace(rest))
	case "csi":
		return parseCSI(rest, name != s)
	}
	if n, err := strconv.ParseUint(s, 10, 8); err == nil && !exists(s) {
		return Spec{Kind: KindDevice, Address: fmt.Sprintf("/dev/video%d", n)}, nil
	}
	if strings.HasPrefix(s, "/dev/") {
		return Spec{Kind: KindDevice, Address: s}, nil
	}
	return parsePath(s)
}

var plainScheme = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9+.-]*$`)

func parseURL(scheme, s string) (Spec, error) {
	kind := KindHTTP
	switch scheme {
	case "file":
		return parsePath(filePath(s[len("file://"):]))
	case "rtsp", "rtsps":
		kind = KindRTSP
	case "http", "https":
	default:
		return Spec{}, fmt.Errorf("unknown scheme %q; there are rtsp, rtsps, http, https and file", scheme)
	}
	u, err := secret.ParseURL(s)
	if err != nil {
		return Spec{}, fmt.Errorf("not a valid address: %w", err)
	}
	if u.Hostname() == "" {
		return Spec{}, errors.New("names no host")
	}
	return Spec{Kind: kind, Address: s}, nil
}

// launcher is what stands in front of a pipeline that was tried in a shell.
var launcher = regexp.MustCompile(`^gst-launch-1\.0(\s+-\S+)*\s+`)

func parseGStreamer(s string) (Spec, error) {
	s = launcher.ReplaceAllString(s, "")
	if s == "" {
		return Spec{}, errors.New("no pipeline after gst:, such as gst: videotestsrc ! videoconvert")
	}
	return Spec{Kind: KindGStreamer, Address: s}, nil
}

func parseCSI(id string, given bool) (Spec, error) {
	if !given {
		return Spec{Kind: KindCSI}, nil
	}
	n, err := strconv.ParseUint(id, 10, 4)
	if err != nil {
		return Spec{}, fmt.Errorf("%q is no sensor number, such as csi:0", id)
	}
	return Spec{Kind: KindCSI, Sensor: int(n)}, nil
}

// filePath is the path in a file URL (RFC 8089). One that was pasted without being escaped is taken too.
func filePath(s string) string {
	if local, ok := strings.CutPrefix(s, "localhost/"); ok {
		s = "/" + local
	}
	if path, err := url.PathUnescape(s); err == nil && (exists(path) || !exists(s)) {
		return path
	}
	return s
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// absent makes an error one that wraps ErrAbsent without saying so.
type absent struct{ error }

func (a absent) Is(target error) bool { return target == ErrAbsent }
func (a absent) Unwrap() error        { return a.error }

func parsePath(path string) (_ Spec, err error) {
	defer func() {
		if err != nil {
			err = absent{err}
		}
	}()
	info, err := os.Stat(path)
	switch {
	case err == nil && info.IsDir():
		return parseFolder(path)
	case err == nil && isImage(path) && !holdsVideo(path):
		return Spec{Kind: KindImages, Address: path, Files: []string{path}}, nil
	case err == nil && info.Mode().IsRegular():
		return parseFile(path, info)
	case err == nil:
		return Spec{}, errors.New("is a pipe, a socket or a device, not a video file; a pipeline is written gst: …")
	case !errors.Is(err, fs.ErrNotExist):
		return Spec{}, fmt.Errorf("cannot be read: %w", err)
	}
	if _, base := filepath.Split(path); number.MatchString(base) {
		return parsePattern(path)
	}
	return Spec{}, errors.New("no such file; a source is a video file, a folder of images, /dev/videoN, rtsp://…, gst: …, csi:N or synthetic")
}

func parseFile(path string, info fs.FileInfo) (Spec, error) {
	if err := picture.Refused(path); err != nil {
		return Spec{}, err
	}
	if info.Size() == 0 {
		return Spec{}, errors.New("the file is empty")
	}
	return Spec{Kind: KindFile, Address: path}, nil
}

// isImage reports whether a file is one still picture by its name. A GIF by itself is taken for a video, which it may be.
func isImage(name string) bool {
	return picture.Named(name) && !strings.EqualFold(filepath.Ext(name), ".gif")
}

// holdsVideo reports whether a file begins as an MP4 or a Matroska does, whatever its name: a photograph's container, which
// begins as an MP4 too, has a brand of its own (ISO/IEC 23008-12).
func holdsVideo(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false // whoever reads it will say
	}
	defer func() { _ = f.Close() }() // it was only read
	var begin [12]byte
	_, _ = io.ReadFull(f, begin[:]) // less is neither
	switch string(begin[8:]) {
	case "heic", "heix", "mif1", "msf1", "avif", "avis":
		return false
	}
	return string(begin[4:8]) == "ftyp" || string(begin[:4]) == "\x1a\x45\xdf\xa3"
}

// maxImages bounds what one folder may hold: an hour at 30 frames a second.
const maxImages = 120_000

// parseFolder takes the images of a folder in the order of their names.
func parseFolder(dir string) (Spec, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return Spec{}, fmt.Errorf("the folder cannot be read: %w", err)
	}
	var files []string
	var refused error
	for _, e := range entries {
		if err := picture.Refused(e.Name()); err != nil {
			refused = err
		}
		if !e.IsDir() && picture.Named(e.Name()) {
			files = append(files, filepath.Join(dir, e.Name()))
		}
	}
	if len(files) == 0 && refused != nil {
		return Spec{}, refused
	}
	return sequence(dir, files, "a folder without images; it needs .jpg or .png files, or .webp, .bmp, .tif, .gif")
}

func sequence(address string, files []string, none string) (Spec, error) {
	if len(files) == 0 {
		return Spec{}, errors.New(none)
	}
	if len(files) > maxImages {
		return Spec{}, fmt.Errorf("%d images are more than the %d that one source may have", len(files), maxImages)
	}
	return Spec{Kind: KindImages, Address: address, Files: files}, nil
}

var number = regexp.MustCompile(`%0?(\d*)d`)

// parsePattern takes the images whose names fit a pattern such as img_%04d.png, in the order of their numbers.
func parsePattern(path string) (Spec, error) {
	dir, base := filepath.Split(path)
	if dir == "" {
		dir = "."
	}
	at := number.FindStringIndex(base)
	fit, err := regexp.Compile("^" + regexp.QuoteMeta(base[:at[0]]) + `(\d+)` + regexp.QuoteMeta(base[at[1]:]) + "$")
	if err != nil {
		return Spec{}, fmt.Errorf("not a pattern: %w", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return Spec{}, fmt.Errorf("the folder cannot be read: %w", err)
	}
	type numbered struct {
		n    uint64
		file string
	}
	var found []numbered
	for _, e := range entries {
		m := fit.FindStringSubmatch(e.Name())
		if m == nil || e.IsDir() || !isImage(e.Name()) {
			continue
		}
		if n, err := strconv.ParseUint(m[1], 10, 64); err == nil {
			found = append(found, numbered{n, filepath.Join(dir, e.Name())})
		}
	}
	slices.SortFunc(found, func(a, b numbered) int { return cmp.Compare(a.n, b.n) })
	files := make([]string, len(found))
	for i, f := range found {
		files[i] = f.file
	}
	return sequence(path, files, fmt.Sprintf("no file fits the pattern %s", base))
}
