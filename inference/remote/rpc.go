package remote

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/segedge/segedge/inference"
)

// rpc speaks gRPC: one message there and one back over HTTP/2 (github.com/grpc/grpc, doc/PROTOCOL-HTTP2.md), which net/http knows. The
// service needs nothing else of it, so no framework is there.
type rpc struct{ *link }

const rpcService = "/inference.GRPCInferenceService/"

// prefix is before each message: whether it is compressed, and its length.
const prefix = 5

// The codes of gRPC that say "try again": resource exhausted, aborted, unavailable.
var passingCodes = map[int]bool{8: true, 10: true, 14: true}

// codeNames are the codes that people meet.
var codeNames = map[int]string{
	3: "invalid argument", 4: "deadline exceeded", 5: "not found", 7: "permission denied", 8: "resource exhausted", 12: "unimplemented",
	13: "internal error", 14: "unavailable", 16: "unauthenticated",
}

func (r *rpc) ready(ctx context.Context, m Model) error {
	var a answer
	b := r.start()
	defer b.letGo()
	b.data = appendText(appendText(b.data, 1, m.Name), 2, m.Version)
	message, err := r.unary(ctx, "ModelReady", b, &a)
	if err != nil {
		return err
	}
	is := false
	if err := fields(message, func(f field) error { is = is || f.number == 1 && f.value == 1; return nil }); err != nil {
		return err
	}
	if !is {
		return &passing{fmt.Errorf("the server says that model %s is not ready", m)}
	}
	return nil
}

func (r *rpc) describe(ctx context.Context, m Model) (inputs, outputs []inference.Port, err error) {
	var a answer
	b := r.start()
	defer b.letGo()
	b.data = appendText(appendText(b.data, 1, m.Name), 2, m.Version)
	message, err := r.unary(ctx, "ModelMetadata", b, &a)
	if err != nil {
		return nil, nil, err
	}
	err = fields(message, func(f field) error {
		if f.number != 4 && f.number != 5 {
			return nil
		}
		t, err := parseTensor(f.bytes)
		p := inference.Port{Name: t.name, Type: typeOf(t.datatype), Shape: t.shape}
		if f.number == 4 {
			inputs = append(inputs, p)
		} else {
			outputs = append(outputs, p)
		}
		return err
	})
	return inputs, outputs, err
}

func (r *rpc) infer(ctx context.Context, m Model, q *question, a *answer) error {
	b := r.start()
	defer b.letGo()
	b.data = appendInfer(b.data, m, q)
	message, err := r.unary(ctx, "ModelInfer", b, a)
	if err != nil {
		return err
	}
	return a.parseInfer(message, q.outputs)
}

// start is a request's memory with room for the prefix.
func (r *rpc) start() *body {
	b := r.take()
	b.data = append(b.data, make([]byte, prefix)...)
	return b
}

// unary calls a method and gives the reply's message, which is in a's memory.
func (r *rpc) unary(ctx context.Context, method string, b *body, a *answer) ([]byte, error) {
	binary.BigEndian.PutUint32(b.data[1:prefix], uint32(len(b.data)-prefix))
	header := http.Header{"Content-Type": {"application/grpc"}, "Te": {"trailers"}}
	if until, ok := ctx.Deadline(); ok {
		header.Set("Grpc-Timeout", strconv.FormatInt(max(1, time.Until(until).Milliseconds()), 10)+"m")
	}
	res, err := r.send(ctx, http.MethodPost, rpcService+method, header, b, a)
	if err != nil {
		return nil, err
	}
	if res.StatusCode != http.StatusOK {
		return nil, refused(res, a.raw)
	}
	if err := rpcStatus(res); err != nil {
		return nil, err
	}
	if len(a.raw) < prefix {
		return nil, fmt.Errorf("%w: it has no message", ErrReply)
	}
	if a.raw[0] != 0 {
		return nil, fmt.Errorf("%w: it is compressed, which was not asked for", ErrReply)
	}
	if n := binary.BigEndian.Uint32(a.raw[1:prefix]); int64(n) != int64(len(a.raw)-prefix) {
		return nil, fmt.Errorf("%w: its message of %d bytes comes in %d", ErrReply, n, len(a.raw)-prefix)
	}
	return a.raw[prefix:], nil
}

// rpcStatus is the error that the trailers tell, or the headers, where there is nothing else.
func rpcStatus(res *http.Response) error {
	status, text := res.Trailer.Get("Grpc-Status"), res.Trailer.Get("Grpc-Message")
	if status == "" {
		status, text = res.Header.Get("Grpc-Status"), res.Header.Get("Grpc-Message")
	}
	code, err := strconv.Atoi(status)
	if err != nil {
		return &passing{fmt.Errorf("%w: it has no gRPC status: is this a gRPC address?", ErrReply)}
	}
	if code == 0 {
		return nil
	}
	if plain, err := url.PathUnescape(text); err == nil {
		text = plain
	}
	name := codeNames[code]
	if name == "" {
		name = "code " + status
	}
	err = errors.New("the server answers " + name + said([]byte(text)))
	switch {
	case code == 16 || code == 7:
		err = fmt.Errorf("%w: look at model.remote.token_file", err)
	case passingCodes[code]:
		err = &passing{err}
	}
	return err
}
