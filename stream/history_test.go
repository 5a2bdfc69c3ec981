package stream

import (
	"testing"
	"time"
)

func TestStampsFollowTheCamera(t *testing.T) {
	var h history
	start := time.Now()
	first := h.stamp(1, start)
	for seq, c := range []struct {
		at   time.Duration
		want uint32
	}{
		{time.Second, 90_000}, {time.Second, 90_001}, {500 * time.Millisecond, 90_002}, {2 * time.Second, 180_000},
		{14 * time.Hour, 241_032_704}, // 4,536,000,000 ticks: the clock has gone round (mod 2^32)
	} {
		if got := h.stamp(uint64(seq+2), start.Add(c.at)) - first; got != c.want {
			t.Errorf("%v after the first: %d ticks, want %d", c.at, got, c.want)
		}
	}
}

func TestHistoryIsBounded(t *testing.T) {
	var h history
	start := time.Now()
	times := make([]uint32, historyLength+10)
	for seq := range times {
		times[seq] = h.stamp(uint64(seq), start.Add(time.Duration(seq)*33*time.Millisecond))
	}
	for seq, rtp := range times {
		got, ok := h.at(rtp)
		if known := seq >= 10; ok != known || ok && got != uint64(seq) {
			t.Fatalf("picture %d is frame %d, %v", seq, got, ok)
		}
	}
	last := times[len(times)-1]
	if _, ok := h.at(last + slack + 1); ok {
		t.Error("a time between pictures was taken for one")
	}
	if got, ok := h.at(last + slack); !ok || got != uint64(len(times)-1) {
		t.Error("a time that is off by little was not found")
	}
}
