package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"

	"github.com/segedge/segedge/secret"
)

// Inputs are where a configuration comes from, in the order in which what comes later wins.
type Inputs struct {
	File        string   // YAML; none if empty
	Credentials string   // systemd's $CREDENTIALS_DIRECTORY: a file there whose name is a dotted key holds that setting
	Environ     []string // SEGEDGE_HTTP_LISTEN=… is http.listen
	Settings    []string // key=value
}

// Loaded is a configuration and where each part of it comes from.
type Loaded struct {
	Config
	doc  *document
	from map[string]string // dotted key to its origin, where that is not the file
}

// Load is the defaults, changed by the file (none if its name is empty), by environment variables, and by settings of the form
// key=value, in this order, and checked.
func Load(file string, environ, settings []string) (Config, error) {
	l, err := Read(Inputs{File: file, Environ: environ, Settings: settings})
	if err != nil {
		return Config{}, err
	}
	return l.Config, l.Explain(l.Check()).Err()
}

// Read puts a configuration together. It fails of what cannot be read or understood; whether the values make sense is for Check. Files
// that hold secrets are not read.
func Read(in Inputs) (*Loaded, error) {
	l := &Loaded{Config: Default(), from: map[string]string{}}
	var ps Problems
	if in.File != "" {
		data, err := readFile(in.File)
		if err != nil {
			return l, err
		}
		l.doc, ps = l.parse(in.File, data)
	}
	ps = append(ps, l.credentials(in.Credentials)...)
	for _, kv := range in.Environ {
		l.setEnv(kv, &ps)
	}
	for _, kv := range in.Settings {
		key, value, ok := strings.Cut(kv, "=")
		if !ok {
			ps.Add("", "--set %s: write it as http.listen=:8080", shownKey(kv))
			continue
		}
		l.set(key, value, "--set", &ps)
	}
	if l.Agent.Name == "" {
		l.Agent.Name = hostName()
	}
	return l, ps.Err()
}

// shownKey is what may be shown of a setting without its "=": the key, if it begins with one; what comes after may be a secret.
func shownKey(text string) string {
	key := keyStart.FindString(text)
	if err := new(Config).Set(key, ""); errors.Is(err, errUnknownKey) {
		return secret.Hidden
	}
	if len(text) > len(key) {
		return key + secret.Hidden
	}
	return key
}

var keyStart = regexp.MustCompile(`^[a-z0-9_.]*`)

// set changes one setting and notes where it comes from.
func (l *Loaded) set(key, value, origin string, ps *Problems) {
	if err := l.Set(key, value); err != nil {
		ps.Add("", "%s %v", origin, err)
		return
	}
	l.from[key] = origin
}

// Override notes that a setting was changed from elsewhere, a flag, so that a problem with it is not shown in the file.
func (l *Loaded) Override(key, origin string) { l.from[key] = origin }

// Explain adds to each problem where its setting comes from.
func (l *Loaded) Explain(ps Problems) Problems {
	for i := range ps {
		p := &ps[i]
		if p.From != "" {
			continue
		}
		if origin := l.origin(p.Key); origin != "" {
			p.From = origin
			continue
		}
		if l.doc == nil {
			continue
		}
		if at, ok := l.doc.find(p.Key); ok {
			shown := l.doc.problem("", at, "")
			p.From, p.Show = shown.From, shown.Show
		}
	}
	return ps
}

// origin is what set a key, or a part around it, over the file.
func (l *Loaded) origin(key string) string {
	for key != "" {
		if o := l.from[key]; o != "" {
			return o
		}
		i := strings.LastIndexByte(key, '.')
		key = key[:max(i, 0)]
	}
	return ""
}

// Parse changes c by a YAML document.
func (c *Config) Parse(data []byte) error {
	_, ps := c.parse("configuration", data)
	return ps.Err()
}

// credentials applies the files of systemd's credentials folder (systemd.exec(5), LoadCredential=) that are named like a setting.
func (l *Loaded) credentials(dir string) Problems {
	var ps Problems
	if dir == "" {
		return nil
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		ps.Add("", "credentials: %v", err)
		return ps
	}
	for _, e := range entries {
		if !strings.Contains(e.Name(), ".") {
			continue // somebody else's
		}
		value, err := ReadSecret(filepath.Join(dir, e.Name()))
		if err != nil {
			ps.Add(e.Name(), "%v", err)
			continue
		}
		l.set(e.Name(), value, "credential", &ps)
	}
	return ps
}

// maxSecret bounds a file that holds a secret, in bytes.
const maxSecret = 64 << 10

// ReadSecret is the content of a file that holds a password or a token, without the line's end.
func ReadSecret(file string) (string, error) {
	st, err := os.Stat(file)
	switch {
	case err != nil:
		return "", err
	case st.IsDir() || st.Size() > maxSecret:
		return "", fmt.Errorf("%s is no file that holds a secret", file)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	s := strings.TrimRight(string(data), "\r\n")
	if s == "" {
		return "", fmt.Errorf("%s is empty", file)
	}
	return s, nil
}

// envPrefix starts the environment variables: SEGEDGE_HTTP_LISTEN is http.listen.
const envPrefix = "SEGEDGE_"

// setEnv applies one environment variable if it is one of ours. One that is mistyped is a problem.
func (l *Loaded) setEnv(kv string, ps *Problems) {
	name, value, _ := strings.Cut(kv, "=")
	rest, ours := strings.CutPrefix(name, envPrefix)
	if !ours || noSetting(rest) {
		return
	}
	key, ok := envKey(reflect.TypeFor[Config](), rest)
	if !ok {
		ps.Add("", "environment %s: %v%s", name, errUnknownKey, meantVariable(rest))
		return
	}
	l.set(key, value, "environment "+name, ps)
}

// envKey is the dotted key of a variable's name without its prefix: CAMERAS_0_FPS is cameras.0.fps.
func envKey(t reflect.Type, name string) (string, bool) {
	if t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Struct {
		index, rest, ok := strings.Cut(name, "_")
		key, known := envKey(t.Elem(), rest)
		return index + "." + key, ok && known
	}
	if t.Kind() != reflect.Struct {
		return "", name == ""
	}
	for _, key := range names(t) {
		rest, ok := strings.CutPrefix(name, strings.ToUpper(key))
		if !ok || rest != "" && rest[0] != '_' {
			continue
		}
		f := fieldNamed(t, key)
		below, known := envKey(f.Type, strings.TrimPrefix(rest, "_"))
		switch {
		case known && below == "":
			return key, true
		case known:
			return key + "." + below, true
		}
	}
	return "", false
}

// fieldNamed is the field that a key of the file sets; the zero field where there is none.
func fieldNamed(t reflect.Type, name string) reflect.StructField {
	for field := range t.Fields() {
		if field.Tag.Get("yaml") == name {
			return field
		}
	}
	return reflect.StructField{}
}

// meantVariable suggests the variable that a mistyped one is near to.
func meantVariable(name string) string {
	var known []string
	for _, s := range names(reflect.TypeFor[Config]()) {
		f := fieldNamed(reflect.TypeFor[Config](), s)
		if f.Type.Kind() != reflect.Struct {
			continue
		}
		for _, k := range names(f.Type) {
			known = append(known, strings.ToUpper(s+"_"+k))
		}
	}
	text := meant(name, known)
	if text == "" {
		return ""
	}
	return strings.Replace(text, "mean ", "mean "+envPrefix, 1)
}
