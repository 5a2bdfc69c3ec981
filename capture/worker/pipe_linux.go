package worker

import (
	"os"
	"syscall"
)

// widen gives the pipe room for more than the usual 64 KiB, so that fewer turns are taken over a picture. A refusal does
// no harm.
func widen(f *os.File) {
	const setSize, most = 1031, 1 << 20 // F_SETPIPE_SZ, fcntl(2)
	if c, err := f.SyscallConn(); err == nil {
		_ = c.Control(func(fd uintptr) { _, _, _ = syscall.Syscall(syscall.SYS_FCNTL, fd, setSize, most) })
	}
}
