package remote

import (
	"encoding/binary"
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
)

// The messages of open_inference_grpc.proto, as far as they are used, by their field numbers.

// appendText appends a string field, none where it is empty.
func appendText(to []byte, number protowire.Number, s string) []byte {
	if s == "" {
		return to
	}
	return protowire.AppendString(protowire.AppendTag(to, number, protowire.BytesType), s)
}

// appendInfer appends a ModelInferRequest: model_name 1, model_version 2, inputs 5, outputs 6, raw_input_contents 7.
func appendInfer(to []byte, m Model, q *question) []byte {
	to = appendText(appendText(to, 1, m.Name), 2, m.Version)
	var part [256]byte
	for i := range q.inputs { // InferInputTensor: name 1, datatype 2, shape 3
		t := appendText(appendText(part[:0], 1, q.inputs[i].Name), 2, q.types[i])
		var dims [64]byte
		packed := dims[:0]
		for _, d := range q.inputs[i].Shape {
			packed = protowire.AppendVarint(packed, uint64(d))
		}
		t = protowire.AppendBytes(protowire.AppendTag(t, 3, protowire.BytesType), packed)
		to = protowire.AppendBytes(protowire.AppendTag(to, 5, protowire.BytesType), t)
	}
	for _, name := range q.outputs { // InferRequestedOutputTensor: name 1
		to = protowire.AppendBytes(protowire.AppendTag(to, 6, protowire.BytesType), appendText(part[:0], 1, name))
	}
	for i := range q.inputs {
		to = protowire.AppendVarint(protowire.AppendTag(to, 7, protowire.BytesType), uint64(q.sizeRaw(i)))
		to = q.appendRaw(to, i)
	}
	return to
}

// field is one field of a message.
type field struct {
	number int
	value  uint64 // of a number
	bytes  []byte // of a string, a message or packed numbers
}

// fields walks the fields of a message.
func fields(message []byte, see func(field) error) error {
	for len(message) > 0 {
		number, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			return fmt.Errorf("%w: %w", ErrReply, protowire.ParseError(n))
		}
		message = message[n:]
		f := field{number: int(number)}
		switch kind {
		case protowire.VarintType:
			f.value, n = protowire.ConsumeVarint(message)
		case protowire.BytesType:
			f.bytes, n = protowire.ConsumeBytes(message)
		default:
			n = protowire.ConsumeFieldValue(number, kind, message)
		}
		if n < 0 {
			return fmt.Errorf("%w: %w", ErrReply, protowire.ParseError(n))
		}
		if err := see(f); err != nil {
			return err
		}
		message = message[n:]
	}
	return nil
}

// rpcTensor is a TensorMetadata or an InferOutputTensor.
type rpcTensor struct {
	name, datatype string
	shape          []int64
	data           []byte // of InferTensorContents, as raw bytes
}

// parseTensor reads one: name 1, datatype 2, shape 3, contents 5.
func parseTensor(message []byte) (t rpcTensor, err error) {
	t.shape = []int64{}
	err = fields(message, func(f field) error {
		switch f.number {
		case 1:
			t.name = string(f.bytes)
		case 2:
			t.datatype = string(f.bytes)
		case 3:
			if f.bytes == nil {
				t.shape = append(t.shape, int64(f.value))
				return nil
			}
			return varints(f.bytes, func(v uint64) { t.shape = append(t.shape, int64(v)) })
		case 5:
			return fields(f.bytes, t.contents)
		}
		return nil
	})
	if len(t.shape) > 16 {
		err = fmt.Errorf("%w: output %q has %d dimensions", ErrReply, t.name, len(t.shape))
	}
	return t, err
}

// contents reads InferTensorContents, of a server that sends no raw bytes: int 2, int64 3, fp32 6, packed.
func (t *rpcTensor) contents(f field) error {
	switch f.number {
	case 2:
		return varints(f.bytes, func(v uint64) { t.data = binary.LittleEndian.AppendUint32(t.data, uint32(v)) })
	case 3:
		return varints(f.bytes, func(v uint64) { t.data = binary.LittleEndian.AppendUint64(t.data, v) })
	case 6:
		t.data = append(t.data, f.bytes...)
	}
	return nil
}

func varints(packed []byte, see func(uint64)) error {
	for len(packed) > 0 {
		v, n := protowire.ConsumeVarint(packed)
		if n < 0 {
			return fmt.Errorf("%w: %w", ErrReply, protowire.ParseError(n))
		}
		see(v)
		packed = packed[n:]
	}
	return nil
}

// maxOutputs bounds the outputs of a reply that are looked at.
const maxOutputs = 64

// parseInfer takes the outputs out of a ModelInferResponse, in the order wanted: outputs 5, raw_output_contents 6.
func (a *answer) parseInfer(message []byte, want []string) error {
	var outputs []rpcTensor
	raws := 0
	err := fields(message, func(f field) error {
		switch {
		case f.number == 5 && len(outputs) < maxOutputs:
			t, err := parseTensor(f.bytes)
			outputs = append(outputs, t)
			return err
		case f.number == 6:
			if raws < len(outputs) { // they come after the outputs, in their order
				outputs[raws].data = f.bytes
			}
			raws++
		}
		return nil
	})
	if err != nil {
		return err
	}
	if raws > 0 && raws != len(outputs) {
		return fmt.Errorf("%w: it has %d outputs and the bytes of %d", ErrReply, len(outputs), raws)
	}
	a.start(len(want))
	for _, t := range outputs {
		if k := indexOf(want, t.name); k >= 0 {
			if err := a.put(k, t.name, t.datatype, t.shape, t.data); err != nil {
				return err
			}
		}
	}
	return a.complete(want)
}
