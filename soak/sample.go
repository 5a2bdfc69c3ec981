package soak

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Sample is the agent at one moment.
type Sample struct {
	At         float64 `json:"at"`         // seconds since the soak began
	RSS        float64 `json:"rss"`        // MiB that the process has in memory
	Heap       float64 `json:"heap"`       // MiB of Go objects in use, with what is not yet collected
	Native     float64 `json:"native"`     // MiB in memory that Go does not manage: RSS without what Go holds
	Goroutines float64 `json:"goroutines"` //
	Files      float64 `json:"files"`      // open descriptors
	Threads    float64 `json:"threads"`    //
	FPS        float64 `json:"fps"`        // of the camera that nothing happens to
}

const mebi = 1 << 20

// series are the quantities of a sample by name, with their units, in the order of the picture.
var series = []struct {
	Name, Unit string
	of         func(Sample) float64
}{
	{"RSS", "MiB", func(s Sample) float64 { return s.RSS }},
	{"Go heap", "MiB", func(s Sample) float64 { return s.Heap }},
	{"native memory", "MiB", func(s Sample) float64 { return s.Native }},
	{"goroutines", "", func(s Sample) float64 { return s.Goroutines }},
	{"descriptors", "", func(s Sample) float64 { return s.Files }},
	{"threads", "", func(s Sample) float64 { return s.Threads }},
	{"frames a second", "", func(s Sample) float64 { return s.FPS }},
}

// take reads the process and its metrics.
func take(ctx context.Context, pid int, metrics, camera string) (Sample, error) {
	var s Sample
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return s, err
	}
	s.RSS, s.Threads = statusField(status, "VmRSS")/1024, statusField(status, "Threads")
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	if err != nil {
		return s, err
	}
	s.Files = float64(len(files))
	values, err := scrape(ctx, metrics)
	if err != nil {
		return s, err
	}
	s.Heap, s.Goroutines = values["go_memstats_heap_alloc_bytes"]/mebi, values["go_goroutines"]
	s.Native = s.RSS - (values["go_memstats_sys_bytes"]-values["go_memstats_heap_released_bytes"])/mebi
	s.FPS = values[fmt.Sprintf("segedge_fps{camera=%q}", camera)]
	return s, nil
}

// statusField is a number of /proc/PID/status (proc_pid_status(5)); 0 where it is missing.
func statusField(status []byte, name string) float64 {
	for line := range bytes.Lines(status) {
		if rest, ok := bytes.CutPrefix(line, []byte(name+":")); ok {
			if f := strings.Fields(string(rest)); len(f) > 0 {
				v, _ := strconv.ParseFloat(f[0], 64) // the kernel writes numbers
				return v
			}
		}
	}
	return 0
}

// maxMetrics bounds what is read of an agent's metrics, bytes.
const maxMetrics = 4 * mebi

// scrape reads metrics in Prometheus's text form, by name with labels.
func scrape(ctx context.Context, url string) (map[string]float64, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }() // it was only read
	if resp.StatusCode != http.StatusOK {
		return nil, errors.New("metrics: " + resp.Status)
	}
	return parseMetrics(io.LimitReader(resp.Body, maxMetrics))
}

func parseMetrics(r io.Reader) (map[string]float64, error) {
	out := map[string]float64{}
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		line := lines.Text()
		at := strings.LastIndexByte(line, ' ')
		if at < 0 || strings.HasPrefix(line, "#") {
			continue
		}
		if v, err := strconv.ParseFloat(line[at+1:], 64); err == nil {
			out[line[:at]] = v
		}
	}
	return out, lines.Err()
}
