package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
)

// maxFile bounds a configuration file, in bytes.
const maxFile = 1 << 20

// Load is the defaults, changed by the file (none if its name is empty), by environment variables, and by settings
// of the form key=value, in this order, and checked.
func Load(file string, environ, settings []string) (Config, error) {
	c := Default()
	if file != "" {
		data, err := readFile(file)
		if err != nil {
			return c, err
		}
		if err := c.Parse(data); err != nil {
			return c, fmt.Errorf("%s: %w", file, err)
		}
	}
	for _, kv := range environ {
		if err := c.setEnv(kv); err != nil {
			return c, err
		}
	}
	for _, kv := range settings {
		key, value, ok := strings.Cut(kv, "=")
		if !ok {
			return c, fmt.Errorf("setting %q: write key=value", kv)
		}
		if err := c.Set(key, value); err != nil {
			return c, err
		}
	}
	return c, c.Validate()
}

func readFile(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("configuration %s: %w", name, err)
	}
	if len(data) > maxFile {
		return nil, fmt.Errorf("configuration %s: larger than %d bytes", name, maxFile)
	}
	return data, nil
}

// Parse changes c by a YAML document. An unknown key is an error that shows its line.
func (c *Config) Parse(data []byte) error {
	err := yaml.NewDecoder(bytes.NewReader(data), yaml.Strict()).Decode(c)
	if err != nil && !errors.Is(err, io.EOF) {
		return errors.New(strings.TrimSpace(yaml.FormatError(err, false, true)))
	}
	return nil
}

// YAML writes c as a file that Parse reads.
func (c *Config) YAML() ([]byte, error) { return yaml.Marshal(c) }

// envPrefix starts the environment variables: SEGEDGE_HTTP_LISTEN is http.listen.
const envPrefix = "SEGEDGE_"

// setEnv applies one environment variable if it is one of ours. Those that are not settings (SEGEDGE_ORT_LIB) are left
// alone, since other programs of the project read them.
func (c *Config) setEnv(kv string) error {
	name, value, _ := strings.Cut(kv, "=")
	rest, ours := strings.CutPrefix(name, envPrefix)
	if !ours {
		return nil
	}
	section, key, ok := strings.Cut(strings.ToLower(rest), "_")
	if !ok {
		return nil
	}
	err := c.Set(section+"."+key, value)
	if errors.Is(err, errUnknownKey) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("environment %s: %w", name, err)
	}
	return nil
}

var errUnknownKey = errors.New("no such setting")

// Set changes one setting by its dotted key: http.listen, mqtt.broker, cameras.0.source.
func (c *Config) Set(key, value string) error {
	v := reflect.ValueOf(c).Elem()
	for _, part := range strings.Split(key, ".") {
		next, ok := child(v, part)
		if !ok {
			return fmt.Errorf("%s: %w", key, errUnknownKey)
		}
		v = next
	}
	if err := assign(v, value); err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	return nil
}

// child is the field with this YAML name, or the list element with this index; the index one past the end appends.
func child(v reflect.Value, name string) (reflect.Value, bool) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).Tag.Get("yaml") == name {
				return v.Field(i), true
			}
		}
	case reflect.Slice:
		i, err := strconv.Atoi(name)
		if err != nil || i < 0 || i > v.Len() || i >= 16 {
			return v, false
		}
		if i == v.Len() {
			v.Set(reflect.Append(v, reflect.Zero(v.Type().Elem())))
		}
		return v.Index(i), true
	}
	return v, false
}

func assign(v reflect.Value, value string) error {
	switch v.Interface().(type) {
	case string:
		v.SetString(value)
	case time.Duration:
		d, err := time.ParseDuration(value)
		if err != nil {
			return fmt.Errorf("%q is no duration such as 500ms or 2s", value)
		}
		v.SetInt(int64(d))
	case int:
		n, err := strconv.Atoi(value)
		if err != nil {
			return fmt.Errorf("%q is no whole number", value)
		}
		v.SetInt(int64(n))
	case float64:
		f, err := strconv.ParseFloat(value, 64)
		if err != nil {
			return fmt.Errorf("%q is no number", value)
		}
		v.SetFloat(f)
	case bool:
		b, err := strconv.ParseBool(value)
		if err != nil {
			return fmt.Errorf("%q is neither true nor false", value)
		}
		v.SetBool(b)
	case []string:
		var list []string
		if value != "" {
			list = strings.Split(value, ",")
		}
		v.Set(reflect.ValueOf(list))
	default:
		return errors.New("this key holds several settings: name one of them")
	}
	return nil
}
