package clips

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/seg"
)

// folder holds the clips, each camera's in one of its own. Nothing outside it can be named: it is an os.Root.
type folder struct{ path string }

// stamp is when a clip begins, in its name.
const stamp = "20060102T150405.000Z"

// nameForm is the form of a clip's name: 20260301T120000.123Z.mp4, or with what it is about, 20260301T120000.123Z_zone.entered.mp4.
var nameForm = regexp.MustCompile(`^(\d{8}T\d{6}\.\d{3}Z)(?:_([a-z]+\.[a-z]+))?\.mp4$`)

func nameOf(from time.Time, event seg.EventType) string {
	name := from.UTC().Format(stamp)
	if event != "" {
		name += "_" + string(event)
	}
	return name + ".mp4"
}

// root opens the folder.
func (f *folder) root() (*os.Root, error) { return os.OpenRoot(f.path) }

// create makes a clip's file, and the folders that it needs. That it is there survives a power cut.
func (f *folder) create(camera, name string) (*os.File, error) {
	if err := os.MkdirAll(f.path, 0o750); err != nil {
		return nil, err
	}
	root, err := f.root()
	if err != nil {
		return nil, err
	}
	defer root.Close()
	if err := root.Mkdir(camera, 0o750); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	file, err := root.OpenFile(path.Join(camera, name), os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o640)
	if err != nil {
		return nil, err
	}
	if d, err := root.Open(camera); err == nil {
		_ = d.Sync() // not every file system can
		_ = d.Close()
	}
	return file, nil
}

func (f *folder) remove(camera, name string) error {
	root, err := f.root()
	if err != nil {
		return err
	}
	defer root.Close()
	return root.Remove(path.Join(camera, name))
}

// Open opens a clip to be read.
func (l *Library) Open(camera, name string) (*os.File, error) {
	if !nameForm.MatchString(name) || !api.ValidName(camera) {
		return nil, fs.ErrNotExist
	}
	root, err := l.folder.root()
	if err != nil {
		return nil, err
	}
	defer root.Close()
	return root.Open(path.Join(camera, name))
}

// list is a camera's clips, the oldest first. A folder that is not there has none.
func (f *folder) list(camera string) ([]api.Clip, error) {
	root, err := f.root()
	if err != nil {
		return nil, ignore(err)
	}
	defer root.Close()
	return listIn(root, camera)
}

func ignore(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func listIn(root *os.Root, camera string) ([]api.Clip, error) {
	files, err := fs.ReadDir(root.FS(), camera)
	if err != nil {
		return nil, ignore(err)
	}
	var out []api.Clip
	for _, e := range files {
		m := nameForm.FindStringSubmatch(e.Name())
		if m == nil || !e.Type().IsRegular() { // somebody else's
			continue
		}
		from, err := time.Parse(stamp, m[1])
		info, gone := e.Info()
		if err != nil || gone != nil {
			continue
		}
		out = append(out, api.Clip{
			Camera: camera, Name: e.Name(), From: from, Until: info.ModTime().UTC(), Bytes: info.Size(), Event: seg.EventType(m[2]),
		})
	}
	return out, nil
}

// mostClips bounds the clips of all cameras together: a list stays one that can be read.
const mostClips = 10_000

// tidy deletes clips that are too old, and the oldest while there are too many or too large ones. Those that are busy, camera/name, stay.
func (f *folder) tidy(now time.Time, age time.Duration, most int64, busy map[string]bool) (gone int, err error) {
	root, err := f.root()
	if err != nil {
		return 0, ignore(err)
	}
	defer root.Close()
	cameras, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		return 0, err
	}
	var all []api.Clip
	for _, c := range cameras {
		if c.IsDir() {
			list, err := listIn(root, c.Name())
			if err != nil {
				return 0, err
			}
			all = append(all, list...)
		}
	}
	for _, c := range excess(all, now, age, most) {
		if busy[c.Camera+"/"+c.Name] {
			continue
		}
		if e := root.Remove(path.Join(c.Camera, c.Name)); e != nil {
			err = errors.Join(err, e)
		} else {
			gone++
		}
	}
	return gone, err
}

// excess are the clips of which there are too many.
func excess(all []api.Clip, now time.Time, age time.Duration, most int64) []api.Clip {
	slices.SortFunc(all, func(a, b api.Clip) int { return strings.Compare(a.Name, b.Name) })
	var bytes int64
	for i, c := range slices.Backward(all) {
		bytes += c.Bytes
		if age > 0 && now.Sub(c.Until) > age || most > 0 && bytes > most || len(all)-i > mostClips {
			return all[:i+1]
		}
	}
	return nil
}
