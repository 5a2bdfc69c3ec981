package onnx

import (
	"errors"
	"path/filepath"
	"regexp"
	"strings"
)

// explain makes a sentence of ONNX Runtime's errors, which begin with the place in its source: what is missing, what CUDA
// answered, or what it says behind that.
func explain(err error) error {
	if err == nil {
		return nil
	}
	missingLibrary := regexp.MustCompile(`(\S+\.so[.0-9]*): cannot open shared object file`)
	source := regexp.MustCompile(`^.*\[ONNXRuntimeError\] : \d+ : [A-Z_]+ : `)
	failure := regexp.MustCompile(`CUDA failure \d+: [^;]*[^; ]`)
	text := strings.ReplaceAll(err.Error(), "\n", " ")
	if m := missingLibrary.FindStringSubmatch(text); m != nil {
		return errors.New("it needs " + filepath.Base(m[1]) + ", which is not installed")
	}
	if f := failure.FindString(text); f != "" {
		return errors.New(f)
	}
	return errors.New(source.ReplaceAllString(text, ""))
}
