package config

import "github.com/segedge/segedge/secret"

func (t *Telemetry) check(ps *Problems) {
	if t.OTLP == "" {
		return
	}
	u, err := secret.ParseURL(t.OTLP)
	switch {
	case err != nil:
		ps.Add("telemetry.otlp", "%q: %v", secret.MaskValue(t.OTLP), err)
	case u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.Port() != "" && !isPort(u.Port()):
		ps.Add(
			"telemetry.otlp",
			"%q is no address such as http://host:4318; gRPC is not spoken, most collectors take HTTP on port 4318",
			secret.MaskValue(t.OTLP),
		)
	case u.User != nil:
		ps.Add("telemetry.otlp", "a password is not sent: set OTEL_EXPORTER_OTLP_HEADERS in the environment, such as Authorization=Bearer%%20…")
	}
}
