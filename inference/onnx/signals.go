package onnx

/*
#include <signal.h>
#include <stddef.h>

static void segedge_save(struct sigaction *to) {
	for (int s = 1; s < 32; s++) sigaction(s, NULL, &to[s]);
}

// Restores what has changed, and says how many that were. SIGKILL and SIGSTOP cannot change.
static int segedge_restore(const struct sigaction *from) {
	int changed = 0;
	for (int s = 1; s < 32; s++) {
		struct sigaction now;
		if (sigaction(s, NULL, &now) != 0) continue;
		if (now.sa_sigaction == from[s].sa_sigaction && now.sa_flags == from[s].sa_flags) continue;
		if (sigaction(s, &from[s], NULL) == 0) changed++;
	}
	return changed;
}
*/
import "C"

import "github.com/segedge/segedge/inference"

// withSignals runs f and puts the process's signal actions back as they were: the CUDA provider replaces Go's own when it
// is set up and at its first run, after which an interrupt would kill the process instead of ending it. One at a time,
// so that no call saves what another has just replaced.
func (r *Runtime) withSignals(p inference.Provider, f func() error) error {
	if p.Name == "" || p.Name == inference.CPU {
		return f()
	}
	r.signals.Lock()
	defer r.signals.Unlock()
	defer keepSignals()()
	return f()
}

// keepSignals saves the signal actions; the function it gives restores them, and says how many had changed.
func keepSignals() func() int {
	var saved [32]C.struct_sigaction
	C.segedge_save(&saved[0])
	return func() int { return int(C.segedge_restore(&saved[0])) }
}
