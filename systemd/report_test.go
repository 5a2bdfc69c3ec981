package systemd

import (
	"context"
	"testing"
)

func TestTheReportBeginsAndEnds(t *testing.T) {
	m := newManager(t)
	t.Setenv("WATCHDOG_USEC", "")
	ctx, cancel := context.WithCancel(t.Context())
	r := Reporter{Status: func() string { return "door: running" }, Progress: func() error { return nil }}
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	if got := m.hears(); got != "READY=1\nSTATUS=door: running" {
		t.Errorf("got %q", got)
	}
	cancel()
	if got := m.hears(); got != "STOPPING=1\nSTATUS=stopping" {
		t.Errorf("got %q", got)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestAReportWithNobodyToHearIt(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", "")
	t.Setenv("WATCHDOG_USEC", "soon")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := Reporter{Status: func() string { return "" }, Progress: func() error { return nil }}
	if err := r.Run(ctx); err == nil {
		t.Error("a watchdog that is set wrong must be told")
	}
}
