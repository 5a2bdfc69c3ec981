// Package remotetest is a small inference server of the Open Inference Protocol, HTTP with binary tensors and gRPC on one address, for
// tests and for the benchmark: it serves any inference.Graph, and may be told to misbehave. It is not meant for networks: it limits,
// queues and batches nothing.
package remotetest

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/segedge/segedge/inference"
)

// Server serves graphs by name.
type Server struct {
	Graphs map[string]inference.Graph
	// Fault, where it is set, may answer a request in the server's place, and says whether it did.
	Fault func(w http.ResponseWriter, r *http.Request) bool
	// Tamper, where it is set, may change what a graph has answered. The tensors are copies.
	Tamper func(outputs []inference.Tensor) []inference.Tensor
	// Token is asked of every request; empty asks none.
	Token string

	mu     sync.Mutex
	server *http.Server
	ended  chan struct{}
}

// Listen serves on an address until Close, and gives the one taken.
func (s *Server) Listen(addr string) (net.Addr, error) {
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", addr)
	if err != nil {
		return nil, err
	}
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	server, ended := &http.Server{Handler: s, Protocols: &protocols, ReadHeaderTimeout: 10 * time.Second}, make(chan struct{})
	s.mu.Lock()
	s.server, s.ended = server, ended
	s.mu.Unlock()
	go func() { _ = server.Serve(l); close(ended) }()
	return l.Addr(), nil
}

// Close ends Listen and cuts the connections.
func (s *Server) Close() error {
	s.mu.Lock()
	server, ended := s.server, s.ended
	s.mu.Unlock()
	if server == nil {
		return nil
	}
	err := server.Close()
	<-ended
	return err
}

// Address is the server's in a protocol's scheme, http or grpc.
func Address(scheme string, addr net.Addr) string { return scheme + "://" + addr.String() }

// ServeHTTP answers both protocols.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.Fault != nil && s.Fault(w, r) {
		return
	}
	rpc := r.Header.Get("Content-Type") == "application/grpc"
	if s.Token != "" && r.Header.Get("Authorization") != "Bearer "+s.Token {
		fail(w, rpc, http.StatusUnauthorized, 16, "no token that is known")
		return
	}
	if rpc {
		s.rpc(w, r)
	} else {
		s.rest(w, r)
	}
}

// fail answers with an error in the protocol's words.
func fail(w http.ResponseWriter, rpc bool, status, code int, text string) {
	if rpc {
		w.Header().Set("Content-Type", "application/grpc")
		w.Header().Set("Grpc-Status", strconv.Itoa(code))
		w.Header().Set("Grpc-Message", text)
		w.WriteHeader(http.StatusOK)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"error": text})
}

// run computes a graph and copies what it gives.
func (s *Server) run(ctx context.Context, g inference.Graph, inputs []inference.Tensor) ([]inference.Tensor, error) {
	outputs, release, err := g.Run(ctx, inputs)
	if err != nil {
		return nil, err
	}
	defer release()
	copied := make([]inference.Tensor, len(outputs))
	for i, t := range outputs {
		copied[i] = t
		copied[i].Float32 = append([]float32(nil), t.Float32...)
		copied[i].Shape = append([]int64(nil), t.Shape...)
	}
	if s.Tamper != nil {
		copied = s.Tamper(copied)
	}
	return copied, nil
}

// tensor is one as JSON describes it.
type tensor struct {
	Name       string         `json:"name"`
	Datatype   string         `json:"datatype,omitempty"`
	Shape      []int64        `json:"shape,omitempty"`
	Parameters map[string]any `json:"parameters,omitempty"`
}

func ports(ps []inference.Port) []tensor {
	out := []tensor{}
	for _, p := range ps {
		out = append(out, tensor{Name: p.Name, Datatype: datatype(p.Type), Shape: p.Shape})
	}
	return out
}

// rest answers GET v2/models/NAME[/ready] and POST v2/models/NAME/infer.
func (s *Server) rest(w http.ResponseWriter, r *http.Request) {
	name, what, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/v2/models/"), "/")
	g := s.Graphs[name]
	switch {
	case g == nil:
		fail(w, false, http.StatusNotFound, 0, fmt.Sprintf("model %q is not found", name))
	case what == "":
		_ = json.NewEncoder(w).Encode(map[string]any{"name": name, "inputs": ports(g.Inputs()), "outputs": ports(g.Outputs())})
	case what == "infer":
		s.restInfer(w, r, g)
	}
}

func (s *Server) restInfer(w http.ResponseWriter, r *http.Request, g inference.Graph) {
	data, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	head, err := strconv.Atoi(r.Header.Get("Inference-Header-Content-Length"))
	var q struct{ Inputs, Outputs []tensor }
	if err != nil || head > len(data) || json.Unmarshal(data[:head], &q) != nil {
		fail(w, false, http.StatusBadRequest, 0, "no request of binary tensors")
		return
	}
	data = data[head:]
	var inputs []inference.Tensor
	for _, t := range q.Inputs {
		n, _ := t.Parameters["binary_data_size"].(float64)
		if int(n) > len(data) {
			fail(w, false, http.StatusBadRequest, 0, "binary_data_size is too large")
			return
		}
		inputs = append(inputs, decode(t, data[:int(n)]))
		data = data[int(n):]
	}
	outputs, err := s.run(r.Context(), g, inputs)
	if err != nil {
		fail(w, false, http.StatusBadRequest, 0, err.Error())
		return
	}
	var reply struct {
		Outputs []tensor `json:"outputs"`
	}
	var raw []byte
	for i := range outputs {
		from := len(raw)
		raw = encode(raw, &outputs[i])
		reply.Outputs = append(reply.Outputs, tensor{
			outputs[i].Name, datatype(outputs[i].Type()), outputs[i].Shape, map[string]any{"binary_data_size": len(raw) - from},
		})
	}
	text, _ := json.Marshal(reply)
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Inference-Header-Content-Length", strconv.Itoa(len(text)))
	_, _ = w.Write(append(text, raw...))
}

// datatypes are the protocol's names of ours.
var datatypes = map[string]string{"float32": "FP32", "int64": "INT64", "int32": "INT32", "uint8": "UINT8", "bytes": "BYTES"}

func datatype(t string) string { return datatypes[t] }

// decode is a tensor out of its bytes.
func decode(t tensor, data []byte) inference.Tensor {
	out := inference.Tensor{Name: t.Name, Shape: t.Shape}
	switch t.Datatype {
	case "FP32":
		out.Float32 = make([]float32, len(data)/4)
		for i := range out.Float32 {
			out.Float32[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
		}
	case "INT32":
		out.Int32 = make([]int32, len(data)/4)
		for i := range out.Int32 {
			out.Int32[i] = int32(binary.LittleEndian.Uint32(data[4*i:]))
		}
	case "INT64":
		out.Int64 = make([]int64, len(data)/8)
		for i := range out.Int64 {
			out.Int64[i] = int64(binary.LittleEndian.Uint64(data[8*i:]))
		}
	case "BYTES":
		out.Uint8 = data[min(4, len(data)):]
	default:
		out.Uint8 = data
	}
	return out
}

// encode appends a tensor's bytes.
func encode(to []byte, t *inference.Tensor) []byte {
	for _, v := range t.Float32 {
		to = binary.LittleEndian.AppendUint32(to, math.Float32bits(v))
	}
	for _, v := range t.Int64 {
		to = binary.LittleEndian.AppendUint64(to, uint64(v))
	}
	for _, v := range t.Int32 {
		to = binary.LittleEndian.AppendUint32(to, uint32(v))
	}
	return append(to, t.Uint8...)
}
