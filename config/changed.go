package config

import (
	"reflect"
	"slices"
)

// Changed are the dotted keys of the settings that differ between two configurations, in the order of the file; cameras are left out.
func Changed(a, b *Config) []string {
	var out []string
	before, after := reflect.ValueOf(a).Elem(), reflect.ValueOf(b).Elem()
	for i := range before.NumField() {
		section := before.Type().Field(i).Tag.Get("yaml")
		x, y := before.Field(i), after.Field(i)
		if section == "cameras" {
			continue
		}
		if x.Kind() != reflect.Struct {
			if !reflect.DeepEqual(x.Interface(), y.Interface()) {
				out = append(out, section)
			}
			continue
		}
		for j := range x.NumField() {
			if !reflect.DeepEqual(x.Field(j).Interface(), y.Field(j).Interface()) {
				out = append(out, section+"."+x.Type().Field(j).Tag.Get("yaml"))
			}
		}
	}
	return out
}

// Camera is the camera of this name, nil where there is none.
func (c *Config) Camera(name string) *Camera {
	i := slices.IndexFunc(c.Cameras, func(cam Camera) bool { return cam.Name == name })
	if i < 0 {
		return nil
	}
	return &c.Cameras[i]
}

// SameSource reports whether two cameras open and show the same: they differ at most in what is watched and asked.
func (c *Camera) SameSource(o *Camera) bool {
	a, b := *c, *o
	for _, x := range []*Camera{&a, &b} {
		x.Prompts, x.Zones, x.Lines = nil, nil, nil
	}
	return reflect.DeepEqual(a, b)
}
