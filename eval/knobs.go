package eval

import (
	"fmt"
	"math"
	"reflect"
	"strings"
)

// Knob is one number of a tuning: the path of its field ("Motion.FitSigma") and the value it is shipped with.
type Knob struct {
	Name  string
	Value float64
	Whole bool // a count: it is turned by one at least
}

// Knobs are the numbers of a tuning, a struct of numbers and of such structs, in the order of its fields. Those of an
// embedded one are its own.
func Knobs(tuning any) []Knob {
	var out []Knob
	eachNumber(reflect.ValueOf(tuning), "", func(name string, v reflect.Value) {
		if v.CanInt() {
			out = append(out, Knob{Name: name, Value: float64(v.Int()), Whole: true})
		} else {
			out = append(out, Knob{Name: name, Value: v.Float()})
		}
	})
	return out
}

// Turn sets the number of that name in a tuning, given by pointer.
func Turn(tuning any, name string, value float64) error {
	v := reflect.ValueOf(tuning).Elem()
	for part := range strings.SplitSeq(name, ".") {
		if v.Kind() != reflect.Struct || !v.FieldByName(part).IsValid() {
			return fmt.Errorf("no number %s to turn", name)
		}
		v = v.FieldByName(part)
	}
	switch {
	case v.CanInt():
		v.SetInt(int64(value))
	case v.CanFloat():
		v.SetFloat(value)
	default:
		return fmt.Errorf("%s is no number", name)
	}
	return nil
}

// By is the knob's value turned by a share of it, −0.2 for a fifth less. Counts change by one at least.
func (k Knob) By(share float64) float64 {
	v := k.Value * (1 + share)
	if !k.Whole {
		return v
	}
	if r := math.Round(v); r != k.Value {
		return r
	}
	return k.Value + math.Copysign(1, share)
}

func eachNumber(v reflect.Value, path string, f func(name string, v reflect.Value)) {
	for i := range v.NumField() {
		field, name := v.Field(i), path+v.Type().Field(i).Name
		switch {
		case v.Type().Field(i).Anonymous:
			eachNumber(field, path, f)
		case field.Kind() == reflect.Struct:
			eachNumber(field, name+".", f)
		case field.CanInt() || field.CanFloat():
			f(name, field)
		}
	}
}
