package main

import (
	"fmt"
	"io"
	"os"
	"syscall"
)

// isTerminal reports whether w is a terminal, where progress is worth showing.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	st, err := f.Stat()
	return err == nil && st.Mode()&os.ModeCharDevice != 0
}

// toJournal reports whether w is the system's journal, where what is written stays and is read by others (systemd.exec(5),
// $JOURNAL_STREAM: device and inode).
func toJournal(w io.Writer) bool {
	f, ok := w.(*os.File)
	want := os.Getenv("JOURNAL_STREAM")
	if !ok || want == "" {
		return false
	}
	st, err := f.Stat()
	if err != nil {
		return false
	}
	sys, ok := st.Sys().(*syscall.Stat_t)
	return ok && fmt.Sprintf("%d:%d", sys.Dev, sys.Ino) == want
}
