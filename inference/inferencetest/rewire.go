package inferencetest

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Op is a node of one input and one output, with constants behind the input.
type Op struct {
	Type    string
	Numbers []float32 // one for all, or one for each channel of [1,3,H,W]; nil is none
	Indices [][]int64 // further constants
	Axis    int64     // of Gather
	Perm    []int64   // of Transpose
}

// Before puts nodes behind an input of an ONNX file: the graph gets what they make of it.
func Before(file []byte, input string, ops ...Op) []byte {
	return rewire(file, func(graph message) message {
		return append(chain(input, input+"_changed", ops), renamed(graph, input, input+"_changed")...)
	})
}

// After puts nodes before an output of an ONNX file: what it gives is what they make of it.
func After(file []byte, output string, ops ...Op) []byte {
	return rewire(file, func(graph message) message {
		return append(renamed(graph, output, output+"_as_it_was"), chain(output+"_as_it_was", output, ops)...)
	})
}

// rewire changes the graph of a file (onnx.proto3: graph 7).
func rewire(file []byte, change func(graph message) message) []byte {
	var out message
	fields(file, func(field uint64, body, whole []byte) {
		if field == 7 {
			out.message(7, change(body))
		} else {
			out = append(out, whole...)
		}
	})
	return out
}

// renamed is a graph whose nodes call a value otherwise (node 1; of a node: input 1, output 2).
func renamed(graph []byte, from, to string) (out message) {
	fields(graph, func(field uint64, body, whole []byte) {
		if field != 1 {
			out = append(out, whole...)
			return
		}
		var node message
		fields(body, func(field uint64, body, whole []byte) {
			if (field == 1 || field == 2) && string(body) == from {
				node.text(field, to)
			} else {
				node = append(node, whole...)
			}
		})
		out.message(1, node)
	})
	return out
}

// chain are the nodes that lead from one value to another, and their constants.
func chain(from, to string, ops []Op) (out message) {
	for i, op := range ops {
		next := to
		if i < len(ops)-1 {
			next = fmt.Sprintf("%s_%d", to, i)
		}
		var node message
		node.text(1, from)
		constants := 0
		constant := func(kind uint64, dims []int, raw []byte) {
			name := fmt.Sprintf("%s_constant_%d", next, constants)
			constants++
			node.text(1, name)
			var t message
			for _, d := range dims {
				t.varint(1, uint64(d))
			}
			t.varint(2, kind)
			t.text(8, name)
			t.message(9, raw)
			out.message(5, t)
		}
		if op.Numbers != nil {
			var raw []byte
			for _, v := range op.Numbers {
				raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
			}
			dims := []int{1, len(op.Numbers), 1, 1}
			if len(op.Numbers) == 1 {
				dims = nil
			}
			constant(elementTypes["float32"], dims, raw)
		}
		for _, list := range op.Indices {
			var raw []byte
			for _, v := range list {
				raw = binary.LittleEndian.AppendUint64(raw, uint64(v))
			}
			constant(elementTypes["int64"], []int{len(list)}, raw)
		}
		node.text(2, next)
		node.text(4, op.Type)
		if op.Type == "Gather" {
			var a message
			a.text(1, "axis")
			a.varint(3, uint64(op.Axis))
			a.varint(20, 2)
			node.message(5, a)
		}
		if op.Perm != nil {
			var a message
			a.text(1, "perm")
			for _, v := range op.Perm {
				a.varint(8, uint64(v))
			}
			a.varint(20, 7)
			node.message(5, a)
		}
		out.message(1, node)
		from = next
	}
	return out
}

// fields calls each for the fields of a message: its number, its content where it has a length, and the field as it stands.
func fields(b []byte, each func(field uint64, body, whole []byte)) {
	for len(b) > 0 {
		key, head := binary.Uvarint(b)
		v, n := binary.Uvarint(b[head:])
		size, body := head+n, []byte(nil)
		switch key & 7 {
		case 1:
			size = head + 8
		case 2:
			size += int(v)
			body = b[head+n : size]
		case 5:
			size = head + 4
		}
		each(key>>3, body, b[:size])
		b = b[size:]
	}
}
