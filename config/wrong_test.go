package config

import (
	"reflect"
	"strings"
	"testing"
)

// nonsense is what people, editors and generators write in the place of a value.
var nonsense = []string{
	`-1`, `.nan`, `.inf`, `-.inf`, `1e400`, `99999999999999999999999`, `0x10`, `""`, `" "`, `"a\u0000b"`, `"a\nb"`, `"\u202e"`, `"\udc00"`, `yes`,
	`[]`, `[[]]`, `{}`, `{a: b}`, `[1, 2]`, `["", " "]`, `-1h`, `9999999h`, `!!binary aGVsbG8=`, `2001-01-01`, `*nowhere`, `&a b`, `"${HOME}"`,
	`'` + strings.Repeat("x", 5000) + `'`, `"+"`, `null`, `"tcp://:@:"`, `"rtsp://"`, `":"`, `"[::1"`, `"host:-1"`,
}

// eachSetting calls f for every setting, and every part of one, with what stands before and after its value in a line of YAML.
func eachSetting(t reflect.Type, before, after string, f func(before, after string)) {
	if before != "" {
		f(before, after)
	}
	switch {
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Struct:
		eachSetting(t.Elem(), before+"[", "]"+after, func(b, a string) {
			if b != before+"[" {
				f(b, a)
			}
		})
	case t.Kind() == reflect.Struct:
		for field := range t.Fields() {
			key := field.Tag.Get("yaml") + ": "
			if before == "" {
				eachSetting(field.Type, key, "", f)
			} else {
				eachSetting(field.Type, before+"{"+key, "}"+after, f)
			}
		}
	}
}

// TestEverySettingWrongOnce: whatever stands in a setting's place, nothing panics, and what is refused is shown where it stands, in one
// sentence that holds no other line.
func TestEverySettingWrongOnce(t *testing.T) {
	tried, refused := 0, 0
	eachSetting(reflect.TypeFor[Config](), "", "", func(before, after string) {
		for _, value := range nonsense {
			tried++
			text := "# the first line\n" + before + value + after + "\n"
			l := &Loaded{Config: Default(), from: map[string]string{}}
			var ps Problems
			if l.doc, ps = l.parse("segedge.yaml", []byte(text)); len(ps) == 0 {
				ps = l.Explain(l.Check())
			}
			for _, p := range ps {
				if !strings.HasPrefix(p.From, "segedge.yaml:2:") || p.Show == "" || strings.ContainsAny(p.Text, "\n\x00") || strings.Contains(p.Text, "%!") {
					t.Errorf("of %q: %q of %q", text[:min(len(text), 200)], p.Text, p.From)
				}
			}
			if len(ps) > 0 {
				refused++
			} else if value == "*nowhere" {
				t.Errorf("%q is fine", text)
			}
		}
	})
	if tried < 4000 || refused < tried/2 {
		t.Errorf("%d tried and %d refused: are these the settings?", tried, refused)
	}
}

// What names a value that was named before is that value, and what cannot be sent is told before anybody tries.
func TestNamesOfValues(t *testing.T) {
	c, err := Load(file(t, "agent: {name: &n box}\nmqtt: {client_id: *n}\n"), nil, nil)
	if err != nil || c.MQTT.ClientID != "box" {
		t.Errorf("%q, %v", c.MQTT.ClientID, err)
	}
	for text, want := range map[string]string{
		"http: {token: *t}":              "1:15: http.token: *t: no value was given this name before",
		"mqtt: {username: \"a\\u0000\"}": "1:18: mqtt.username:",
	} {
		if _, err := Load(file(t, text), nil, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
	line := Config{HTTP: HTTP{Token: "0123456789abcdef\nx"}}
	if ps := line.CheckTokens(true); len(ps) != 1 || !strings.Contains(ps[0].Text, "cannot be sent") || strings.Contains(ps.Error(), "0123") {
		t.Errorf("%v", ps)
	}
}
