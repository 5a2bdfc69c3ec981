//go:build !linux

package pipeline

// Yield does nothing where threads have no priorities of their own.
func Yield() {}
