// Package models holds the default model and the detector of words inside the binary, so that segedge works without a download. It knows
// neither how to run them nor what they mean.
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

//go:embed yolox_nano/yolox_nano.onnx
var detector []byte

// Detector is YOLOX-nano, an ONNX file (Megvii; Apache-2.0, yolox_nano/LICENSE). Read-only.
func Detector() []byte { return detector }
