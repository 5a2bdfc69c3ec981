package inferencetest

import (
	"encoding/binary"
	"slices"
)

// Weights calls change for the numbers of every large tensor of an ONNX file, in a copy (onnx.proto3: graph 7, initializer 5, raw_data 9).
func Weights(file []byte, change func([]byte)) []byte {
	file = slices.Clone(file)
	var walk func(b []byte, path ...uint64)
	walk = func(b []byte, path ...uint64) {
		for len(b) > 0 {
			key, n := binary.Uvarint(b)
			if b = b[n:]; key&7 != 2 {
				_, n = binary.Uvarint(b)
				switch key & 7 {
				case 1:
					n = 8
				case 5:
					n = 4
				}
				b = b[n:]
				continue
			}
			size, n := binary.Uvarint(b)
			body := b[n:][:size]
			b = b[n+int(size):]
			if key>>3 == path[0] && len(path) > 1 {
				walk(body, path[1:]...)
			} else if key>>3 == path[0] && size >= 256 {
				change(body)
			}
		}
	}
	walk(file, 7, 5, 9)
	return file
}
