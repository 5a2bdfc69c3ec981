package inferencetest

import "github.com/segedge/segedge/inference"

// Model writes an ONNX file with these inputs and outputs. Output i is input i unchanged; outputs beyond the inputs are the
// last input. So the file has any contract, and runs where the types of the pairs agree.
func Model(inputs, outputs []inference.Port) []byte {
	var graph message
	for i, o := range outputs {
		var node message
		node.text(1, inputs[min(i, len(inputs)-1)].Name)
		node.text(2, o.Name)
		node.text(4, "Identity")
		graph.message(1, node)
	}
	graph.text(2, "model")
	for _, p := range inputs {
		graph.message(11, valueInfo(p))
	}
	for _, p := range outputs {
		graph.message(12, valueInfo(p))
	}
	var opset, model message
	opset.varint(2, 17)
	model.varint(1, 8)
	model.text(2, "inferencetest")
	model.message(7, graph)
	model.message(8, opset)
	return model
}

var elementTypes = map[string]uint64{"float32": 1, "uint8": 2, "int32": 6, "int64": 7, "bool": 9, "float16": 10, "float64": 11}

func valueInfo(p inference.Port) message {
	var shape, tensor, typ, info message
	for _, d := range p.Shape {
		var dim message
		if d >= 0 {
			dim.varint(1, uint64(d))
		} else {
			dim.text(2, "any")
		}
		shape.message(1, dim)
	}
	tensor.varint(1, elementTypes[p.Type])
	if p.Shape != nil {
		tensor.message(2, shape)
	}
	typ.message(1, tensor)
	info.text(1, p.Name)
	info.message(2, typ)
	return info
}

// message is a protocol-buffer message under construction.
type message []byte

func (m *message) number(v uint64) {
	for ; v >= 0x80; v >>= 7 {
		*m = append(*m, byte(v)|0x80)
	}
	*m = append(*m, byte(v))
}

func (m *message) varint(field, v uint64) { m.number(field << 3); m.number(v) }

func (m *message) text(field uint64, s string) { m.message(field, message(s)) }

func (m *message) message(field uint64, b message) {
	m.number(field<<3 | 2)
	m.number(uint64(len(b)))
	*m = append(*m, b...)
}
