package inference

// The execution providers that a graph can run on.
const (
	CPU      = "cpu"
	CUDA     = "cuda"
	TensorRT = "tensorrt"
)

// Provider is an execution provider with its options, in ONNX Runtime's own words. The zero value is the CPU. With
// TensorRT, CUDA takes the operators that TensorRT lacks, with the options under Fallback.
type Provider struct {
	Name     string
	Options  map[string]string
	Fallback map[string]string // CUDA's options where Name is TensorRT
}

// Unoptimized is the CPU with the graph as the file has it: slow, and what other ways of running it are compared with.
// ONNX Runtime 1.24.3 was seen to optimise a graph into wrong answers (docs/models.md).
func Unoptimized() Provider {
	return Provider{Name: CPU, Options: map[string]string{"optimization": "off"}}
}

// Factory makes graphs on execution providers; inference/onnx has one. Safe for concurrent use.
type Factory interface {
	// Probe reports, in about a millisecond, why the provider cannot be used at all.
	Probe(p Provider) error
	// Load makes a graph that computes the named outputs, all where there are none. With TensorRT this builds an engine,
	// which takes minutes; the end of a context cannot stop it.
	Load(f File, outputs []string, p Provider) (Graph, error)
}
