package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// pieces are the parts of a password between characters that mean something in an address.
var pieces = []string{"tokyo7", "pelican8", "quartz9", "umbra6"}

// unencoded are passwords with three of these characters in them, in every order.
func unencoded() (out []string) {
	const special = "@/:#?% "
	for _, a := range special {
		for _, b := range special {
			for _, c := range special {
				if a != b && b != c && a != c {
					out = append(out, pieces[0]+string(a)+pieces[1]+string(b)+pieces[2]+string(c)+pieces[3])
				}
			}
		}
	}
	return out
}

// shown is a piece of a password that a text shows; "" for none.
func shown(text string) string {
	for _, p := range pieces {
		if strings.Contains(text, p) {
			return p
		}
	}
	return ""
}

// TestNoPartOfAPasswordIsShown: of any address that may have one in it, whatever is in it.
func TestNoPartOfAPasswordIsShown(t *testing.T) {
	t.Setenv("STATE_DIRECTORY", t.TempDir())
	file := filepath.Join(t.TempDir(), "agent.yaml")
	brokers := []string{"tcp://alice:%s@127.0.0.1:1", "ssl://alice:%s@127.0.0.1:1", "ws://alice:%s@127.0.0.1:1/mqtt", "unix://alice:%s@/nowhere/mqtt", "alice:%s@127.0.0.1:1"}
	for i, password := range unencoded() {
		with := func(address string) string { return fmt.Sprintf("%q", fmt.Sprintf(address, password)) }
		text := "mqtt:\n  broker: " + with(brokers[i%len(brokers)]) +
			"\ncameras:\n- name: a\n  source: " + with("rtsp://alice:%s@127.0.0.1:1/x") + "\n- name: b\n  source: " + with("http://alice:%s@127.0.0.1:1/x?fps=2") +
			"\nwebhooks:\n- url: " + with("https://alice:%s@127.0.0.1:1/x") + "\nhttp:\n  listen: 127.0.0.1:0\n  ice_servers: [" + with("turn:alice:%s@127.0.0.1:3478") +
			"]\nmodel:\n  remote:\n    address: " + with("http://alice:%s@127.0.0.1:1") + "\ntelemetry:\n  otlp: " + with("http://alice:%s@127.0.0.1:1") + "\n"
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, command := range []string{"config check", "run --config", "doctor --config"} {
			var out bytes.Buffer
			code := execute(t.Context(), append(strings.Fields(command), file), &out, &out)
			if want := exitConfig; code != want && command != "config check" || code == 0 {
				t.Errorf("%s of %q: exit code %d, want %d", command, password, code, want)
			}
			if p := shown(out.String()); p != "" {
				t.Fatalf("%s of %q shows %s:\n%s", command, password, p, out.String())
			}
		}
	}
}

// TestNoPartOfAPasswordOfACommandLineIsShown: addresses come without a file as well, and to the commands that ask an agent.
func TestNoPartOfAPasswordOfACommandLineIsShown(t *testing.T) {
	t.Setenv("STATE_DIRECTORY", t.TempDir())
	for i, password := range unencoded() {
		if i%41 != 0 {
			continue
		}
		for _, args := range [][]string{
			{"run", "--listen", "127.0.0.1:0", "--source", "rtsp://alice:%s@127.0.0.1:1/x"}, {"doctor", "--source", "http://alice:%s@127.0.0.1:1/x"},
			{"run", "--listen", "127.0.0.1:0", "--set", "mqtt.broker=ssl://alice:%s@127.0.0.1:1"}, {"config", "check", "--set", "telemetry.otlp=http://alice:%s@127.0.0.1:1"},
			{"state", "--broker", "tcp://alice:%s@127.0.0.1:1"}, {"state", "--broker", "unix://alice:%s@/nowhere"}, {"state", "--url", "http://alice:%s@127.0.0.1:1"},
			{"watch", "--broker", "ws://alice:%s@127.0.0.1:1"}, {"watch", "--url", "http://alice:%s@127.0.0.1:1", "objects"},
			{"watch", "--broker", "alice:%s@127.0.0.1:1"}, {"segment", "rtsp://alice:%s@127.0.0.1:1/x"},
		} {
			args = slices.Clone(args)
			for i := range args {
				args[i] = strings.Replace(args[i], "%s", password, 1)
			}
			var out bytes.Buffer
			if code := execute(t.Context(), args, &out, &out); code == 0 || shown(out.String()) != "" {
				t.Errorf("%q: exit code %d: shows %s: %s", args, code, shown(out.String()), out.String())
			}
		}
	}
}

// TestABrokersPasswordThatNeedsEncoding ends the agent before it connects to what is no host, and says both ways out.
func TestABrokersPasswordThatNeedsEncoding(t *testing.T) {
	t.Setenv("STATE_DIRECTORY", t.TempDir())
	for _, broker := range []string{
		"tcp://alice:tokyo7@pelican8/quartz9@127.0.0.1:1883", "tls://alice:tokyo7:@/quartz9@127.0.0.1:1883", "ws://alice:tokyo7@pelican8/quartz9@127.0.0.1:1883/mqtt",
		"tcp://alice:12/quartz9@127.0.0.1:1883",
	} {
		for _, command := range []string{"run --listen 127.0.0.1:0 --set", "doctor --set", "config check --set"} {
			var out bytes.Buffer
			code := execute(t.Context(), append(strings.Fields(command), "mqtt.broker="+broker), &out, &out)
			if s := out.String(); code == 0 || code != exitConfig && !strings.HasPrefix(command, "config") || shown(s) != "" || strings.Contains(s, "alice") ||
				!strings.Contains(s, "percent-encode it") || !strings.Contains(s, "mqtt.password_file") {
				t.Errorf("%s %s: exit code %d, %s", command, broker, code, s)
			}
		}
	}
}
