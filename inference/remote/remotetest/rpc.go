package remotetest

import (
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"path"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/segedge/segedge/inference"
)

// message is a protocol-buffer message under construction.
type message []byte

func (m *message) bytes(field protowire.Number, b []byte) {
	*m = protowire.AppendBytes(protowire.AppendTag(*m, field, protowire.BytesType), b)
}

// described is a tensor's name 1, datatype 2 and shape 3, which here is not packed.
func described(name, datatype string, shape []int64) (m message) {
	m.bytes(1, []byte(name))
	m.bytes(2, []byte(datatype))
	for _, d := range shape {
		m = protowire.AppendVarint(protowire.AppendTag(m, 3, protowire.VarintType), uint64(d))
	}
	return m
}

// walk calls see with the fields that are bytes.
func walk(m []byte, see func(field int, b []byte)) {
	for len(m) > 0 {
		field, kind, n := protowire.ConsumeTag(m)
		if n < 0 {
			return
		}
		m = m[n:]
		if kind == protowire.BytesType {
			b, n := protowire.ConsumeBytes(m)
			if n < 0 {
				return
			}
			see(int(field), b)
			m = m[n:]
			continue
		}
		if n = protowire.ConsumeFieldValue(field, kind, m); n < 0 {
			return
		}
		m = m[n:]
	}
}

// rpc answers ModelReady, ModelMetadata and ModelInfer.
func (s *Server) rpc(w http.ResponseWriter, r *http.Request) {
	data, err := io.ReadAll(r.Body)
	if err != nil || len(data) < 5 {
		return
	}
	name := ""
	walk(data[5:], func(field int, b []byte) {
		if field == 1 {
			name = string(b)
		}
	})
	g := s.Graphs[name]
	if g == nil {
		fail(w, true, 0, 5, fmt.Sprintf("model %q is not found", name))
		return
	}
	var reply message
	switch path.Base(r.URL.Path) {
	case "ModelReady":
		reply = protowire.AppendVarint(protowire.AppendTag(reply, 1, protowire.VarintType), 1)
	case "ModelMetadata":
		reply.bytes(1, []byte(name))
		for _, p := range g.Inputs() {
			reply.bytes(4, described(p.Name, datatype(p.Type), p.Shape))
		}
		for _, p := range g.Outputs() {
			reply.bytes(5, described(p.Name, datatype(p.Type), p.Shape))
		}
	case "ModelInfer":
		outputs, err := s.run(r.Context(), g, asked(data[5:]))
		if err != nil {
			fail(w, true, 0, 3, err.Error())
			return
		}
		reply = answered(name, outputs)
	}
	w.Header().Set("Content-Type", "application/grpc")
	w.Header().Set("Trailer", "Grpc-Status")
	head := make([]byte, 5)
	binary.BigEndian.PutUint32(head[1:], uint32(len(reply)))
	_, _ = w.Write(append(head, reply...))
	w.Header().Set("Grpc-Status", "0")
}

// asked are the inputs of a ModelInferRequest.
func asked(m []byte) []inference.Tensor {
	var heads []tensor
	var raws [][]byte
	walk(m, func(field int, b []byte) {
		switch field {
		case 5:
			var t tensor
			walk(b, func(field int, b []byte) {
				switch field {
				case 1:
					t.Name = string(b)
				case 2:
					t.Datatype = string(b)
				case 3:
					for len(b) > 0 {
						d, n := protowire.ConsumeVarint(b)
						if n < 0 {
							return
						}
						t.Shape, b = append(t.Shape, int64(d)), b[n:]
					}
				}
			})
			heads = append(heads, t)
		case 7:
			raws = append(raws, b)
		}
	})
	var out []inference.Tensor
	for i := range min(len(heads), len(raws)) {
		out = append(out, decode(heads[i], raws[i]))
	}
	return out
}

// answered is a ModelInferResponse.
func answered(name string, outputs []inference.Tensor) (m message) {
	m.bytes(1, []byte(name))
	for i := range outputs {
		m.bytes(5, described(outputs[i].Name, datatype(outputs[i].Type()), outputs[i].Shape))
	}
	for i := range outputs {
		m.bytes(6, encode(nil, &outputs[i]))
	}
	return m
}
