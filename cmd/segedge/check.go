package main

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/segedge/segedge/agent"
	"github.com/segedge/segedge/capture"
	"github.com/segedge/segedge/config"
	"github.com/segedge/segedge/grounding"
	"github.com/segedge/segedge/inference"
)

// checks says how strict problems is.
type checks struct {
	sources bool // a camera's file that is not there is a problem, not something to wait for
	token   bool // an address off loopback needs a token of its own: nobody makes one
}

// problems is everything that run refuses before it opens a device, each shown where it is set. Secrets that are kept in files are read
// into the configuration on the way.
func problems(l *config.Loaded, want checks) config.Problems {
	ps := l.Check()
	readTokens(&l.Config, &ps)
	ps = append(append(ps, l.CheckTokens(want.token)...), l.CheckPasswords()...)
	words := knownWords(&l.Config, &ps)
	for i := range l.Cameras {
		key := fmt.Sprintf("cameras.%d", i)
		checkSource(&l.Cameras[i], key, want.sources, &ps)
		checkPrompts(&l.Cameras[i], key, words, &ps)
	}
	checkModelFiles(&l.Config, &ps)
	checkDoorFiles(&l.Config, &ps)
	return l.Explain(ps)
}

// readTokens takes the tokens, and the passwords of the embedded broker's users, out of their files.
func readTokens(c *config.Config, ps *config.Problems) {
	read := func(key, file string, into *string) {
		if file == "" || *into != "" {
			return
		}
		token, err := config.ReadSecret(file)
		if err != nil {
			ps.Add(key, "%v", err)
		}
		*into = token
	}
	read("http.token_file", c.HTTP.TokenFile, &c.HTTP.Token)
	for i := range c.HTTP.Tokens {
		t := &c.HTTP.Tokens[i]
		read(fmt.Sprintf("http.tokens.%d.token_file", i), t.TokenFile, &t.Token)
	}
	for i := range c.Webhooks {
		w := &c.Webhooks[i]
		read(fmt.Sprintf("webhooks.%d.token_file", i), w.TokenFile, &w.Token)
	}
	for i := range c.MQTT.Users {
		u := &c.MQTT.Users[i]
		read(fmt.Sprintf("mqtt.users.%d.password_file", i), u.PasswordFile, &u.Password)
	}
}

func checkSource(c *config.Camera, key string, strict bool, ps *config.Problems) {
	spec, err := sourceSpec(c)
	switch {
	case strings.TrimSpace(c.Source) == "": // told already
	case errors.Is(err, capture.ErrAbsent) && !strict:
	case err != nil:
		ps.AddError(key+".source", c.Source, err)
	case spec.Kind == capture.KindSynthetic:
		if _, err := syntheticOpener(spec); err != nil {
			ps.AddError(key+".source", c.Source, err)
		}
	}
	if c.PasswordFile != "" {
		checkSecret(key+".password_file", c.PasswordFile, ps)
	}
}

// knownWords are the words of the detector that will be asked; nil where there is none, or only the model knows what it understands.
func knownWords(c *config.Config, ps *config.Problems) *grounding.Words {
	if c.Grounding.Model == noGrounding {
		return nil
	}
	more, err := synonyms(*c)
	if err != nil {
		return nil // which is told of the file
	}
	w, err := grounding.NewWords(more)
	if err != nil {
		ps.Add("grounding.synonyms", "%v", err)
	}
	return w
}

// checkPrompts tells prompts that cannot be read, phrases that will not be understood, and zones that are not there.
func checkPrompts(c *config.Camera, key string, words *grounding.Words, ps *config.Problems) {
	for i, p := range c.Prompts {
		key := fmt.Sprintf("%s.prompts.%d", key, i)
		once, follow, err := parsePrompts([]string{p})
		if err != nil {
			ps.AddError(key, p, err)
			continue
		}
		phrase := ""
		for _, r := range once {
			phrase, _ = agent.InZone(r.Prompt.Text)
		}
		for _, w := range follow {
			phrase = w.Text
			for _, z := range w.Zones {
				if !slices.ContainsFunc(c.Zones, func(s config.Shape) bool { return s.Name == z }) {
					ps.Add(key, "there is no zone %q among the camera's zones", z)
				}
			}
		}
		if phrase == "" || words == nil {
			continue
		}
		if _, err := words.Parse(phrase); err != nil {
			ps.AddError(key, p, err)
		}
	}
}

func checkModelFiles(c *config.Config, ps *config.Problems) {
	state, err := stateDir(c.Agent.State)
	if err != nil {
		ps.Add("agent.state", "%v", err)
	}
	_, files, err := modelFiles(c.Model, state)
	if err != nil {
		ps.AddError("model.name", c.Model.Name, err)
	}
	key := "model.name"
	if c.Model.Encoder != "" {
		key = "model"
	}
	for _, f := range files {
		if f.Path != "" {
			checkFile(key, f.Path, ps)
		}
	}
	if f := c.Model.Family; f != "" && !slices.ContainsFunc(inference.Families(), func(k inference.Family) bool { return k.Name == f }) {
		ps.Add("model.family", "%q is no family that is known; segedge models list shows them", f)
	}
	if c.Grounding.Model != "" && c.Grounding.Model != noGrounding {
		checkFile("grounding.model", c.Grounding.Model, ps)
	}
	if c.Grounding.Synonyms != "" {
		checkFile("grounding.synonyms", c.Grounding.Synonyms, ps)
	}
}

// checkDoorFiles reads what TLS and the broker's login need.
func checkDoorFiles(c *config.Config, ps *config.Problems) {
	checkPair("http", c.HTTP.Cert, c.HTTP.Key, ps)
	checkPair("mqtt", c.MQTT.Cert, c.MQTT.Key, ps)
	checkAuthority("mqtt.ca", c.MQTT.CA, ps)
	if r := c.Model.Remote; r.Address != "" {
		checkPair("model.remote", r.Cert, r.Key, ps)
		checkAuthority("model.remote.ca", r.CA, ps)
		if r.TokenFile != "" {
			checkSecret("model.remote.token_file", r.TokenFile, ps)
		}
	}
	if _, err := iceServers(&c.HTTP); err != nil && c.HTTP.ICECredentials != "" {
		ps.AddError("http.ice_credentials_file", c.HTTP.ICECredentials, err)
	}
	for i := range c.Webhooks {
		key := fmt.Sprintf("webhooks.%d", i)
		checkPair(key, c.Webhooks[i].Cert, c.Webhooks[i].Key, ps)
		checkAuthority(key+".ca", c.Webhooks[i].CA, ps)
	}
	if c.MQTT.PasswordFile != "" {
		checkSecret("mqtt.password_file", c.MQTT.PasswordFile, ps)
	}
}

func checkSecret(key, file string, ps *config.Problems) {
	if _, err := config.ReadSecret(file); err != nil {
		ps.Add(key, "%v", err)
	}
}

func checkAuthority(key, ca string, ps *config.Problems) {
	if ca == "" || !checkFile(key, ca, ps) {
		return
	}
	if pem, err := os.ReadFile(ca); err != nil || !x509.NewCertPool().AppendCertsFromPEM(pem) {
		ps.Add(key, "%s holds no PEM certificate", ca)
	}
}

func checkPair(section, cert, key string, ps *config.Problems) {
	if cert == "" || key == "" || !checkFile(section+".cert", cert, ps) || !checkFile(section+".key", key, ps) {
		return
	}
	if _, err := tls.LoadX509KeyPair(cert, key); err != nil {
		ps.Add(section+".cert", "%v", err)
	}
}

// checkFile reports a file that is missing or cannot be read; true where it is fine.
func checkFile(key, file string, ps *config.Problems) bool {
	f, err := os.Open(file)
	if err != nil {
		ps.Add(key, "%s cannot be read: %v", file, cmp.Or(errors.Unwrap(err), err))
		return false
	}
	_ = f.Close()
	return true
}
