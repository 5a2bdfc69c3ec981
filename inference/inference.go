// Package inference turns a frame into an embedding, once, and an embedding and prompts into masks, many times: the
// contract of a promptable segmentation model, the families of published models as data, and the pure pre- and
// post-processing around their graphs. It runs no graph itself: inference/onnx does, behind Graph.
package inference

import (
	"context"
	"time"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/seg"
)

// Segmenter is a loaded model. Safe for concurrent use.
type Segmenter interface {
	// Embed runs the image encoder. It reads f only during the call. The embedding is the caller's to close.
	Embed(ctx context.Context, f *frame.Frame) (Embedding, error)
	// Info describes the model.
	Info() Info
	// Close frees the model; embeddings still open keep working until they are closed.
	Close() error
}

// Embedding is what the encoder saw in one frame: a value, not hidden state. Safe for concurrent use; Close is called
// once, and a Decode under way when it is called still finishes.
type Embedding interface {
	// Decode answers all prompts, in one call where the family allows. A prompt of a kind that the family lacks fails
	// with an UnsupportedError naming it; the answer for a prompt may be empty.
	Decode(ctx context.Context, prompts []seg.Prompt) ([]seg.Prediction, error)
	Close() error
}

// Kinds are the kinds of prompt that a family can take.
type Kinds struct {
	Points    bool `json:"points"`
	Negatives bool `json:"negatives"` // negative points
	Box       bool `json:"box"`
	Mask      bool `json:"mask"` // a mask prompt, used to carry an object from keyframe to keyframe
	Text      bool `json:"text"`
}

// Info describes a loaded model.
type Info struct {
	Name     string // of the model: "segedge-tiny"
	Family   string // of its contract: "segedge", "sam", …
	Provider string // "cpu", "cuda", "tensorrt"
	Why      string // why this provider and not a better one
	Building string // a better provider that is made ready in the background, "tensorrt"; empty where none is
	Since    time.Time
	Away     string // a model elsewhere that ought to serve in this one's place, since when it does not, and why; empty where there is none
	// LoadTime and LoadMemory are how long it took to load it and about what the process grew by, in bytes; 0 where nobody measured.
	LoadTime   time.Duration
	LoadMemory int64
	Kinds      Kinds
	Batched    bool // one call decodes several prompts
	// MaxPoints of one prompt, of which a box, or what stands for none, counts two; 0 is no limit but the vocabulary's.
	MaxPoints int
	// Logits is the grid on which a mask prompt is taken best, for a frame of the given aspect.
	Logits func(width, height int) (w, h int, extent seg.Point)
	// Input is the size to which a frame of width × height is best reduced before Embed: the size at which the model
	// sees the picture, never more than the frame's own.
	Input func(width, height int) (w, h int)
}

// Identity tells models apart whose embeddings have nothing in common.
func (i *Info) Identity() string { return i.Family + "/" + i.Name }

// UnsupportedError is a prompt that the family cannot take.
type UnsupportedError struct {
	Family string
	Kind   string // "negative points", "mask prompts", …
}

func (e *UnsupportedError) Error() string {
	return "a model of the " + e.Family + " family takes no " + e.Kind
}

// Tensor is a dense array in row-major order. Exactly one of the data slices is set.
type Tensor struct {
	Name    string
	Shape   []int64
	Float32 []float32
	Int64   []int64
	Int32   []int32
	Uint8   []uint8
	Bool    []bool
}

// Port describes one input or output of a graph. A dimension that is not fixed is -1.
type Port struct {
	Name  string
	Type  string // "float32", "int64", "int32", "uint8", "bool", "float16"
	Shape []int64
}

// Graph is a neural network: named tensors in, named tensors out. Safe for concurrent use.
type Graph interface {
	Inputs() []Port
	Outputs() []Port
	// Run computes the graph. The outputs belong to the caller until release is called; a graph may reuse them then.
	Run(ctx context.Context, inputs []Tensor) (outputs []Tensor, release func(), err error)
	Close() error
}
