package secret

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
)

func TestMaskHidesSecrets(t *testing.T) {
	for in, want := range map[string]string{
		"rtsp://admin:geheim@cam/live":                         "rtsp://***@cam/live",
		"rtsp://admin:ge@heim@cam/live":                        "rtsp://***@cam/live",
		"rtsp://admin:ge/heim@cam/live":                        "rtsp://***@cam/live",
		"rtsp://admin:ge#heim@cam/live":                        "rtsp://***@cam/live",
		"rtsp://admin:ge?heim@cam/live":                        "rtsp://***@cam/live",
		"rtsp://admin:100%sure@cam/live":                       "rtsp://***@cam/live",
		"rtsp://admin:sch0en:9ö@cam/live":                      "rtsp://***@cam/live",
		"rtsp://admin:it's@cam/live":                           "rtsp://***@cam/live",
		`open "tcp://u:ge/heim@h:1": no; then "tcp://v:x@i"`:   `open "tcp://***@h:1": no; then "tcp://***@i"`,
		`{"a":"rtsp://h:1/x","b":"c@d"}`:                       `{"a":"rtsp://h:1/x","b":"c@d"}`,
		"http://cam/a?user=me&password=x&size=2":               "http://cam/a?user=***&password=***&size=2",
		"http://cam/a?token=abc":                               "http://cam/a?token=***",
		`rtspsrc location="rtsp://u:p@h/a" user-pw=pw`:         `rtspsrc location="rtsp://***@h/a" user-pw=***`,
		"turn:me:geheim@h:3478, turns:h stuns:a@b":             "turn:***@h:3478, turns:h stuns:***@b",
		"rtsp://admin:ge heim@cam/live":                        "rtsp://***@cam/live",
		`open "rtsp://admin:ge"} heim@cam/live": no`:           `open "rtsp://***@cam/live": no`,
		"open rtsp://cam:554: no; mail a@b":                    "open rtsp://cam:554: no; mail a@b",
		"http://cam/v.cgi?loginuse=me&loginpas=geheim&r=8":     "http://cam/v.cgi?loginuse=***&loginpas=***&r=8",
		"http://cam/a?usr=me&pw=geheim":                        "http://cam/a?usr=***&pw=***",
		"http://cam/a?access_token=geheim#t=3":                 "http://cam/a?access_token=***",
		"http://cam/a?authbasic=Z2VoZWlt":                      "http://cam/a?authbasic=***",
		"http://s/a.m3u8?X-Amz-Signature=geheim&e=1":           "http://s/a.m3u8?X-Amz-Signature=***&e=1",
		"rtsp://cam:554/user=me_password=geheim_channel=1.sdp": "rtsp://cam:554/user=***_password=***_channel=1.sdp",
		"rtsp://cam/ch1_password=geheim":                       "rtsp://cam/ch1_password=***",
		"rtspsrc user-pw='ge heim' latency=0":                  "rtspsrc user-pw=*** latency=0",
		`rtspsrc user-pw = "ge\"heim" latency=0`:               `rtspsrc user-pw = *** latency=0`,
		"mqtt.password_file=/etc/pw keyframes=3 monkey=1":      "mqtt.password_file=/etc/pw keyframes=3 monkey=1",
		`"ws://me:ge heim@h/x": an @ is %40`:                   `"ws://***@h/x": an @ is %40`,
		"open http://cam/a?token=geheim: refused":              "open http://cam/a?token=***: refused",
		`source "me:geheim@cam/x": no such file`:               `source "***@cam/x": no such file`,
		"me:ge@heim@10.0.0.2:1883 is no address":               "***@10.0.0.2:1883 is no address",
		"/home/x/me:geheim@cam, rtsp:/me:geheim@cam":           "/home/x/***@cam, rtsp:/***@cam",
		"at 10:30 by me@home, agent:camera, a: b@c":            "at 10:30 by me@home, agent:camera, a: b@c",
		`"tcp://alice:geheim": no`:                             `"tcp://alice:***": no`,
		"tcp://alice:ge/heim, rtsp://a:geheim.":                "tcp://alice:***, rtsp://a:***.",
		"at http://[fe80::abcd]:80/x or tcp://h:":              "at http://[fe80::abcd]:80/x or tcp://h:",
		"tcp://[::1]:geheim (tcp://h:1883)":                    "tcp://[::1]:*** (tcp://h:1883)",
		"clip.mp4":                                             "clip.mp4",
		"rtsp://cam/live@home":                                 "rtsp://cam/live@home",
		"rtsp://cam:554/a?speed=2 for me@home":                 "rtsp://cam:554/a?speed=2 for me@home",
		"the token is too short: use at least 16":              "the token is too short: use at least 16",
	} {
		if got := Mask(in); got != want {
			t.Errorf("Mask(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestMaskHidesSettings(t *testing.T) {
	in := "http:\n  listen: :80\n> 3 |   token: hunter2hunter2\n  password: 'a b'\n  source: rtsp://a:b@c/d\n  password_file: /x\n"
	want := "http:\n  listen: :80\n> 3 |   token: ***\n  password: ***\n  source: rtsp://***@c/d\n  password_file: /x\n"
	if got := MaskYAML(in); got != want {
		t.Errorf("%s", got)
	}
}

// An address whose password was not encoded is refused with what to do, and nothing of it is repeated.
func TestAddressesAreReadOrRefused(t *testing.T) {
	for in, host := range map[string]string{
		"rtsp://admin:P%40ss@cam:554/live": "cam:554", "rtsp://cam/live@home": "cam", "tcp://[::1]:1883": "[::1]:1883",
		"rtsp://cam:554/live?to=me@home": "cam:554", "rtsp://admin:P@ss@cam/live": "cam",
		"tcp://alice:to@p/geheim@127.0.0.1:1883": "", "tcp://alice:12/geheim@h:1": "", "ssl://alice/geheim@h": "", "http://u:to@p/ge?heim@h/": "",
		"rtsp://admin:12/geheim@cam/live": "", "rtsp://admin:12?geheim@cam/live": "", "wss://u:a@b#geheim@h/mqtt": "", "MQTT://u:a@b/geheim@h": "",
		"rtsp://u:p@cam/live?to=me": "cam", "http://[::1]/a": "[::1]", "http://h:80/a?b=/c@d": "h:80",
		"rtsp://admin:geheim/x@cam/live": "", "tcp://user:geheim#9@h:1": "", "tcp://user:geheim?9@h:1": "", "tcp://user:geheim%zz@h": "",
	} {
		u, err := ParseURL(in)
		switch {
		case host == "" && (err == nil || !strings.Contains(err.Error(), "percent-encode it") || strings.Contains(err.Error(), "geheim")):
			t.Errorf("%s: %v", in, err)
		case host != "" && (err != nil || u.Host != host):
			t.Errorf("%s: %v, %v", in, u, err)
		}
	}
	for _, in := range []string{"http://h:geheim", "tcp://alice:geheim/x"} {
		if _, err := ParseURL(in); err == nil || strings.Contains(err.Error(), "geheim") || !strings.Contains(err.Error(), "is no port") {
			t.Errorf("%s: %v", in, err)
		}
	}
}

type name struct{}

func (name) String() string { return "rtsp://u:geheim@h" }

func TestNothingIsLogged(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(NewHandler(slog.NewTextHandler(&out, nil))).With("source", "rtsp://u:geheim@h").WithGroup("g")
	log.Info("open rtsp://u:geheim@h", "err", errors.New("read tcp://u:geheim/2@h: no"), "n", 3, "who", name{}, slog.Group("in", "a", "http://h?token=geheim"))
	if s := out.String(); strings.Contains(s, "geheim") || strings.Count(s, "***") != 5 || !strings.Contains(s, "g.n=3") || !strings.Contains(s, "g.in.a=") {
		t.Error(s)
	}
}

func FuzzMask(f *testing.F) {
	f.Add("rtsp://a:b@c")
	f.Add("://://@")
	f.Fuzz(func(t *testing.T, s string) {
		if once := Mask(s); Mask(once) != once {
			t.Errorf("%q: masked %q, masked again %q", s, once, Mask(once))
		}
	})
}
