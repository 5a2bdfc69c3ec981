package config

import (
	"strings"
	"testing"
)

func TestReach(t *testing.T) {
	for setting, want := range map[string]string{
		"http.ice_tcp=:8443":  "",
		"http.ice_tcp=8443":   "http.ice_tcp",
		"http.ice_tcp=:99999": "http.ice_tcp",
		"http.ice_servers=stun:192.0.2.1:3478,stun:[2001:db8::1]:3478": "",
		"http.ice_servers=turn:192.0.2.1:3478":                         "http.ice_credentials_file",
		"http.ice_servers=turn:joe:secret@192.0.2.1":                   "http.ice_credentials_file",
		"http.ice_servers=http://192.0.2.1":                            "http.ice_servers",
		"http.ice_servers=stun:a:1?transport=smoke":                    "http.ice_servers",
		"http.public_ips=203.0.113.7,2001:db8::7":                      "",
		"http.public_ips=home":                                         "http.public_ips",
		"http.base_path=/cam/yard":                                     "",
		"http.base_path=cam":                                           "http.base_path",
		"http.base_path=/a/../b":                                       "http.base_path",
		"http.trusted_proxies=127.0.0.1,10.0.0.0/8":                    "",
		"http.trusted_proxies=proxy":                                   "http.trusted_proxies",
	} {
		_, err := Load("", nil, []string{setting})
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", setting, err, want)
		}
	}
}
