// Package thermal reads how hot a machine is and how fast it runs, where its kernel says so, and decides how far work should stand back
// while the machine throttles itself. It cools nothing and sets no clock.
package thermal

import (
	"cmp"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
)

// Zone is one temperature, degrees Celsius.
type Zone struct {
	Name    string
	Celsius float64
	Passive float64 // from which on the kernel slows the machine down; 0 where it does not say
}

// Clock is one frequency, hertz.
type Clock struct {
	Name    string // cpu0, gpu
	Hz, Max float64
}

// Reading is what a machine says of itself; a machine in a box of its own, such as a virtual one, says nothing.
type Reading struct {
	Zones     []Zone
	Clocks    []Clock
	Throttled string // why it slows itself down; empty where it does not
	slowed    uint64 // times that a processor has slowed itself down so far
}

// Read reads a machine's files below root (os.DirFS("/")): the thermal and cpufreq folders of Linux (Documentation/driver-api/thermal,
// Documentation/admin-guide/pm), devfreq for the GPU of a Jetson, and the firmware's word on a Raspberry Pi.
func Read(root fs.FS) Reading {
	f := files{root}
	r := Reading{Zones: f.zones(), Clocks: f.clocks(), slowed: f.slowed()}
	r.Throttled = cmp.Or(f.firmware(), hot(r.Zones), f.cooling())
	return r
}

// files are what the kernel shows.
type files struct{ root fs.FS }

func (f files) list(pattern string) []string {
	names, _ := fs.Glob(f.root, pattern) // the pattern is well formed
	slices.Sort(names)
	return names
}

func (f files) text(elem ...string) string {
	data, err := fs.ReadFile(f.root, path.Join(elem...))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(data))
}

func (f files) number(elem ...string) (float64, bool) {
	n, err := strconv.ParseFloat(f.text(elem...), 64)
	return n, err == nil
}

func (f files) zones() (out []Zone) {
	for _, dir := range f.list("sys/class/thermal/thermal_zone*") {
		t, ok := f.number(dir, "temp")
		if !ok || t < -40_000 || t > 200_000 { // a sensor that is off says nonsense
			continue
		}
		z := Zone{Name: cmp.Or(f.text(dir, "type"), path.Base(dir)), Celsius: t / 1000}
		for _, trip := range f.list(dir + "/trip_point_*_type") {
			limit, ok := f.number(strings.TrimSuffix(trip, "_type") + "_temp")
			if ok && limit > 0 && f.text(trip) == "passive" && (z.Passive == 0 || limit/1000 < z.Passive) {
				z.Passive = limit / 1000
			}
		}
		out = append(out, z)
	}
	return distinct(out)
}

// distinct gives zones of one name numbers.
func distinct(zones []Zone) []Zone {
	seen := map[string]int{}
	for i := range zones {
		name := zones[i].Name
		if seen[name]++; seen[name] > 1 {
			zones[i].Name = fmt.Sprintf("%s-%d", name, seen[name])
		}
	}
	return zones
}

// gpus are in the names of the GPUs of Jetsons: TX2, Xavier, Orin, and what is called by what it is.
var gpus = []string{"gpu", "gp10b", "gv11b", "ga10b"}

func (f files) clocks() (out []Clock) {
	for _, dir := range f.list("sys/devices/system/cpu/cpufreq/policy*") {
		if now, ok := f.number(dir, "scaling_cur_freq"); ok { // kHz
			most, _ := f.number(dir, "cpuinfo_max_freq")
			out = append(out, Clock{"cpu" + strings.TrimPrefix(path.Base(dir), "policy"), now * 1000, most * 1000})
		}
	}
	for _, dir := range f.list("sys/class/devfreq/*") {
		name := path.Base(dir)
		if !slices.ContainsFunc(gpus, func(gpu string) bool { return strings.Contains(name, gpu) }) {
			continue
		}
		if now, ok := f.number(dir, "cur_freq"); ok { // Hz
			most, _ := f.number(dir, "max_freq")
			out = append(out, Clock{"gpu", now, most})
			break
		}
	}
	return out
}

// slowed counts how often processors have slowed themselves down.
func (f files) slowed() (n uint64) {
	for _, name := range f.list("sys/devices/system/cpu/cpu[0-9]*/thermal_throttle/core_throttle_count") {
		c, _ := f.number(name)
		n += uint64(c)
	}
	return n
}

// firmware is a Raspberry Pi's word: bits 0 to 3 are under-voltage, capped clock, throttled, and the soft limit of temperature, all now.
func (f files) firmware() string {
	for _, name := range f.list("sys/devices/platform/soc/soc:firmware/get_throttled") {
		bits, err := strconv.ParseUint(strings.TrimPrefix(f.text(name), "0x"), 16, 32)
		switch {
		case err != nil:
		case bits&1 != 0:
			return "the supply's voltage is too low"
		case bits&0xe != 0:
			return "it is too hot"
		}
	}
	return ""
}

func hot(zones []Zone) string {
	for _, z := range zones {
		if z.Passive > 0 && z.Celsius >= z.Passive {
			return fmt.Sprintf("%s is at %.0f °C of %.0f", z.Name, z.Celsius, z.Passive)
		}
	}
	return ""
}

// cooling reports a processor whose clock is held down.
func (f files) cooling() string {
	for _, dir := range f.list("sys/class/thermal/cooling_device*") {
		kind := f.text(dir, "type")
		held, _ := f.number(dir, "cur_state")
		slows := kind == "Processor" || strings.Contains(kind, "cpufreq") || strings.Contains(kind, "devfreq")
		if slows && held > 0 {
			return "the clock of " + kind + " is held down"
		}
	}
	return ""
}
