package stream

import (
	"encoding/json"
	"image"
	"log/slog"
	"math"
	"strings"
	"testing"

	"github.com/segedge/segedge/seg"
)

func outlined(t *testing.T, m *seg.Mask) (out [][]float64) {
	t.Helper()
	raw := outline(m, outlinePoints)
	if raw == nil {
		return nil
	}
	if err := json.Unmarshal(raw, &out); err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	return out
}

func TestOutlineFollowsTheMask(t *testing.T) {
	for _, size := range [][2]int{{1280, 720}, {160, 90}, {64, 64}} {
		out := outlined(t, disc(size[0], size[1], 0.5, 0.5, 0.3))
		if len(out) != 1 || len(out[0])%2 != 0 || len(out[0]) < 12 || len(out[0]) > 2*outlinePoints {
			t.Fatalf("%v: %d rings %v", size, len(out), out)
		}
		area := 0.0
		for i, n := 0, len(out[0]); i < n; i += 2 {
			x, y := out[0][i], out[0][i+1]
			nx, ny := out[0][(i+2)%n], out[0][(i+3)%n]
			area += (x*ny - nx*y) / 2
			if d := math.Hypot(x-0.5, y-0.5); math.Abs(d-0.3) > 0.03 {
				t.Errorf("%v: corner %v, %v is %.3f from the middle", size, x, y, d)
			}
		}
		if math.Abs(area-math.Pi*0.09) > 0.02 {
			t.Errorf("%v: area %.3f, want %.3f, clockwise", size, area, math.Pi*0.09)
		}
	}
}

func TestOutlineIsBounded(t *testing.T) {
	comb := seg.NewMask(1280, 720, image.Rect(0, 0, 1280, 720))
	for y := range 720 {
		for x := range 1280 {
			if x/16%2 == 0 || y > 700 {
				comb.Bits[y*1280+x] = 1
			}
		}
	}
	dots := seg.NewMask(160, 90, image.Rect(0, 0, 160, 90))
	for i := range dots.Bits {
		if x, y := i%160, i/160; x%8 < 5 && y%8 < 5 {
			dots.Bits[i] = 1
		}
	}
	for name, m := range map[string]*seg.Mask{"comb": comb, "dots": dots} {
		if raw := outline(m, outlinePoints); len(raw) > 12*outlinePoints*outlineRings*2 {
			t.Errorf("%s: %d bytes", name, len(raw))
		}
		if n := len(outlined(t, m)); n > outlineRings {
			t.Errorf("%s: %d rings", name, n)
		}
	}
	for name, m := range map[string]*seg.Mask{"nil": nil, "no cell": {W: 10, H: 10}, "no grid": {}} {
		if raw := outline(m, outlinePoints); raw != nil {
			t.Errorf("%s: %s", name, raw)
		}
	}
}

func BenchmarkOutline(b *testing.B) {
	m := disc(640, 360, 0.5, 0.5, 0.3)
	for b.Loop() {
		outline(m, outlinePoints)
	}
}

func TestStackLogsGoToSlog(t *testing.T) {
	var out strings.Builder
	l := loggers{slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))}.NewLogger("ice")
	l.Trace("one")
	l.Tracef("one %d", 1)
	l.Debug("one")
	l.Debugf("one %d", 1)
	l.Info("one")
	l.Infof("one %d", 1)
	l.Warn("two")
	l.Warnf("two %d", 2)
	l.Error("three")
	l.Errorf("three %d", 3)
	if s := out.String(); strings.Contains(s, "one") || strings.Count(s, "level=DEBUG msg=\"two 2\"")+strings.Count(s, "level=WARN msg=three") != 2 || !strings.Contains(s, "part=ice") {
		t.Error(s)
	}
}
