package config

import (
	"strings"
	"testing"
)

// A missing comma makes two settings one value, of which nothing is repeated but what stands before the other setting.
func TestAMissingCommaShowsNoSecret(t *testing.T) {
	for in, want := range map[string]string{
		"http: {tokens: [{name: wall, role: view token: geheim}]}":                                                        "http.tokens.0.role: the value goes on with token: a comma is missing",
		"mqtt: {users: [{name: a, role: view password: geheim}]}":                                                         "mqtt.users.0.role: the value goes on with password",
		"mqtt: {username: user password: geheim}":                                                                         "mqtt.username: the value goes on with password",
		"agent: {name: box token: geheim}":                                                                                "agent.name: the value goes on with token",
		"agent: {name: box token geheim}":                                                                                 `agent.name: "box ***": letters`,
		"cameras: [{name: login password: geheim, source: synthetic}]":                                                    "cameras.0.name: the value goes on with password",
		"cameras: [{name: a, source: synthetic, fps: 4 password: geheim}]":                                                "cameras.0.fps: the value goes on with password",
		"cameras: [{name: a, source: synthetic, fps: 4 password geheim}]":                                                 `cameras.0.fps: "4 ***" is no whole number`,
		"cameras: [{name: a, source: synthetic, zones: \"3 password: geheim\"}]":                                          `a list is wanted here, not "3 ***"`,
		"http: {listen: \":80/ token: geheim\"}":                                                                          `http.listen: ":80/ ***" is no host:port`,
		"events: {update_interval: 1s password: geheim}":                                                                  "events.update_interval: the value goes on with password",
		"mqtt: {discovery: yes password geheim}":                                                                          `mqtt.discovery: "yes ***" is neither`,
		"mqtt: {prefix: \"a/# password: geheim\"}":                                                                        `mqtt.prefix: "a/# ***" has a wildcard`,
		"http: {tokens: [{name: a, role: \"view token: geheim\", token_file: /x}]}":                                       `"view ***" is none of`,
		"cameras: [{name: a, source: synthetic, zones: [{name: \"z password: geheim\"},{name: \"z password: geheim\"}]}]": `"z ***" is there twice`,
	} {
		_, err := Load(file(t, in), nil, nil)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "geheim") {
			t.Errorf("%s: %v", in, err)
		}
	}
	if _, err := Load("", nil, []string{"cameras.0.fps=4 password: geheim"}); err == nil || strings.Contains(err.Error(), "geheim") {
		t.Errorf("--set: %v", err)
	}
	pipeline := "cameras: [{name: a, source: 'gst: videotestsrc name: x ! appsink'}]"
	if c, err := Load(file(t, pipeline), nil, nil); err != nil || c.Cameras[0].Source != "gst: videotestsrc name: x ! appsink" {
		t.Errorf("in quotation marks: %v", err)
	}
}

// All agents are called all: a prefix that ends so is found before the agent starts.
func TestNoPrefixIsEverybodys(t *testing.T) {
	for prefix, ok := range map[string]bool{"segedge/all": false, "all": false, "a/b/all": false, "segedge/all/x": true, "segedge/wall": true} {
		c := Default()
		c.MQTT.Prefix = prefix
		if found := strings.Contains(c.Check().Error(), "mqtt.prefix"); found == ok {
			t.Errorf("%s: %v", prefix, c.Check())
		}
	}
}
