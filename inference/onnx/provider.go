package onnx

import (
	"fmt"

	ort "github.com/yalue/onnxruntime_go"
)

// The execution providers that a session can be asked for.
const (
	CPU      = "cpu"
	CUDA     = "cuda"
	TensorRT = "tensorrt"
)

// Provider is an execution provider with its options, in ONNX Runtime's own words. The zero value is the CPU. With
// TensorRT, CUDA takes the operators that TensorRT lacks, with CUDA's options under Fallback.
type Provider struct {
	Name     string
	Options  map[string]string
	Fallback map[string]string // CUDA's options where Name is TensorRT
}

// append adds the provider to the session's options. This is where a missing provider library shows, in under a
// millisecond; the options still make a CPU session afterwards.
func (p Provider) append(so *ort.SessionOptions) error {
	switch p.Name {
	case "", CPU:
		return nil
	case CUDA:
		return appendCUDA(so, p.Options)
	case TensorRT:
		if err := appendTensorRT(so, p.Options); err != nil {
			return err
		}
		return appendCUDA(so, p.Fallback)
	}
	return fmt.Errorf("unknown execution provider %q: need cpu, cuda or tensorrt", p.Name)
}

func appendCUDA(so *ort.SessionOptions, options map[string]string) error {
	o, err := ort.NewCUDAProviderOptions()
	if err != nil {
		return fmt.Errorf("cuda: %w", err)
	}
	defer o.Destroy()
	if err := o.Update(options); err != nil {
		return fmt.Errorf("cuda options: %w", err)
	}
	if err := so.AppendExecutionProviderCUDA(o); err != nil {
		return fmt.Errorf("cuda: %w", err)
	}
	return nil
}

func appendTensorRT(so *ort.SessionOptions, options map[string]string) error {
	o, err := ort.NewTensorRTProviderOptions()
	if err != nil {
		return fmt.Errorf("tensorrt: %w", err)
	}
	defer o.Destroy()
	if err := o.Update(options); err != nil {
		return fmt.Errorf("tensorrt options: %w", err)
	}
	if err := so.AppendExecutionProviderTensorRT(o); err != nil {
		return fmt.Errorf("tensorrt: %w", err)
	}
	return nil
}
