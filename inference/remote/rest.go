package remote

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"unicode"

	"github.com/segedge/segedge/inference"
)

// rest speaks HTTP with binary tensors.
type rest struct{ *link }

// maxHead bounds the JSON of a reply, which is without the tensors.
const maxHead = 1 << 20

// headLength is the header with the length of the JSON before the tensors.
const headLength = "Inference-Header-Content-Length"

type restTensor struct {
	Name       string         `json:"name"`
	Datatype   string         `json:"datatype,omitempty"`
	Shape      []int64        `json:"shape,omitempty"`
	Parameters restParameters `json:"parameters"`
	Data       []float64      `json:"data,omitempty"` // of a server that answers in JSON all the same
}

type restParameters struct {
	Size   *int `json:"binary_data_size,omitempty"`
	Binary bool `json:"binary_data,omitempty"`
}

type restRequest struct {
	Inputs  []restTensor `json:"inputs"`
	Outputs []restTensor `json:"outputs"`
}

type restReply struct {
	Inputs  []restTensor `json:"inputs"` // of metadata
	Outputs []restTensor `json:"outputs"`
	Error   string       `json:"error"`
}

func (r *rest) path(m Model, rest string) string {
	p := "/v2/models/" + url.PathEscape(m.Name)
	if m.Version != "" {
		p += "/versions/" + url.PathEscape(m.Version)
	}
	return p + rest
}

func (r *rest) ready(ctx context.Context, m Model) error {
	var a answer
	res, err := r.send(ctx, http.MethodGet, r.path(m, "/ready"), http.Header{}, nil, &a)
	if err != nil {
		return err
	}
	return refused(res, a.raw)
}

func (r *rest) describe(ctx context.Context, m Model) (inputs, outputs []inference.Port, err error) {
	var a answer
	res, err := r.send(ctx, http.MethodGet, r.path(m, ""), http.Header{}, nil, &a)
	if err != nil {
		return nil, nil, err
	}
	if err := refused(res, a.raw); err != nil {
		return nil, nil, err
	}
	var reply restReply
	if err := json.Unmarshal(a.raw, &reply); err != nil {
		return nil, nil, fmt.Errorf("%w: its metadata: %w", ErrReply, err)
	}
	return restPorts(reply.Inputs), restPorts(reply.Outputs), nil
}

func restPorts(ts []restTensor) (out []inference.Port) {
	for _, t := range ts {
		out = append(out, inference.Port{Name: t.Name, Type: typeOf(t.Datatype), Shape: t.Shape})
	}
	return out
}

func (r *rest) infer(ctx context.Context, m Model, q *question, a *answer) error {
	b := r.take()
	defer b.letGo()
	head, err := b.write(q)
	if err != nil {
		return err
	}
	header := http.Header{"Content-Type": {"application/octet-stream"}, headLength: {strconv.Itoa(head)}}
	res, err := r.send(ctx, http.MethodPost, r.path(m, "/infer"), header, b, a)
	if err != nil {
		return err
	}
	if err := refused(res, a.raw); err != nil {
		return err
	}
	return a.parseREST(res.Header.Get(headLength), q.outputs)
}

// write writes the request: JSON, then the tensors in its order.
func (b *body) write(q *question) (head int, err error) {
	var req restRequest
	for i := range q.inputs {
		n := q.sizeRaw(i)
		req.Inputs = append(req.Inputs, restTensor{
			Name: q.inputs[i].Name, Datatype: q.types[i], Shape: q.inputs[i].Shape, Parameters: restParameters{Size: &n},
		})
	}
	for _, name := range q.outputs {
		req.Outputs = append(req.Outputs, restTensor{Name: name, Parameters: restParameters{Binary: true}})
	}
	text, err := json.Marshal(req)
	if err != nil {
		return 0, err
	}
	b.data = append(b.data, text...)
	for i := range q.inputs {
		b.data = q.appendRaw(b.data, i)
	}
	return len(text), nil
}

// parseREST takes the outputs out of the reply, in the order wanted.
func (a *answer) parseREST(length string, want []string) error {
	head := len(a.raw)
	if length != "" {
		n, err := strconv.Atoi(length)
		if err != nil || n < 0 || n > len(a.raw) {
			return fmt.Errorf("%w: %s is %q in a reply of %d bytes", ErrReply, headLength, length, len(a.raw))
		}
		head = n
	}
	if length != "" && head > maxHead {
		return fmt.Errorf("%w: its JSON has %d bytes, and %d are the most", ErrReply, head, maxHead)
	}
	var reply restReply
	if err := json.Unmarshal(a.raw[:head], &reply); err != nil {
		return fmt.Errorf("%w: its JSON: %w", ErrReply, err)
	}
	a.start(len(want))
	rest := a.raw[head:]
	for i := range reply.Outputs {
		t := &reply.Outputs[i]
		data, err := t.take(&rest)
		if err != nil {
			return err
		}
		if k := indexOf(want, t.Name); k >= 0 {
			if err := a.put(k, t.Name, t.Datatype, t.Shape, data); err != nil {
				return err
			}
		}
	}
	return a.complete(want)
}

// take is the tensor's part of the binary data, or its JSON numbers in that form.
func (t *restTensor) take(rest *[]byte) ([]byte, error) {
	if t.Parameters.Size == nil {
		var data []byte
		for _, v := range t.Data {
			data = binary.LittleEndian.AppendUint32(data, math.Float32bits(float32(v)))
		}
		return data, nil
	}
	n := *t.Parameters.Size
	if n < 0 || n > len(*rest) {
		return nil, fmt.Errorf("%w: output %q has %d bytes, of %d that are left", ErrReply, t.Name, n, len(*rest))
	}
	data := (*rest)[:n]
	*rest = (*rest)[n:]
	return data, nil
}

// complete reports an output that did not come.
func (a *answer) complete(want []string) error {
	for i, name := range want {
		if a.tensors[i].Name == "" {
			return fmt.Errorf("%w: it lacks the output %q", ErrReply, name)
		}
	}
	return nil
}

// refused is a reply that is no answer, in a sentence.
func refused(res *http.Response, raw []byte) error {
	if res.StatusCode == http.StatusOK {
		return nil
	}
	err := fmt.Errorf("the server answers %s%s", res.Status, said(raw))
	switch res.StatusCode {
	case http.StatusUnauthorized, http.StatusForbidden:
		return fmt.Errorf("%w: look at model.remote.token_file", err)
	case http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity:
		return fmt.Errorf("%w: a server that takes no binary tensors over HTTP may take them at its grpc:// address", err)
	case http.StatusTooManyRequests:
		return &passing{err}
	}
	if res.StatusCode >= 500 {
		return &passing{err}
	}
	return err
}

// said is what a server says of an error, in one short line.
func said(raw []byte) string {
	var reply restReply
	text := string(bytes.ToValidUTF8(raw[:min(len(raw), 4096)], nil))
	if json.Unmarshal(raw, &reply) == nil && reply.Error != "" {
		text = reply.Error
	}
	text = strings.Join(strings.FieldsFunc(text, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }), " ")
	if len(text) > 200 {
		text = strings.ToValidUTF8(text[:200], "") + "…"
	}
	if text == "" {
		return ""
	}
	return ": " + text
}

func indexOf(names []string, name string) int {
	for i, n := range names {
		if n == name {
			return i
		}
	}
	return -1
}
