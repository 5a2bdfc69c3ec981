package mqtt

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/segedge/segedge/seg"
)

// BenchmarkTenAgents: ten agents, each with a camera, say what happens through one mosquitto that keeps everything, to one consumer. An
// operation is an event; beside its time it tells mosquitto's processor time and memory, from which docs/fleet.md counts on.
func BenchmarkTenAgents(b *testing.B) {
	const agents = 10
	m := startMosquitto(b, lossless)
	var heard, size atomic.Int64
	l, err := Dial(context.Background(), Connection{Broker: m.url(), ClientID: "hub"}, nil, true, func(m Message) {
		heard.Add(1)
		size.Add(int64(len(m.Payload)))
		m.Done()
	})
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close(time.Second)
	if err := l.Subscribe(context.Background(), "segedge/+/+/events"); err != nil {
		b.Fatal(err)
	}
	clients := make([]*Client, agents)
	for i := range clients {
		o := testOptions(b, m.url(), &agent{})
		o.Agent, o.Logger, o.StateInterval, o.ObjectsInterval = fmt.Sprintf("box%d", i), slog.New(slog.DiscardHandler), time.Second, time.Second
		c, stop := start(b, o)
		defer stop()
		clients[i] = c
	}
	for _, c := range clients {
		until(b, "connected", func() bool { return c.Ready() == nil })
	}
	before := processorTime(b, m.cmd.Process.Pid)
	b.ResetTimer()
	for n := range b.N {
		c := clients[n%agents]
		until(b, "room", func() bool { return c.outbox.Stats().Pending < 500 })
		c.Publish(seg.Event{Camera: "cam", Type: seg.ObjectUpdated, Time: time.Now(), Frame: seg.FrameRef{Seq: uint64(n + 1)}, After: another(n)})
	}
	until(b, "all are heard", func() bool { return heard.Load() >= int64(b.N) })
	b.StopTimer()
	spent := processorTime(b, m.cmd.Process.Pid) - before
	b.ReportMetric(float64(spent.Microseconds())/float64(b.N), "broker-µs/op")
	b.ReportMetric(float64(size.Load())/float64(heard.Load()), "bytes/event")
	b.ReportMetric(float64(resident(b, m.cmd.Process.Pid))/(1<<20), "broker-MiB")
}

// another is an object of its own, so that no update waits for another.
func another(n int) *seg.Object {
	o := cup(seg.ID(n + 1))
	return &o
}

// processorTime is a process's, by /proc (proc(5): utime and stime in clock ticks, a hundred a second).
func processorTime(tb testing.TB, pid int) time.Duration {
	tb.Helper()
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		tb.Skip("SKIPPED: needs /proc: ", err)
	}
	fields := strings.Fields(string(data[bytes.LastIndexByte(data, ')')+1:]))
	var ticks int64
	for _, f := range fields[11:13] {
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			tb.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}

// resident is a process's memory in bytes.
func resident(tb testing.TB, pid int) int64 {
	tb.Helper()
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		tb.Fatal(err)
	}
	pages, err := strconv.ParseInt(strings.Fields(string(data))[1], 10, 64)
	if err != nil {
		tb.Fatal(err)
	}
	return pages * int64(os.Getpagesize())
}
