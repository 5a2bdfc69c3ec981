// Package state keeps what the agent knows over restarts: a value in a file that is replaced as a whole, so that it is the old one or the
// new one after a kill or a power cut, with a version and a checksum. It knows nothing of what the value is. It is no log and no database:
// what must not be lost between two writes belongs elsewhere.
package state

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/gob"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/segedge/segedge/atomicfile"
)

// File is one value on disk. One goroutine uses it at a time.
type File struct {
	Path    string
	Version int // of what the value is; a file of a newer one is set aside
	// Migrate turns the value of an older version into the present one's; nil: gob's own rules suffice, by which fields may come and go.
	Migrate func(version int, payload []byte, into any) error
	Logger  *slog.Logger

	saved  [sha256.Size]byte // of what this process wrote last
	packed bytes.Buffer      // kept for the next time, with the packer: they are most of what saving allocates
	packer *gzip.Writer
	whole  []byte
}

// header is the first line of the file, as JSON. The value follows, gob in gzip.
type header struct {
	Kind    string `json:"kind"` // "segedge-state"
	Version int    `json:"version"`
	Bytes   int    `json:"bytes"` // of what follows
	SHA256  string `json:"sha256"`
}

const (
	kind     = "segedge-state"
	maxBytes = 256 << 20 // of a value, unpacked: more is no state of ours
)

// Load reads the value into v and says whether there was one. A file that cannot be read, is damaged, or of a newer version, is set aside,
// and said: the next Save would replace it.
func (f *File) Load(v any) (found bool, err error) {
	data, why := os.ReadFile(f.Path)
	if errors.Is(why, fs.ErrNotExist) {
		return false, nil
	}
	if why == nil {
		why = f.decode(data, v)
	}
	if why == nil {
		return true, nil
	}
	aside := f.Path + time.Now().UTC().Format(".aside-20060102T150405.000000000")
	if err := os.Rename(f.Path, aside); err != nil {
		return false, fmt.Errorf("state: %w, and cannot be set aside: %w", why, err)
	}
	f.log().Error("what was known is not usable and is set aside; the agent begins without it", "reason", why, "kept_as", aside)
	return false, nil
}

// decode checks and reads what is in the file.
func (f *File) decode(data []byte, v any) error {
	line, payload, ok := bytes.Cut(data, []byte{'\n'})
	var h header
	if !ok || json.Unmarshal(line, &h) != nil || h.Kind != kind {
		return errors.New("it is no state of segedge")
	}
	if sum := sha256.Sum256(payload); h.Bytes != len(payload) || h.SHA256 != hex.EncodeToString(sum[:]) {
		return fmt.Errorf("it is damaged: %d bytes that do not match their checksum", len(payload))
	}
	if h.Version > f.Version {
		return fmt.Errorf("it is of version %d, and this program knows up to %d", h.Version, f.Version)
	}
	plain, err := unpack(payload)
	if err != nil {
		return err
	}
	if h.Version < f.Version && f.Migrate != nil {
		return f.Migrate(h.Version, plain, v)
	}
	return Decode(plain, v)
}

func unpack(payload []byte) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(payload))
	if err != nil {
		return nil, fmt.Errorf("unpacking it: %w", err)
	}
	plain, err := io.ReadAll(io.LimitReader(z, maxBytes))
	if err != nil {
		return nil, fmt.Errorf("unpacking it: %w", err)
	}
	return plain, nil
}

// Decode reads a value from a payload, for Migrate.
func Decode(payload []byte, v any) error {
	if err := gob.NewDecoder(bytes.NewReader(payload)).Decode(v); err != nil {
		return fmt.Errorf("reading it: %w", err)
	}
	return nil
}

// Save replaces the file by one with this value, unless it has written the same already: values have no maps, which gob writes in an order
// of chance. After it returned without an error the value
// survives a power cut.
func (f *File) Save(v any) error {
	if err := f.pack(v); err != nil {
		return fmt.Errorf("state: %w", err)
	}
	sum := sha256.Sum256(f.packed.Bytes())
	if sum == f.saved {
		return nil // it is there already: flash wears out
	}
	line, err := json.Marshal(header{kind, f.Version, f.packed.Len(), hex.EncodeToString(sum[:])})
	if err != nil {
		return fmt.Errorf("state: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(f.Path), 0o700); err != nil {
		return fmt.Errorf("state: %w", err)
	}
	f.whole = append(append(append(f.whole[:0], line...), '\n'), f.packed.Bytes()...)
	if err := atomicfile.Write(f.Path, f.whole); err != nil {
		return fmt.Errorf("state: %w", err)
	}
	f.saved = sum
	return nil
}

// pack encodes v into f.packed.
func (f *File) pack(v any) error {
	f.packed.Reset()
	if f.packer == nil {
		z, err := gzip.NewWriterLevel(&f.packed, gzip.BestSpeed)
		if err != nil {
			return err
		}
		f.packer = z
	}
	f.packer.Reset(&f.packed)
	return errors.Join(gob.NewEncoder(f.packer).Encode(v), f.packer.Close())
}

func (f *File) log() *slog.Logger {
	if f.Logger == nil {
		return slog.New(slog.DiscardHandler)
	}
	return f.Logger
}
