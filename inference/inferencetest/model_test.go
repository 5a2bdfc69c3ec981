package inferencetest

import (
	"bytes"
	"reflect"
	"testing"

	"github.com/segedge/segedge/inference"
)

// TestModelIsReadAsWritten holds the writer of test models against the reader of real ones.
func TestModelIsReadAsWritten(t *testing.T) {
	in := []inference.Port{
		{Name: "image", Type: "float32", Shape: []int64{1, 3, -1, 65536}}, {Name: "size", Type: "int64", Shape: []int64{2}},
		{Name: "number", Type: "uint8", Shape: []int64{}}, {Name: "anything", Type: "bool"},
	}
	out := []inference.Port{
		{Name: "a", Type: "float32", Shape: []int64{1, 3, -1, 65536}}, {Name: "b", Type: "float16", Shape: []int64{-1}}, {Name: "c", Type: "int32"},
		{Name: "d", Type: "bool"}, {Name: "e", Type: "float64"},
	}
	data := Model(in, out)
	c, err := inference.ReadContract(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(c.Inputs, in) || !reflect.DeepEqual(c.Outputs, out) {
		t.Errorf("inputs %+v\nwant   %+v\noutputs %+v\nwant    %+v", c.Inputs, in, c.Outputs, out)
	}
	if c.Nodes != len(out) || c.Opset != 17 || c.Producer != "inferencetest" || c.IR != 8 {
		t.Errorf("%+v", c)
	}
	for n := range data { // a model that is cut off anywhere is an error, never a panic
		if _, err := inference.ReadContract(bytes.NewReader(data[:n]), int64(n)); err == nil && n < len(data)-len("\x42\x02\x10\x11") {
			t.Errorf("cut off after %d bytes of %d: no error", n, len(data))
		}
	}
}

// TestSegmenterDescribesItself holds the test model to what it says of its grid and its end.
func TestSegmenterDescribesItself(t *testing.T) {
	s := New(Options{Side: 64})
	i := s.Info()
	if w, h := i.Input(640, 320); w != 64 || h != 32 {
		t.Errorf("input of 640×320 is %d×%d", w, h)
	}
	if w, h := i.Input(30, 20); w != 30 || h != 20 {
		t.Errorf("a small frame is enlarged to %d×%d", w, h)
	}
	if w, h, extent := i.Logits(320, 640); w != 32 || h != 64 || extent.X != 1 || extent.Y != 1 {
		t.Errorf("logits %d×%d over %v", w, h, extent)
	}
	e, err := s.Embed(t.Context(), twoSquares())
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if _, err := s.Embed(t.Context(), twoSquares()); err == nil {
		t.Error("a closed model encodes")
	}
	if err := e.Close(); err != nil || s.Live() != 0 {
		t.Errorf("%v, %d live", err, s.Live())
	}
	if err := e.Close(); err == nil {
		t.Error("an embedding is closed twice")
	}
}

// TestRewiredModelKeepsItsContract: nodes behind an input and before an output change neither's name nor shape.
func TestRewiredModelKeepsItsContract(t *testing.T) {
	port := func(name string) inference.Port {
		return inference.Port{Name: name, Type: "float32", Shape: []int64{1, 3, 4, 4}}
	}
	plain := Model([]inference.Port{port("in")}, []inference.Port{port("out")})
	data := After(Before(plain, "in", Op{Type: "Neg"}, Op{Type: "Mul", Numbers: []float32{1, 2, 3}}), "out", Op{Type: "Transpose", Perm: []int64{0, 1, 3, 2}})
	c, err := inference.ReadContract(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Inputs) != 1 || !reflect.DeepEqual(c.Inputs[0], port("in")) || !reflect.DeepEqual(c.Outputs, []inference.Port{port("out")}) || c.Nodes != 4 {
		t.Errorf("%+v", c)
	}
}
