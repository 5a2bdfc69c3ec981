package config

import (
	"fmt"
	"net"
)

// What keeps out tokens and passwords that could be guessed over a network, as fast as it lets one.
const (
	minToken    = 16
	minPassword = 8
)

// checkNames checks the tokens' names, and that each has its token.
func (c *Config) checkNames(ps *Problems) {
	seen := map[string]bool{}
	for i, t := range c.HTTP.Tokens {
		key := fmt.Sprintf("http.tokens.%d", i)
		checkName(key, t.Name, "a token", seen, ps)
		if (t.Token == "") == (t.TokenFile == "") {
			ps.Add(key, "it needs token or token_file")
		}
	}
}

// checkUsers is checkNames for the embedded broker's users.
func (c *Config) checkUsers(ps *Problems) {
	if len(c.MQTT.Users) > 0 && c.MQTT.Broker != "" {
		ps.Add("mqtt.users", "these are the embedded broker's, and mqtt.broker names another: its users are its own")
	}
	seen := map[string]bool{}
	for i, u := range c.MQTT.Users {
		key := fmt.Sprintf("mqtt.users.%d", i)
		checkName(key, u.Name, "a user", seen, ps)
		if u.Name == "segedge/agent" {
			ps.Add(key+".name", "this is the agent's own name: choose another")
		}
		if (u.Password == "") == (u.PasswordFile == "") {
			ps.Add(key, "it needs password or password_file")
		}
	}
}

func checkName(key, name, what string, seen map[string]bool, ps *Problems) {
	switch {
	case !printable(name) || name == "" || len(name) > 64:
		ps.Add(key+".name", "%q: %s needs a name of 1 to 64 printable characters", name, what)
	case seen[name]:
		ps.Add(key+".name", "%q is there twice", name)
	}
	seen[name] = true
}

// CheckPasswords reports passwords that are too short. It is asked once the files that hold them were read.
func (c *Config) CheckPasswords() (ps Problems) {
	for i, u := range c.MQTT.Users {
		if u.Password != "" && len(u.Password) < minPassword {
			key := fmt.Sprintf("mqtt.users.%d.password", i)
			ps.Add(key, "the password is too short to protect anything: use at least %d characters", minPassword)
		}
	}
	return ps
}

// CheckTokens reports tokens that are too short or used twice and, where one is needed, an address off loopback without one. It is
// asked once the files that hold them were read.
func (c *Config) CheckTokens(needed bool) Problems {
	var ps Problems
	short := func(key, token string) {
		switch {
		case token != "" && len(token) < minToken:
			ps.Add(key, "the token is too short to protect anything: use at least %d characters", minToken)
		case !printable(token):
			ps.Add(key, "the token has a line end or another character in it that cannot be sent")
		}
	}
	short("http.token", c.HTTP.Token)
	seen := map[string]bool{c.HTTP.Token: c.HTTP.Token != ""}
	for i, t := range c.HTTP.Tokens {
		key := fmt.Sprintf("http.tokens.%d.token", i)
		short(key, t.Token)
		if t.Token == "" {
			ps.Add(key, "it is empty")
		} else if seen[t.Token] {
			ps.Add(key, "the same token is used twice")
		}
		seen[t.Token] = true
	}
	for _, door := range []struct{ key, listen string }{{"http.listen", c.HTTP.Listen}, {"rtsp.listen", c.RTSP.Listen}} {
		if !needed || door.listen == "" || loopback(door.listen) || c.HTTP.Token != "" || len(c.HTTP.Tokens) > 0 {
			continue
		}
		if _, _, err := net.SplitHostPort(door.listen); err == nil {
			ps.Add(door.key, "%s can be reached from the network and there is no token: give one of %d characters or more with "+
				"--token TOKEN or SEGEDGE_HTTP_TOKEN=TOKEN, or as http.token in the file; or listen on 127.0.0.1", door.listen, minToken)
		}
	}
	return ps
}
