package config

import (
	"fmt"

	"github.com/segedge/segedge/secret"
)

// mostWebhooks of one agent: each has a journal of its own.
const mostWebhooks = 8

func (c *Config) checkWebhooks(ps *Problems) {
	if len(c.Webhooks) > mostWebhooks {
		ps.Add("webhooks", "%d are more than %d", len(c.Webhooks), mostWebhooks)
	}
	seen := map[string]bool{}
	for i := range c.Webhooks {
		w, key := &c.Webhooks[i], fmt.Sprintf("webhooks.%d", i)
		if seen[w.URL] && w.URL != "" {
			ps.Add(key+".url", "it is there twice")
		}
		seen[w.URL] = true
		w.check(key, ps)
	}
}

func (w *Webhook) check(key string, ps *Problems) {
	u, err := secret.ParseURL(w.URL)
	switch {
	case err != nil:
		ps.Add(key+".url", "%q: %v", secret.MaskValue(w.URL), err)
	case u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.Port() != "" && !isPort(u.Port()):
		ps.Add(key+".url", "%q is no address such as https://host/path", secret.MaskValue(w.URL))
	case u.Scheme == "http" && (w.CA != "" || w.Cert != ""):
		ps.Add(key+".url", "certificates are given, but %q is not encrypted: write https://", secret.MaskValue(w.URL))
	}
	if w.Token != "" && w.TokenFile != "" {
		ps.Add(key+".token_file", "the token is given twice: keep token or token_file")
	}
	if (w.Cert == "") != (w.Key == "") {
		ps.Add(key, "cert and key come together")
	}
	checkEvents(key+".events", w.Events, ps)
}
