// Package models holds the default model inside the binary, so that segedge works without a download. It knows neither
// how to run it nor what it means.
package models

import _ "embed"

// Name of the default model.
const Name = "segedge-tiny"

//go:embed default/encoder.onnx
var encoder []byte

//go:embed default/decoder.onnx
var decoder []byte

// Encoder is the default model's image encoder, an ONNX file. Read-only.
func Encoder() []byte { return encoder }

// Decoder is the default model's mask decoder, an ONNX file. Read-only.
func Decoder() []byte { return decoder }
