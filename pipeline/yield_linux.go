package pipeline

import (
	"runtime"
	"syscall"
)

// niceness is how far routine model work stands back, in steps of setpriority(2).
const niceness = 10

// Yield ties the calling goroutine to its thread, for good, and lets other threads go first: a keyframe may come late, a frame may not. On
// Linux a thread has a priority of its own, and one that ends locked is not used again. Where the kernel refuses, nothing is lost but the
// order.
func Yield() {
	runtime.LockOSThread()
	_ = syscall.Setpriority(syscall.PRIO_PROCESS, syscall.Gettid(), niceness)
}
