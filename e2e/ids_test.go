package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// asked is the answer to a prompt.
type asked struct {
	OK     bool
	Result struct{ Object string }
	Error  struct{ Code, Message string }
}

// TestNoIDMeansTwoThings asks for a cup, then ends the agent in every way and damages or removes its state: whatever is asked for next gets an
// id that none has had, a command that is repeated names what it named, and the cup of Home Assistant is on for no mug.
func TestNoIDMeansTwoThings(t *testing.T) {
	broker := mosquitto(t)
	folder, source := t.TempDir(), still(t)
	in := func(file string) string { return filepath.Join(folder, file) }
	begin := func() (*ear, *running) {
		r := start(t, "--source", source, "--state", folder, "--set", "mqtt.broker="+broker, "--set", "mqtt.discovery=true")
		e := listen(t, broker)
		e.hear("status", func(s string) bool { return s == "online" })
		return e, r
	}
	prompt := func(e *ear, id, name, point string) asked {
		t.Helper()
		var a asked
		body := fmt.Sprintf(`{"name":%q,"points":[%s]}`, name, point)
		if err := json.Unmarshal([]byte(e.ask("prompt", id, body)), &a); err != nil {
			t.Fatal(err)
		}
		return a
	}
	const brick, ground = `{"x":0.5,"y":0.5,"label":1}`, `{"x":0.1,"y":0.1,"label":1}`
	e, r := begin()
	cup := prompt(e, "cup", "cup", brick)
	if !cup.OK {
		t.Fatalf("%+v", cup)
	}
	e.hear("camera/presence", has(`"cup":1`))
	given := map[string]bool{cup.Result.Object: true}
	for i, c := range []struct {
		name   string
		end    func(*running)
		before func() // what happens to the state
	}{
		{"SIGTERM", (*running).stop, func() {}},
		{"SIGKILL", (*running).kill, func() {}},
		{"numbers damaged", (*running).kill, func() { flip(t, in("ids.json")) }},
		{"numbers lost", (*running).stop, func() { remove(t, in("ids.json")) }},
		{"objects damaged", (*running).kill, func() { flip(t, in("known.state")) }},
		{"all but the outbox lost", (*running).kill, func() { remove(t, in("ids.json"), in("known.state"), in("commands.json"), in("announced.json")) }},
	} {
		c.end(r)
		c.before()
		e, r = begin()
		mug := prompt(e, fmt.Sprint("mug", i), "mug", ground)
		if !mug.OK || given[mug.Result.Object] {
			t.Errorf("after %s the mug is %+v, of %v", c.name, mug, given)
		}
		given[mug.Result.Object] = true
		said := e.hear("camera/presence", has(`"mug":`))
		if strings.HasPrefix(c.name, "objects") && strings.Contains(said, `"cup":1`) {
			t.Errorf("after %s the cup is on: %s", c.name, said)
		}
		again := prompt(e, "cup", "cup", brick)
		switch { // what is not remembered any more is another command, and gets an id of its own
		case !again.OK:
			t.Errorf("after %s the repeated command is refused: %+v", c.name, again)
		case strings.HasPrefix(c.name, "all"):
			if given[again.Result.Object] {
				t.Errorf("after %s the command names %s again", c.name, again.Result.Object)
			}
		case again.Result.Object != cup.Result.Object:
			t.Errorf("after %s the repeated command names %s, not %s", c.name, again.Result.Object, cup.Result.Object)
		}
	}
}

// flip damages a file as a bad disk does.
func flip(t *testing.T, path string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.LastIndexAny(data, "0123456789")
	data[max(at, 0)] ^= 1
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func remove(t *testing.T, paths ...string) {
	t.Helper()
	for _, p := range paths {
		if err := os.Remove(p); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
}
