package mqtt

import (
	"bytes"
	"context"
	"encoding/json"
	"image"
	"image/jpeg"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/segedge/segedge/mqtt/homeassistant"
	"github.com/segedge/segedge/seg"
)

// told is a description's components.
func told(t *testing.T, payload []byte) map[string]map[string]any {
	t.Helper()
	var doc struct {
		Components map[string]map[string]any `json:"components"`
	}
	if err := json.Unmarshal(payload, &doc); err != nil {
		t.Fatalf("%v: %s", err, payload)
	}
	return doc.Components
}

// TestDescriptionsAreSentOnChange, and what is gone is taken away before it is left out.
func TestDescriptionsAreSentOnChange(t *testing.T) {
	device := func(names ...string) []homeassistant.Device {
		return homeassistant.Agent{Name: "box"}.Devices([]homeassistant.Camera{{Name: "cam", Names: names}})
	}
	d := newDiscovery(nil)
	update := func(names ...string) []description {
		t.Helper()
		out, err := d.update("ha", device(names...))
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	first := update("cup")
	if len(first) != 2 || first[0].topic != "ha/device/segedge_box/config" || first[1].topic != "ha/device/segedge_box/cam/config" {
		t.Fatalf("%+v", first)
	}
	if again := update("cup"); again != nil {
		t.Error("sent again without a change")
	}
	gone := update()
	if len(gone) != 2 || len(gone[0].after) != len(gone[0].before) || len(gone[1].after) != len(gone[1].before)-2 {
		t.Fatalf("%d payloads take a name away", len(gone))
	}
	tombs := 0
	for _, c := range told(t, gone[0].payload) {
		if len(c) == 1 && c["platform"] != nil {
			tombs++
		}
	}
	if tombs != 2 || len(told(t, gone[1].payload)) != len(gone[1].after) {
		t.Errorf("%d of two components are taken away", tombs)
	}
	d.forget()
	if again := update(); len(again) != 2 {
		t.Errorf("%d of two devices are told again", len(again))
	}
	// A new run knows what an earlier one has announced.
	d = newDiscovery(map[string]map[string]string{"ha/device/segedge_box/cam/config": {"old": "sensor"}})
	if next := update(); len(next) != 3 || len(told(t, next[1].payload)["old"]) != 1 {
		t.Errorf("%+v", next)
	}
}

func TestDiscoveryOverABroker(t *testing.T) {
	m := startMosquitto(t, "")
	ears := listen(t, m.url(), "ears", "homeassistant/#", "segedge/box/#")
	a := &agent{}
	a.set(cup(1))
	o := testOptions(t, m.url(), a)
	o.Discovery = "homeassistant"
	c, stop := start(t, o)
	defer stop()
	until(t, "online", func() bool { return ears.last("/status") == StatusOnline })
	if got := ears.last("/segedge_box/cam/config"); !strings.Contains(got, `"name":"cup"`) {
		t.Errorf("config %q comes before online", got)
	}
	if got := ears.last("/presence"); !strings.Contains(got, `"names":{"cup":1}`) {
		t.Errorf("presence %s", got)
	}
	until(t, "it has heard that it is heard", func() bool { return c.Ready() == nil })
	before := len(ears.all("/config"))
	ears.send(t, "homeassistant/status", "online")
	until(t, "the devices are told again to a Home Assistant that has started", func() bool { return len(ears.all("/config")) == before+2 })
	ears.send(t, c.topics.Command("cam", "pause"), `{"id":"1","reply":"homeassistant","paused":false}`)
	until(t, "the switch's command", func() bool { return strings.Contains(ears.last("/reply/homeassistant"), `"ok":true`) })
}

// picture is a JPEG of the test camera's size.
func picture(t *testing.T) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := jpeg.Encode(&out, image.NewYCbCr(image.Rect(0, 0, 320, 160), image.YCbCrSubsampleRatio420), nil); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestImagesAreRetained: the camera's picture and a crop for each name, at most one a minute but for what is new; a name that is gone takes
// its crop along.
func TestImagesAreRetained(t *testing.T) {
	m := startMosquitto(t, "")
	ears := listen(t, m.url(), "ears", "segedge/box/#")
	a := &agent{}
	dish := cup(1)
	dish.Name = "a/b"
	a.set(dish)
	o := testOptions(t, m.url(), a)
	shot := picture(t)
	o.Picture = func(context.Context, string) ([]byte, error) { return shot, nil }
	c, stop := start(t, o)
	defer stop()
	until(t, "both pictures", func() bool { return len(ears.all("/image")) == 1 && len(ears.all("/image/a%2Fb")) == 1 })
	crop, err := jpeg.DecodeConfig(strings.NewReader(ears.last("/image/a%2Fb")))
	if err != nil || crop.Width >= 320 || crop.Height > 160 || ears.last("/image") != string(shot) {
		t.Errorf("%+v %v", crop, err)
	}
	a.set()
	until(t, "the crop is taken back", func() bool {
		return slices.ContainsFunc(ears.all("/image/a%2Fb"), func(m Message) bool { return len(m.Payload) == 0 })
	})
	if n := len(ears.all("/image")); n != 1 {
		t.Errorf("%d pictures within a minute", n)
	}
	if c.images.due("cam", c.tally, time.Now()) {
		t.Error("another picture is due at once")
	}
}

// TestPicturesAreRare: one a minute, sooner for a new object or who asks, and never two within two seconds.
func TestPicturesAreRare(t *testing.T) {
	i, tl := newImages(), newTally()
	now := testTime
	step := func(after time.Duration, want bool, why string) {
		t.Helper()
		now = now.Add(after)
		if got := i.due("cam", tl, now); got != want {
			t.Errorf("%s: due %v", why, got)
		}
	}
	o := cup(1)
	step(0, true, "the first")
	step(59*time.Second, false, "within the minute")
	step(time.Second, true, "a minute later")
	tl.note(seg.Event{Camera: "cam", Type: seg.ObjectNew, After: &o})
	step(time.Second, false, "something new, too soon")
	step(time.Second, true, "something new")
	step(3*time.Second, false, "nothing new")
	mug := o
	mug.Name = "mug"
	tl.note(seg.Event{Camera: "cam", Type: seg.ObjectUpdated, Before: &o, After: &mug})
	step(0, true, "a new name")
	tl.note(seg.Event{Camera: "cam", Type: seg.ObjectUpdated, Before: &mug, After: &mug})
	step(3*time.Second, false, "it moved")
	i.ask("cam")
	step(0, true, "asked for")
}
