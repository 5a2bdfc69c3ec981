package e2e

import (
	"bufio"
	"cmp"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestMalformedCommandsCostNoFrames: SEGEDGE_TEST_FLOOD (300) commands that cannot be read, at 1,000 a second, are each counted, and answered
// where it can be known to whom. It prints the frame rate before and meanwhile; what they may be apart is for a machine that does nothing else.
func TestMalformedCommandsCostNoFrames(t *testing.T) {
	count, err := strconv.Atoi(cmp.Or(os.Getenv("SEGEDGE_TEST_FLOOD"), "300"))
	if err != nil {
		t.Fatal(err)
	}
	broker := mosquitto(t)
	e := listen(t, broker)
	r := start(t, "--set", "mqtt.broker="+broker)
	e.hear("status", func(s string) bool { return s == "online" })
	r.await("frames", func(s state) bool { return s.Processed > 30 })
	span := time.Duration(count) * time.Millisecond
	before := r.rate(func() { time.Sleep(span) })
	meanwhile := r.rate(func() {
		began := time.Now()
		for i := range count {
			body := []string{`{"id":"%d","reply":"ear","points":[{"x":7}]}`, `{"id":"%d","reply":"ear","dots":1}`, `{"id":"%d",`}[i%3]
			e.c.Publish("segedge/box/camera/cmd/prompt", 1, false, fmt.Sprintf(body, i))
			time.Sleep(time.Until(began.Add(time.Duration(i) * time.Millisecond)))
		}
	})
	want := uint64(count - count/3) // every third says not to whom
	refused := func() float64 { return r.metric("segedge_mqtt_commands_refused_total") }
	answers := func() uint64 {
		return uint64(e.count("camera/reply/ear")) + uint64(r.metric("segedge_mqtt_replies_lost_total"))
	}
	for deadline := time.Now().Add(patience); refused() < float64(count) || answers() < want; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%v of %d are counted as refused, %d answers heard or counted", refused(), count, answers())
		}
	}
	t.Logf("%d malformed commands at 1,000 a second: all refused and counted, %d answered; %.1f frames a second before, %.1f meanwhile (%+.1f %%)",
		count, e.count("camera/reply/ear"), before, meanwhile, 100*(meanwhile-before)/before)
}

// rate is how many frames a second were processed while something was done.
func (r *running) rate(while func()) float64 {
	r.t.Helper()
	var first, last state
	began := time.Now()
	r.get("api/v1/cameras/camera/state", &first)
	while()
	r.get("api/v1/cameras/camera/state", &last)
	return float64(last.Processed-first.Processed) / time.Since(began).Seconds()
}

// metric is a counter without labels, as Prometheus reads it; 0 where there is none.
func (r *running) metric(name string) float64 {
	r.t.Helper()
	resp, err := http.Get(r.page + "metrics")
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		if value, ok := strings.CutPrefix(lines.Text(), name+" "); ok {
			v, err := strconv.ParseFloat(value, 64)
			if err != nil {
				r.t.Fatal(err)
			}
			return v
		}
	}
	return 0
}

// count is how many messages came on a topic.
func (e *ear) count(topic string) int {
	e.mu.Lock()
	defer e.mu.Unlock()
	n := 0
	for _, m := range e.heard {
		if m.Topic() == "segedge/box/"+topic {
			n++
		}
	}
	return n
}
