package config

import (
	"strings"
	"testing"
)

func TestWebhooks(t *testing.T) {
	for _, c := range []struct {
		hook Webhook
		says string
	}{
		{Webhook{URL: "https://hub/events", Token: "x", Events: []string{"zone.entered"}}, ""},
		{Webhook{URL: "http://user:pass@hub:8000"}, ""},
		{Webhook{}, "no address such as"},
		{Webhook{URL: "hub:8000"}, "no address such as"},
		{Webhook{URL: "ftp://hub/"}, "no address such as"},
		{Webhook{URL: "http://hub:99999/"}, "no address such as"},
		{Webhook{URL: "http://hub/", CA: "/a"}, "not encrypted"},
		{Webhook{URL: "https://hub/", Cert: "/a"}, "come together"},
		{Webhook{URL: "https://hub/", Token: "a", TokenFile: "b"}, "given twice"},
		{Webhook{URL: "https://hub/", Events: []string{"zone"}}, "no type of event"},
	} {
		cfg := Default()
		cfg.Webhooks = []Webhook{c.hook}
		ps := cfg.Check()
		if c.says == "" && len(ps) > 0 || c.says != "" && (len(ps) != 1 || !strings.Contains(ps[0].Text, c.says)) {
			t.Errorf("%+v: %v", c.hook, ps)
		}
	}
	cfg := Default()
	cfg.Webhooks = []Webhook{{URL: "http://a:secret1@hub/"}, {URL: "http://a:secret1@hub/"}}
	if ps := cfg.Check(); len(ps) != 1 || !strings.Contains(ps[0].Text, "twice") {
		t.Errorf("%v", ps)
	}
	cfg.Webhooks = []Webhook{{URL: "ftp://a:secret1@hub/"}}
	if ps := cfg.Check(); len(ps) != 1 || strings.Contains(ps[0].Text, "secret1") {
		t.Errorf("%v", ps)
	}
	other := Default()
	if got := Changed(&other, &cfg); len(got) != 1 || got[0] != "webhooks" {
		t.Errorf("changed: %v", got)
	}
}
