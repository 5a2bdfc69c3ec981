package remote

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/segedge/segedge/inference"
)

// datatypes are the protocol's names of the element types, by ours.
var datatypes = map[string]string{
	"float32": "FP32", "float16": "FP16", "float64": "FP64",
	"int64": "INT64", "int32": "INT32", "uint8": "UINT8", "int8": "INT8", "bool": "BOOL",
	encoded: "BYTES",
}

// encoded is the type of an input that takes a file, as a JPEG, instead of numbers.
const encoded = "bytes"

// typeOf is our name of an element type.
func typeOf(datatype string) string {
	for name, d := range datatypes {
		if d == datatype {
			return name
		}
	}
	return datatype
}

// question are the inputs of a call, and the names of the outputs wanted.
type question struct {
	inputs  []inference.Tensor
	types   []string // of the inputs, the protocol's
	outputs []string
}

// sizeRaw is the number of bytes of input i.
func (q *question) sizeRaw(i int) int {
	t := &q.inputs[i]
	switch {
	case q.types[i] == "BYTES":
		return 4 + len(t.Uint8)
	case t.Int64 != nil:
		return 8 * len(t.Int64)
	case t.Float32 != nil, t.Int32 != nil:
		return 4 * t.Len()
	}
	return t.Len()
}

// appendRaw appends the elements of input i as they go over the network: row by row, little-endian; a file with its length before it.
func (q *question) appendRaw(to []byte, i int) []byte {
	t := &q.inputs[i]
	if q.types[i] == "BYTES" {
		to = binary.LittleEndian.AppendUint32(to, uint32(len(t.Uint8)))
	}
	for _, v := range t.Float32 {
		to = binary.LittleEndian.AppendUint32(to, math.Float32bits(v))
	}
	for _, v := range t.Int64 {
		to = binary.LittleEndian.AppendUint64(to, uint64(v))
	}
	for _, v := range t.Int32 {
		to = binary.LittleEndian.AppendUint32(to, uint32(v))
	}
	for _, v := range t.Bool {
		b := byte(0)
		if v {
			b = 1
		}
		to = append(to, b)
	}
	return append(to, t.Uint8...)
}

// answer is the reply to a call, and its memory for a later one.
type answer struct {
	raw     []byte // the reply as it came
	tensors []inference.Tensor
	shapes  [][]int64
	floats  [][]float32
}

// start makes room for n outputs.
func (a *answer) start(n int) {
	for len(a.shapes) < n {
		a.tensors, a.shapes, a.floats = append(a.tensors, inference.Tensor{}), append(a.shapes, nil), append(a.floats, nil)
	}
	a.tensors = a.tensors[:n]
	clear(a.tensors)
}

// put sets output i. data is copied.
func (a *answer) put(i int, name, datatype string, shape []int64, data []byte) error {
	a.shapes[i] = append(a.shapes[i][:0], shape...)
	n, err := elements(shape, len(data))
	if err != nil {
		return fmt.Errorf("%w: output %q: %w", ErrReply, name, err)
	}
	t := inference.Tensor{Name: name, Shape: a.shapes[i]}
	size := 4
	switch datatype {
	case "FP32":
		t.Float32 = a.room(i, n)
		if len(data) == 4*n {
			for k := range t.Float32 {
				t.Float32[k] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*k:]))
			}
		}
	case "INT32":
		t.Int32 = make([]int32, n)
		for k := 0; k < n && len(data) == 4*n; k++ {
			t.Int32[k] = int32(binary.LittleEndian.Uint32(data[4*k:]))
		}
	case "INT64":
		size, t.Int64 = 8, make([]int64, n)
		for k := 0; k < n && len(data) == 8*n; k++ {
			t.Int64[k] = int64(binary.LittleEndian.Uint64(data[8*k:]))
		}
	default:
		return fmt.Errorf("%w: output %q is %s: export the model with float32 outputs", ErrReply, name, datatype)
	}
	if len(data) != size*n {
		return fmt.Errorf("%w: output %q: %d bytes for %s %v", ErrReply, name, len(data), datatype, shape)
	}
	a.tensors[i] = t
	return nil
}

// room is memory for the numbers of output i.
func (a *answer) room(i, n int) []float32 {
	if cap(a.floats[i]) < n {
		a.floats[i] = make([]float32, n)
	}
	a.floats[i] = a.floats[i][:n]
	return a.floats[i]
}

// elements is the number of elements of a shape, of which no more can be meant than there are bytes.
func elements(shape []int64, most int) (int, error) {
	n := int64(1)
	for _, d := range shape {
		if d < 0 || d > 0 && n > int64(most)/d {
			return 0, fmt.Errorf("%d bytes for shape %v", most, shape)
		}
		n *= d
	}
	return int(n), nil
}
