package config

import (
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/segedge/segedge/spelling"
)

// Set changes one setting by its dotted key: http.listen, mqtt.broker, cameras.0.source.
func (c *Config) Set(key, value string) error {
	v := reflect.ValueOf(c).Elem()
	for part := range strings.SplitSeq(key, ".") {
		next, ok := child(v, part)
		if !ok {
			near := ""
			if v.Kind() == reflect.Struct {
				near = meant(part, names(v.Type()))
			}
			return fmt.Errorf("%s: %w%s", key, errUnknownKey, near)
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
		return fieldOf(v, name)
	case reflect.Slice:
		i, err := strconv.Atoi(name)
		if err != nil || i < 0 || i > v.Len() || i >= MaxCameras {
			return v, false
		}
		if i == v.Len() {
			v.Set(reflect.Append(v, reflect.Zero(v.Type().Elem())))
		}
		return v.Index(i), true
	}
	return v, false
}

func fieldOf(v reflect.Value, name string) (reflect.Value, bool) {
	for i := range v.NumField() {
		if v.Type().Field(i).Tag.Get("yaml") == name {
			return v.Field(i), true
		}
	}
	return v, false
}

// names are a section's keys.
func names(t reflect.Type) []string {
	out := make([]string, t.NumField())
	for i := range out {
		out[i] = t.Field(i).Tag.Get("yaml")
	}
	return out
}

func assign(v reflect.Value, value string) error {
	switch v.Interface().(type) {
	case string:
		v.SetString(value)
	case time.Duration:
		d, err := time.ParseDuration(value)
		if err != nil {
			return fmt.Errorf("%s is no duration such as 500ms or 2s", shownWord(value))
		}
		v.SetInt(int64(d))
	case int:
		n, err := strconv.Atoi(strings.ReplaceAll(value, "_", ""))
		if err != nil {
			return fmt.Errorf("%s is no whole number", shownWord(value))
		}
		v.SetInt(int64(n))
	case float64:
		f, err := strconv.ParseFloat(value, 64)
		if err != nil {
			return fmt.Errorf("%s is no number", shownWord(value))
		}
		v.SetFloat(f)
	case bool:
		b, err := strconv.ParseBool(value)
		if err != nil {
			return fmt.Errorf("%s is neither true nor false", shownWord(value))
		}
		v.SetBool(b)
	case []string:
		v.Set(reflect.ValueOf(split(value)))
	case []float64:
		list := split(value)
		v.Set(reflect.MakeSlice(v.Type(), len(list), len(list)))
		for i, s := range list {
			if err := assign(v.Index(i), strings.TrimSpace(s)); err != nil {
				return err
			}
		}
	default:
		return errors.New("this key holds several settings: name one of them")
	}
	return nil
}

// split are the elements of a list written with commas; an empty text is an empty list.
func split(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, ",")
}

// meant suggests the key that a mistyped one is near to; empty where none is.
func meant(name string, known []string) string {
	if near := nearest(name, known); near != "" {
		return "; did you mean " + near + "?"
	}
	return ""
}

// nearest is the key that a mistyped one is near to; empty where none is.
func nearest(name string, known []string) string {
	best, least := "", 3
	for _, k := range known {
		if d := spelling.Distance(name, k); d < least && d < len(k) {
			best, least = k, d
		}
	}
	return best
}
