// Package atomicfile writes small files that are whole at any moment, whatever happens meanwhile. It is not for logs or
// journals, which grow, nor for files that several processes write.
package atomicfile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Write replaces a file, for its owner's eyes only. When it returns nil the new content survives a power cut, name
// included; after an error the old one is untouched.
func Write(path string, data []byte) error {
	if err := write(path, data); err != nil {
		_ = os.Remove(path + ".new")
		return fmt.Errorf("write %s: %w", filepath.Base(path), err)
	}
	return nil
}

func write(path string, data []byte) error {
	f, err := os.OpenFile(path+".new", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(path+".new", path); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
