package capture

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, c := range []struct {
			s    script
			want string
		}{
			{live(steady(1, beat)), ""},
			{live(one(read{err: errors.New("401")})), "401"},
			{live(one(read{after: time.Hour, stuck: true})), "no picture came within 15s"},
		} {
			r := newRig(t, Options{}, c.s)
			ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
			w, h, err := Probe(ctx, r.open)
			cancel()
			if c.want == "" && (err != nil || w != 4 || h != 2) || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("%d×%d, %v; want %q", w, h, err, c.want)
			}
			if took := time.Since(r.began); took > 15*time.Second {
				t.Errorf("%q took %v", c.want, took)
			}
		}
		time.Sleep(2 * time.Hour) // what is stuck comes back in the end
		synctest.Wait()
	})
}
