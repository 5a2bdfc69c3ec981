package config

import (
	"strings"
	"testing"
)

func TestTelemetry(t *testing.T) {
	for otlp, says := range map[string]string{
		"":                              "",
		"http://collector:4318":         "",
		"https://collector/otlp":        "",
		"grpc://collector:4317":         "gRPC is not spoken",
		"collector:4318":                "no address such as",
		"http://collector:99999":        "no address such as",
		"http://me:secret1@collector:1": "OTEL_EXPORTER_OTLP_HEADERS",
	} {
		cfg := Default()
		cfg.Telemetry.OTLP = otlp
		ps := cfg.Check()
		if says == "" && len(ps) > 0 || says != "" && (len(ps) != 1 || !strings.Contains(ps[0].Text, says) || strings.Contains(ps[0].Text, "secret1")) {
			t.Errorf("%q: %v", otlp, ps)
		}
	}
}
