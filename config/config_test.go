package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestDefaultIsValidAndSurvivesItsFile(t *testing.T) {
	want := Default()
	data, err := want.YAML()
	if err != nil {
		t.Fatal(err)
	}
	got := Config{}
	if err := got.Parse(data); err != nil {
		t.Fatalf("%v in\n%s", err, data)
	}
	if ps := got.Check(); ps != nil {
		t.Error(ps)
	}
	again, err := got.YAML()
	if err != nil || string(again) != string(data) {
		t.Errorf("the defaults do not survive being written and read: %v\n%s\nbecame\n%s", err, data, again)
	}
}

func TestTheLaterSettingWins(t *testing.T) {
	file := filepath.Join(t.TempDir(), "segedge.yaml")
	text := "http:\n  listen: 127.0.0.1:1\nevents:\n  update_interval: 250ms\ncameras:\n  - name: door\n    source: /dev/video0\n    fps: 15\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Load(file,
		[]string{"SEGEDGE_HTTP_LISTEN=127.0.0.1:2", "SEGEDGE_MQTT_BROKER=tcp://a:1", "SEGEDGE_ORT_LIB=x", "SEGEDGE_SHARED=y", "SEGEDGE_PORT_80_TCP=z", "SEGEDGE_CAMERAS_0_WIDTH=640", "HOME=/"},
		[]string{"http.listen=127.0.0.1:3", "cameras.0.fps=20", "cameras.0.prompts=point:0.5;0.5", "model.provider=cuda", "tracker.budget=0.25", "mqtt.discovery=true"})
	if err != nil {
		t.Fatal(err)
	}
	if c.HTTP.Listen != "127.0.0.1:3" || c.MQTT.Broker != "tcp://a:1" || c.Events.UpdateInterval != 250*time.Millisecond {
		t.Errorf("%+v", c)
	}
	if len(c.Cameras) != 1 || c.Cameras[0].Name != "door" || c.Cameras[0].FPS != 20 || len(c.Cameras[0].Prompts) != 1 {
		t.Errorf("cameras %+v", c.Cameras)
	}
	if c.Model.Provider != "cuda" || c.Tracker.Budget != 0.25 || !c.MQTT.Discovery {
		t.Errorf("%+v", c)
	}
}

func TestMistakesAreNamed(t *testing.T) {
	for _, c := range []struct{ set, want string }{
		{"http.listn=x", "http.listn: no such setting"},
		{"http=x", "several settings"},
		{"http.listen=nonsense", "http.listen"},
		{"http.ice_port=ten", "no whole number"},
		{"http.ice_port=70000", "http.ice_port"},
		{"http.max_viewers=0", "http.max_viewers"},
		{"events.update_interval=1", "no duration"},
		{"events.update_interval=-1s", "negative"},
		{"tracker.budget=x", "no number"},
		{"tracker.budget=NaN", "tracker.budget"},
		{"tracker.max_objects=0", "tracker.max_objects"},
		{"mqtt.discovery=maybe", "neither true nor false"},
		{"mqtt.broker=host", "mqtt.broker"},
		{"mqtt.prefix=a/#", "mqtt.prefix"},
		{"mqtt.masks=-1s", "mqtt.masks"},
		{"agent.name=all", "the name of all agents"},
		{"model.encoder=a.onnx", "come together"},
		{"model.provider=vulkan", "vulkan"},
		{"model.input=100", "model.input"},
		{"model.threads=-1", "model.threads"},
		{"agent.name=a b", "agent.name"},
		{"cameras.0.name=a/b", "cameras.0.name"},
		{"cameras.0.source=", "cameras.0.source"},
		{"cameras.0.width=-1", "cameras.0.width"},
		{"cameras.9.source=x", "no such setting"},
		{"cameras.1.name=camera", "names two cameras"},
		{"video.bitrate=5", "video.bitrate"},
		{"log.level=loud", "log.level"},
		{"nonsense", "write it as"},
	} {
		t.Run(c.set, func(t *testing.T) {
			_, err := Load("", nil, []string{c.set})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want something about %q", err, c.want)
			}
		})
	}
}

func TestFilesThatAreNone(t *testing.T) {
	dir := t.TempDir()
	for name, c := range map[string]struct{ text, want string }{
		"unknown.yaml": {"http:\n  lisen: x\n", "lisen"},
		"broken.yaml":  {"http: [\n", "broken.yaml"},
		"type.yaml":    {"http:\n  ice_port: many\n", "ice_port"},
		"zone.yaml":    {"cameras:\n- name: a\n  source: synthetic\n  zones:\n  - name: gate\n    points: [[0, 0], [2, 0], [1, 1]]\n", "zones.0.points"},
		"flat.yaml":    {"cameras:\n- name: a\n  source: synthetic\n  privacy:\n  - points: [[0, 0], [0.5, 0.5], [1, 1]]\n", "nothing in it"},
		"point.yaml":   {"cameras:\n- name: a\n  source: synthetic\n  lines:\n  - name: l\n    points: [[0.5, 0], [0.5, 0]]\n", "nobody could cross it"},
		"line.yaml":    {"cameras:\n- name: a\n  source: synthetic\n  lines:\n  - points: [[0, 0]]\n", "lines.0"},
		"large.yaml":   {strings.Repeat("#", maxFile+1), "larger than"},
	} {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Load(file, nil, nil); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want something about %q", name, err, c.want)
		}
	}
	if _, err := Load(filepath.Join(dir, "missing.yaml"), nil, nil); err == nil || !strings.Contains(err.Error(), "missing.yaml") {
		t.Errorf("missing file: %v", err)
	}
	if os.Getuid() != 0 { // root reads everything; systemd/boot/check.sh tries it as the service
		file := filepath.Join(dir, "closed.yaml")
		if err := os.WriteFile(file, nil, 0); err != nil {
			t.Fatal(err)
		}
		if _, err := Load(file, nil, nil); err == nil || !strings.Contains(err.Error(), "chown") {
			t.Errorf("a file that may not be read: %v", err)
		}
	}
	if _, err := Load("", []string{"SEGEDGE_HTTP_ICE_PORT=x"}, nil); err == nil || !strings.Contains(err.Error(), "SEGEDGE_HTTP_ICE_PORT") {
		t.Errorf("environment: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("cameras:\n- name: a\n  source: b\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c := Default()
		if c.Parse(data) == nil {
			_ = c.Check()
		}
	})
}

func TestBrokerSettings(t *testing.T) {
	c, err := Load("", []string{"SEGEDGE_MQTT_PASSWORD=geheim 1", "SEGEDGE_MQTT_CLIENT_ID=door"}, []string{"mqtt.broker=unix:///run/m.sock"})
	if err != nil || c.MQTT.Password != "geheim 1" || c.MQTT.ClientID != "door" || c.MQTT.Broker != "unix:///run/m.sock" {
		t.Errorf("%v: %+v", err, c.MQTT)
	}
	for _, bad := range []string{"mqtt.broker=unix://", "mqtt.broker=unix://host/run/m.sock", "mqtt.client_id=a\x01", "mqtt.client_id=" + strings.Repeat("a", 129)} {
		if _, err := Load("", nil, []string{bad}); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}
