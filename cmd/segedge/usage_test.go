package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/segedge/segedge/testkit"

	"github.com/alecthomas/kong"
)

// everyVerb are all commands, with those of groups.
func everyVerb(t *testing.T) []*kong.Node {
	t.Helper()
	parser, err := kong.New(&cli{})
	if err != nil {
		t.Fatal(err)
	}
	return parser.Model.Leaves(true)
}

// Every verb explains itself in each of the ways that people try, and a flag that it does not have is told with where to look.
func TestEveryVerbHasHelp(t *testing.T) {
	testkit.Long(t)
	for _, verb := range everyVerb(t) {
		words := strings.Fields(verb.Path())
		for _, line := range [][]string{append(words, "--help"), append(words, "-h"), append([]string{"help"}, words...)} {
			if code, stdout, stderr := command(t, line...); code != 0 || !strings.Contains(stdout, "Usage: segedge "+verb.Path()) {
				t.Errorf("%v: %d %.100s%s", line, code, stdout, stderr)
			}
		}
		if code, stdout, _ := command(t, append(words, "--version")...); code != 0 || stdout != "segedge "+version+"\n" {
			t.Errorf("%v --version: %d %s", words, code, stdout)
		}
		if code, _, stderr := command(t, append(words, "--nonsense")...); code != exitUsage || !strings.Contains(stderr, "--help") || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%v --nonsense: %d %s", words, code, stderr)
		}
	}
}

func TestCommandLinesThatAreNone(t *testing.T) {
	for line, want := range map[string]string{
		"dance":                   "unexpected argument dance; segedge --help lists the commands",
		"help dance":              "segedge --help lists the commands",
		"choose":                  `expected "<object> <candidate>"; usage: segedge choose <object> <candidate> [flags]; more with segedge choose --help`,
		"choose camera-1":         "usage: segedge choose <object> <candidate>",
		"models":                  "more with segedge models --help",
		"models lits":             `did you mean "list"; usage: segedge models <command>`,
		"run --source":            "--source: expected string value but the line ends there; usage: segedge run",
		"line gate 0,0 x":         `"x" is not 2 numbers with commas between, such as 0.5,0.5`,
		"objects --url box":       "write http://HOST:8080",
		"record fly":              "usage: segedge record <action>",
		"prompt point:640,360":    "shares of the picture's width and height",
		"zone hall 0,0 640,0 1,1": "shares of the picture's width and height",
	} {
		code, _, stderr := command(t, strings.Fields(line)...)
		if code == 0 || !strings.Contains(stderr, want) || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%s: %d %s", line, code, stderr)
		}
	}
	for _, line := range []string{"--version", "-h", "help"} {
		if code, stdout, stderr := command(t, strings.Fields(line)...); code != 0 || stdout == "" {
			t.Errorf("%s: %d %s%s", line, code, stdout, stderr)
		}
	}
}

// Phrases that nobody will understand end the start, with the nearest words; those that will be do not.
func TestPhrasesAreCheckedAtTheStart(t *testing.T) {
	t.Setenv("STATE_DIRECTORY", t.TempDir())
	for prompt, want := range map[string]string{
		"text:bycicle": "closest are bicycle", "follow:bycicle": "closest are bicycle", "text:every bycicle in zone hall": "closest are bicycle",
		"text:not a person": "what the thing is not", "text:xyzzy": "closest are",
	} {
		r := runCmd{Source: "synthetic", Prompt: []string{prompt}}
		_, err := r.configure()
		if exitCode(err, new(bytes.Buffer)) != exitConfig || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", prompt, err)
		}
	}
	own := filepath.Join(t.TempDir(), "own.txt")
	if err := os.WriteFile(own, []byte("bicycle: xyzzy\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, r := range []runCmd{
		{Prompt: []string{"text:the left dog in zone hall"}}, {Prompt: []string{"follow:every dog"}},
		{Prompt: []string{"text:xyzzy"}, settings: settings{Set: []string{"grounding.synonyms=" + own}}},
		{Prompt: []string{"text:xyzzy"}, settings: settings{Set: []string{"grounding.model=none"}}}, // the model may understand it
	} {
		r.Source = "synthetic"
		if _, err := r.configure(); err != nil {
			t.Errorf("%v: %v", r.Prompt, err)
		}
	}
}

// What cannot be written is told before the work, and neither makes nor changes a file.
func TestOutputsAreTriedBeforeTheWork(t *testing.T) {
	dir := t.TempDir()
	picture := saved(t, "ball.png", ball(320, 240, 60))
	kept := filepath.Join(dir, "kept.png")
	if err := os.WriteFile(kept, []byte("kept"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ line, want string }{
		{"segment PICTURE --point 0.5,0.5 --overlay DIR/x.bmp", ".png or .jpg or .jpeg"},
		{"segment PICTURE --point 0.5,0.5 --overlay DIR/x", "told by the ending"},
		{"segment PICTURE --point 0.5,0.5 --mask DIR/x.jpg", "--mask"},
		{"segment PICTURE --point 0.5,0.5 --overlay DIR/none/x.png", "--overlay: cannot write"},
		{"segment PICTURE --point 0.5,0.5 --overlay DIR", "--overlay"},
		{"segment PICTURE --point 0.5,0.5 --overlay DIR/kept.png --mask DIR/none/m.png", "--mask: cannot write"},
		{"run --out DIR/x.avi", ".mp4"}, {"run --out DIR/none/x.mp4", "--out: cannot write"}, {"run --summary DIR/none/x.json", "--summary: cannot write"},
		{"run --masks DIR/none/x.jsonl", "--masks: cannot write"},
		{"models gallery PICTURE --out DIR/x.png", ".jpg"}, {"snapshot DIR/x.png", ".jpg"}, {"snapshot DIR/none/x.jpg", "cannot write"},
	} {
		line := strings.NewReplacer("PICTURE", picture, "DIR", dir).Replace(c.line)
		if code, _, stderr := command(t, strings.Fields(line)...); code != 1 || !strings.Contains(stderr, c.want) {
			t.Errorf("%s: %d %s", c.line, code, stderr)
		}
	}
	if data, err := os.ReadFile(kept); err != nil || string(data) != "kept" {
		t.Errorf("%q, %v", data, err)
	}
	if err := writable(output{"--overlay", filepath.Join(dir, "new.PNG"), asPicture}, output{"--out", "/dev/null", asMovie}, output{}); err != nil {
		t.Error(err)
	}
	if made, _ := filepath.Glob(filepath.Join(dir, "*")); len(made) != 1 {
		t.Errorf("%v", made)
	}
}
