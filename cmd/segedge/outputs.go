package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// output is a file that a flag names for a result.
type output struct {
	flag, file string
	endings    []string // of its forms; none where any name will do
}

// writable reports the first file whose ending is of no form that is written, or that cannot be written: before the work, not after it.
func writable(outputs ...output) error {
	for _, o := range outputs {
		if err := o.check(); err != nil {
			return err
		}
	}
	return nil
}

// check tries the file. One that is there keeps its content; a pipe or a device is left alone.
func (o output) check() error {
	if o.file == "" || o.file == "-" {
		return nil
	}
	st, err := os.Stat(o.file)
	if err == nil && !st.Mode().IsRegular() && !st.IsDir() {
		return nil
	}
	if len(o.endings) > 0 && !slices.Contains(o.endings, strings.ToLower(filepath.Ext(o.file))) {
		return fmt.Errorf("%s %s: what is written is told by the ending: give it %s", o.flag, o.file, strings.Join(o.endings, " or "))
	}
	f, opened := os.OpenFile(o.file, os.O_WRONLY|os.O_CREATE, 0o644)
	if opened != nil {
		return fmt.Errorf("%s: cannot write: %w", o.flag, opened)
	}
	if opened = f.Close(); errors.Is(err, fs.ErrNotExist) {
		return errors.Join(opened, os.Remove(o.file))
	}
	return opened
}

// The endings of what is written.
var (
	asPNG     = []string{".png"}
	asJPEG    = []string{".jpg", ".jpeg"}
	asPicture = []string{".png", ".jpg", ".jpeg"}
	asMovie   = []string{".mp4", ".m4v"}
)
