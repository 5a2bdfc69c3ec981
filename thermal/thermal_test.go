package thermal

import (
	"bytes"
	"fmt"
	"log/slog"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

// machine is a root with these files.
func machine(files map[string]string) fstest.MapFS {
	root := fstest.MapFS{}
	for name, text := range files {
		root[name] = &fstest.MapFile{Data: []byte(text + "\n")}
	}
	return root
}

const (
	zone0 = "sys/class/thermal/thermal_zone0/"
	zone1 = "sys/class/thermal/thermal_zone1/"
	pi    = "sys/devices/platform/soc/soc:firmware/get_throttled"
	count = "sys/devices/system/cpu/cpu0/thermal_throttle/core_throttle_count"
)

func TestMachinesAreRead(t *testing.T) {
	for name, c := range map[string]struct {
		files map[string]string
		want  Reading
	}{
		"nothing": {nil, Reading{}},
		"a box with Intel's processor": {map[string]string{
			zone0 + "type": "x86_pkg_temp", zone0 + "temp": "71000", zone0 + "trip_point_0_type": "critical", zone0 + "trip_point_0_temp": "100000",
			zone0 + "trip_point_1_type": "passive", zone0 + "trip_point_1_temp": "95000", zone1 + "type": "iwlwifi", zone1 + "temp": "",
			"sys/devices/system/cpu/cpufreq/policy0/scaling_cur_freq": "1800000", "sys/devices/system/cpu/cpufreq/policy0/cpuinfo_max_freq": "3400000", count: "7",
			"sys/class/thermal/cooling_device0/type": "Processor", "sys/class/thermal/cooling_device0/cur_state": "0",
		}, Reading{Zones: []Zone{{"x86_pkg_temp", 71, 95}}, Clocks: []Clock{{"cpu0", 1.8e9, 3.4e9}}, slowed: 7}},
		"a Jetson": {map[string]string{
			zone0 + "type": "cpu-thermal", zone0 + "temp": "60500", zone1 + "type": "gpu-thermal", zone1 + "temp": "-256000",
			"sys/class/devfreq/17000000.gpu/cur_freq": "306000000", "sys/class/devfreq/17000000.gpu/max_freq": "624750000", "sys/class/devfreq/15340000.vic/cur_freq": "1",
		}, Reading{Zones: []Zone{{"cpu-thermal", 60.5, 0}}, Clocks: []Clock{{"gpu", 306e6, 624.75e6}}}},
		"a Raspberry Pi":   {map[string]string{zone0 + "temp": "48312", pi: "0"}, Reading{Zones: []Zone{{"thermal_zone0", 48.312, 0}}}},
		"one that was hot": {map[string]string{pi: "0x50000"}, Reading{}},
		"one that is hot":  {map[string]string{pi: "0x50004"}, Reading{Throttled: "it is too hot"}},
		"a weak supply":    {map[string]string{pi: "0x1"}, Reading{Throttled: "the supply's voltage is too low"}},
		"above its limit": {map[string]string{zone0 + "type": "soc", zone0 + "temp": "85000", zone0 + "trip_point_0_type": "passive", zone0 + "trip_point_0_temp": "85000"},
			Reading{Zones: []Zone{{"soc", 85, 85}}, Throttled: "soc is at 85 °C of 85"}},
		"held down": {map[string]string{"sys/class/thermal/cooling_device3/type": "thermal-cpufreq-0", "sys/class/thermal/cooling_device3/cur_state": "2"},
			Reading{Throttled: "the clock of thermal-cpufreq-0 is held down"}},
		"a fan":          {map[string]string{"sys/class/thermal/cooling_device3/type": "pwm-fan", "sys/class/thermal/cooling_device3/cur_state": "2"}, Reading{}},
		"two of a name":  {map[string]string{zone0 + "type": "acpitz", zone0 + "temp": "1000", zone1 + "type": "acpitz", zone1 + "temp": "2000"}, Reading{Zones: []Zone{{"acpitz", 1, 0}, {"acpitz-2", 2, 0}}}},
		"what is broken": {map[string]string{zone0 + "temp": "hot", pi: "maybe", count: "x"}, Reading{}},
	} {
		if got := Read(machine(c.files)); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}

// Work stands back step by step while the machine throttles itself, and comes back step by step; each end is told once.
func TestWorkStandsBackAndComesBack(t *testing.T) {
	var log bytes.Buffer
	var levels []Level
	w := Watch{Ease: func(l Level) { levels = append(levels, l) }, Logger: slog.New(slog.NewTextHandler(&log, nil))}
	now, counted := time.Unix(0, 0), 0
	pass := func(d time.Duration, throttled bool) {
		for end := now.Add(d); now.Before(end); now = now.Add(Every) {
			if throttled {
				counted++
			}
			w.Root = machine(map[string]string{count: fmt.Sprint(counted)})
			w.look(now)
		}
	}
	pass(time.Minute, false)
	if len(levels) != 0 {
		t.Fatalf("a machine that is well: %v", levels)
	}
	pass(20*time.Second, true)
	if !slices.Equal(levels, []Level{1}) || levels[0].SparesVideo() || levels[0].Keyframes() >= 1 {
		t.Fatalf("at first keyframes: %v", levels)
	}
	pass(2*time.Minute, true)
	if !slices.Equal(levels, []Level{1, 2, 3}) || !levels[2].SparesVideo() || levels[1].SparesVideo() {
		t.Fatalf("at last the video: %v", levels)
	}
	pass(50*time.Second, false)
	if len(levels) != 3 {
		t.Fatalf("back too soon: %v", levels)
	}
	pass(4*time.Minute, false)
	if !slices.Equal(levels, []Level{1, 2, 3, 2, 1, 0}) || strings.Count(log.String(), "level=WARN") != 1 || strings.Count(log.String(), "as usual again") != 1 {
		t.Errorf("%v\n%s", levels, &log)
	}
	if _, l := w.Last(); l != 0 {
		t.Errorf("level %d", l)
	}
}
