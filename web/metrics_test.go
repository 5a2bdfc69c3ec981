package web

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/seg"
)

// someVitals are those of one camera.
func someVitals() Vitals {
	return Vitals{
		Cameras: map[string]CameraVitals{"cam": {Stalls: 2, Reopens: 3, Abandoned: 1, Late: 40, Held: 5, ModelBusy: 0.25, Prompts: 3, Lanes: Lanes{Refresh: true}}},
		Broker:  BrokerVitals{Connected: true, Sessions: 4, Pending: 7, Bytes: 4096, Sent: 100, Dropped: 6, Commands: 9, Refused: 8, Unheard: 5},
		Model:   ModelVitals{Waiting: 2, Turns: 70, Provider: "cuda", LoadSeconds: 1.5, LoadBytes: 1 << 20},
		Machine: MachineVitals{Celsius: map[string]float64{"cpu-thermal": 71.5}, Hertz: map[string]float64{"gpu": 3e8}, Throttled: true, Back: 2},
	}
}

func TestVitals(t *testing.T) {
	text := scrape(t, newDoor(t, Options{Vitals: someVitals}))
	for _, want := range []string{
		`segedge_camera_stalls_total{camera="cam"} 2`, `segedge_camera_reconnects_total{camera="cam"} 3`, `segedge_reads_abandoned_total{camera="cam"} 1`,
		`segedge_frames_lost_total{camera="cam",cause="late"} 40`, `segedge_frames_lost_total{camera="cam",cause="held"} 5`, `segedge_model_busy_seconds{camera="cam"} 0.25`,
		"segedge_broker_connected 1", "segedge_broker_connections_total 4", "segedge_outbox_pending 7", "segedge_outbox_bytes 4096", "segedge_outbox_sent_total 100",
		"segedge_outbox_dropped_total 6", "segedge_mqtt_commands_total 9", "segedge_mqtt_commands_refused_total 8",
		"segedge_mqtt_replies_lost_total 5",
		`segedge_prompts_waiting{camera="cam"} 3`, `segedge_lane_jobs{camera="cam",lane="refresh"} 1`, `segedge_lane_jobs{camera="cam",lane="embed"} 0`, "segedge_model_turns_waiting 2",
		`segedge_model_load_seconds{provider="cuda"} 1.5`, `segedge_model_memory_bytes{provider="cuda"} 1.048576e+06`,
		"segedge_model_turns_total 70", `segedge_temperature_celsius{zone="cpu-thermal"} 71.5`, `segedge_clock_hertz{unit="gpu"} 3e+08`, "segedge_throttled 1", "segedge_standing_back 2",
	} {
		if !strings.Contains(text, "\n"+want+"\n") {
			t.Errorf("no line %s", want)
		}
	}
}

// What promtool check metrics finds fault with: names, types, help, units.
func TestMetricsAreLinted(t *testing.T) {
	agent := newFakeAgent("cam")
	agent.objects = []seg.Object{{ID: 1, State: seg.Tracking}}
	door := newDoor(t, Options{Service: agent, Vitals: someVitals})
	ask(door, "POST", "/api/v1/cameras/cam/clear", "", asJSON)
	problems, err := promlint.New(strings.NewReader(scrape(t, door))).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

func scrape(t *testing.T, door *Server) string {
	t.Helper()
	res := ask(door, "GET", "/metrics", "")
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != 200 {
		t.Fatalf("%d %v %s", res.StatusCode, err, body)
	}
	return string(body)
}

func TestMetrics(t *testing.T) {
	agent := newFakeAgent("cam", "back")
	agent.objects = []seg.Object{{ID: 1, State: seg.Tracking}, {ID: 2, State: seg.Tracking}, {ID: 3, State: seg.Lost}}
	door := newDoor(t, Options{Service: agent})
	ask(door, "POST", "/api/v1/cameras/cam/clear", "", asJSON)
	ask(door, "POST", "/api/v1/cameras/cam/rename", `{"object":"cam-9","name":"x"}`, asJSON)
	ask(door, "POST", "/api/v1/cameras/cam/dance1", "", asJSON)
	ask(door, "POST", "/api/v1/cameras/cam/dance2", "", asJSON)
	agent.objects = []seg.Object{{ID: 1, State: seg.Tracking}, {ID: 2, State: seg.Tracking}, {ID: 3, State: seg.Lost}}
	text := scrape(t, door)
	for _, want := range []string{
		`segedge_info{agent="bench",family="segedge tiny",model="segedge-tiny",provider="CPU",version="1.2.3"} 1`,
		`segedge_start_time_seconds 1.7e+09`,
		`segedge_frames_captured_total{camera="cam"} 815`,
		`segedge_frames_processed_total{camera="back"} 812`,
		`segedge_frames_dropped_total{camera="cam"} 3`,
		`segedge_fps{camera="cam"} 29.97`,
		`segedge_keyframes_total{camera="cam"} 40`,
		`segedge_keyframe_age_frames{camera="cam"} 7`,
		`segedge_viewers{camera="cam"} 1`,
		`segedge_objects{camera="cam",state="tracking"} 2`,
		`segedge_objects{camera="cam",state="lost"} 1`,
		`segedge_objects{camera="cam",state="occluded"} 0`,
		`segedge_events_total{camera="cam"} 44`,
		`segedge_camera_state{camera="cam",state="running"} 1`,
		`segedge_camera_state{camera="cam",state="stalled"} 0`,
		`segedge_stage_latency_seconds{camera="cam",stage="flow",quantile="0.95"} 0.0031`,
		`segedge_stage_latency_seconds_count{camera="cam",stage="flow"} 0`,
		`segedge_http_commands_total{code="ok",verb="clear"} 1`,
		`segedge_http_commands_total{code="unknown_object",verb="rename"} 1`,
		`segedge_http_commands_total{code="unknown_verb",verb="unknown"} 2`,
		"go_goroutines ",
	} {
		if !strings.Contains(text, want+"\n") && !strings.Contains(text, "\n"+want) {
			t.Errorf("no line %s", want)
		}
	}
	if t.Failed() {
		t.Log(text)
	}
}

// moving is an agent whose model changes its provider.
type moving struct {
	*fakeAgent
	provider string
	building *api.Building
}

func (m *moving) Info() api.Info {
	i := m.fakeAgent.Info()
	i.Provider, i.Building = m.provider, m.building
	return i
}

func TestMetricsFollowTheProvider(t *testing.T) {
	agent := &moving{fakeAgent: newFakeAgent("cam"), provider: "cuda", building: &api.Building{Provider: "tensorrt"}}
	door := newDoor(t, Options{Service: agent})
	line := func(name, provider string, v int) string {
		return fmt.Sprintf("segedge_%s{provider=%q} %d\n", name, provider, v)
	}
	for _, want := range []string{
		line("model_provider", "cuda", 1), line("model_provider", "tensorrt", 0), line("model_provider", "cpu", 0),
		line("model_provider_building", "tensorrt", 1), line("model_provider_building", "cuda", 0),
	} {
		if text := scrape(t, door); !strings.Contains(text, want) {
			t.Errorf("while it builds: no line %s", want)
		}
	}
	agent.provider, agent.building = "tensorrt", nil
	for _, want := range []string{line("model_provider", "cuda", 0), line("model_provider", "tensorrt", 1), line("model_provider_building", "tensorrt", 0)} {
		if text := scrape(t, door); !strings.Contains(text, want) {
			t.Errorf("after the swap: no line %s", want)
		}
	}
}

// rude is an agent whose names are no UTF-8.
type rude struct{ *fakeAgent }

func (r rude) Info() api.Info { return api.Info{Agent: "a\xff", Model: "b\xfe\"\n"} }

func TestMetricsSurviveBadNames(t *testing.T) {
	text := scrape(t, newDoor(t, Options{Service: rude{newFakeAgent("c\xff")}, Version: "dev"}))
	if !strings.Contains(text, `version="dev"`) || !strings.Contains(text, "segedge_fps") {
		t.Errorf("%s", text)
	}
}

func TestTwoDoorsKeepTwoRegistries(t *testing.T) {
	a, b := newDoor(t, Options{}), newDoor(t, Options{})
	ask(a, "POST", "/api/v1/cameras/cam/clear", "", asJSON)
	if strings.Contains(scrape(t, b), "segedge_http_commands_total{") {
		t.Error("one door counts the other's commands")
	}
}
