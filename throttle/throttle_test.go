package throttle

import (
	"fmt"
	"testing"
	"time"
)

func TestThrottleForgets(t *testing.T) {
	now := time.Unix(0, 0)
	s := New(func() time.Time { return now })
	for i := range 3 * maxStrange {
		s.Failed(fmt.Sprintf("10.%d.%d.%d:1", i>>16, i>>8&255, i&255))
	}
	if len(s.owes) > maxStrange {
		t.Errorf("%d addresses are remembered", len(s.owes))
	}
	for range Burst {
		s.Failed("[2001:db8::1]:1")
	}
	if s.Wait("[2001:db8::ffff]:9") == 0 || s.Wait("[2001:db8:0:1::1]:9") != 0 || s.Wait("nonsense") != 0 {
		t.Error("one host has a network of 64 bits to itself")
	}
}
