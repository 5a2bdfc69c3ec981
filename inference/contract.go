package inference

import (
	"errors"
	"fmt"
	"io"
	"slices"
)

// Contract is what an ONNX file says about itself: enough to recognise its family without running it.
type Contract struct {
	IR       int64    // version of the file format
	Opset    int64    // of the default operator set
	Producer string   // the program that wrote it
	Nodes    int      // operators of the main graph
	Inputs   []Port   // without the weights that old files list among them
	Outputs  []Port   //
	External []string // files with weights beside this one, sorted
}

// ErrNotONNX is a file that is no ONNX model.
var ErrNotONNX = errors.New("not an ONNX model")

// ErrTruncated is an ONNX file that ends too early.
var ErrTruncated = errors.New("the file is cut off: fetch it again")

// ReadContract reads the contract of the ONNX model of size bytes in r. It reads the structure only and skips the
// weights, so it is quick with files of gigabytes. The format is a protocol buffer (onnx.proto3, ModelProto).
func ReadContract(r io.ReaderAt, size int64) (*Contract, error) {
	if size == 0 {
		return nil, fmt.Errorf("%w: the file is empty", ErrNotONNX)
	}
	c := &Contract{}
	m := &message{r: r, end: size}
	seenGraph := false
	for m.next() {
		switch m.field {
		case 1:
			c.IR = m.varint
		case 2:
			c.Producer = m.text()
		case 7:
			seenGraph = true
			if err := c.readGraph(m.sub()); err != nil {
				return nil, err
			}
		case 8:
			c.readOpset(m.sub())
		}
	}
	if m.err != nil && !seenGraph {
		if c.IR > 0 && errors.Is(m.err, ErrTruncated) {
			return nil, m.err
		}
		return nil, fmt.Errorf("%w: %w", ErrNotONNX, m.err)
	}
	if m.err != nil {
		return nil, m.err
	}
	if !seenGraph || c.Nodes == 0 || len(c.Outputs) == 0 {
		return nil, fmt.Errorf("%w: it has no graph", ErrNotONNX)
	}
	return c, nil
}

func (c *Contract) readOpset(m *message) {
	domain, version := "", int64(0)
	for m.next() {
		switch m.field {
		case 1:
			domain = m.text()
		case 2:
			version = m.varint
		}
	}
	if domain == "" || domain == "ai.onnx" {
		c.Opset = version
	}
}

// readGraph reads a GraphProto.
func (c *Contract) readGraph(m *message) error {
	weights := map[string]bool{}
	for m.next() {
		switch m.field {
		case 1:
			c.Nodes++
		case 5:
			weights[c.readWeight(m.sub())] = true
		case 11:
			c.Inputs = append(c.Inputs, readPort(m.sub()))
		case 12:
			c.Outputs = append(c.Outputs, readPort(m.sub()))
		}
	}
	c.Inputs = slices.DeleteFunc(c.Inputs, func(p Port) bool { return weights[p.Name] })
	slices.Sort(c.External)
	c.External = slices.Compact(c.External)
	return m.err
}

// readWeight reads a TensorProto: its name, and the files that hold its data.
func (c *Contract) readWeight(m *message) (name string) {
	for m.next() {
		switch m.field {
		case 8:
			name = m.text()
		case 13:
			key, value := "", ""
			for e := m.sub(); e.next(); {
				switch e.field {
				case 1:
					key = e.text()
				case 2:
					value = e.text()
				}
			}
			if key == "location" {
				c.External = append(c.External, value)
			}
		}
	}
	return name
}

// readPort reads a ValueInfoProto.
func readPort(m *message) Port {
	var p Port
	for m.next() {
		switch m.field {
		case 1:
			p.Name = m.text()
		case 2: // TypeProto
			for t := m.sub(); t.next(); {
				if t.field == 1 { // Tensor
					p.readTensorType(t.sub())
				}
			}
		}
	}
	return p
}

func (p *Port) readTensorType(m *message) {
	for m.next() {
		switch m.field {
		case 1:
			p.Type = typeName(m.varint)
		case 2: // TensorShapeProto
			p.Shape = []int64{}
			for d := m.sub(); d.next(); {
				if d.field == 1 {
					p.Shape = append(p.Shape, readDimension(d.sub()))
				}
			}
		}
	}
}

func readDimension(m *message) int64 {
	size := int64(-1)
	for m.next() {
		if m.field == 1 && m.varint > 0 {
			size = m.varint
		}
	}
	return size
}

// typeName is the name of a TensorProto.DataType.
func typeName(t int64) string {
	names := map[int64]string{
		1: "float32", 2: "uint8", 3: "int8", 5: "int16", 6: "int32", 7: "int64", 8: "string", 9: "bool",
		10: "float16", 11: "float64", 16: "bfloat16",
	}
	if n, ok := names[t]; ok {
		return n
	}
	return fmt.Sprintf("type %d", t)
}
