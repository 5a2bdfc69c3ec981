package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/segedge/segedge/inference"
)

// providerName is an execution provider that a flag names; empty where any will do.
type providerName string

// UnmarshalText takes one of those that there are.
func (p *providerName) UnmarshalText(text []byte) error {
	names := []string{inference.CPU, inference.CUDA, inference.TensorRT}
	if !slices.Contains(names, string(text)) {
		return fmt.Errorf("%q is none of %s", text, strings.Join(names, ", "))
	}
	*p = providerName(text)
	return nil
}
