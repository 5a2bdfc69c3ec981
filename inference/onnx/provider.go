package onnx

import (
	"fmt"

	ort "github.com/yalue/onnxruntime_go"

	"github.com/segedge/segedge/inference"
)

// Factory makes graphs with these options, but for the provider and the outputs.
func (r *Runtime) Factory(o SessionOptions) inference.Factory { return factory{r, o} }

type factory struct {
	rt *Runtime
	o  SessionOptions
}

func (f factory) Probe(p inference.Provider) error {
	o := f.o
	o.Provider = p
	return f.rt.withSignals(p, func() error {
		so, err := sessionOptions(o)
		if err != nil {
			return err
		}
		return so.Destroy()
	})
}

func (f factory) Load(file inference.File, outputs []string, p inference.Provider) (inference.Graph, error) {
	o := f.o
	o.Provider, o.Outputs = p, outputs
	g, err := f.rt.Load(file, o)
	if err != nil {
		return nil, err
	}
	return g, nil
}

// appendProvider adds the provider to the session's options. This is where a missing driver or provider library
// shows, in a few milliseconds; the options still make a CPU session afterwards.
func appendProvider(so *ort.SessionOptions, p inference.Provider) error {
	switch p.Name {
	case "", inference.CPU:
		if p.Options["optimization"] == "off" {
			return so.SetGraphOptimizationLevel(ort.GraphOptimizationLevelDisableAll)
		}
		return nil
	case inference.CUDA:
		return appendCUDA(so, p.Options)
	case inference.TensorRT:
		if err := appendTensorRT(so, p.Options); err != nil {
			return err
		}
		return appendCUDA(so, p.Fallback)
	}
	return fmt.Errorf("unknown execution provider %q: need cpu, cuda or tensorrt", p.Name)
}

func appendCUDA(so *ort.SessionOptions, options map[string]string) error {
	if err := needGPU(driverLibrary); err != nil {
		return fmt.Errorf("cuda: %w", err)
	}
	o, err := ort.NewCUDAProviderOptions()
	if err != nil {
		return fmt.Errorf("cuda: %w", explain(err))
	}
	defer o.Destroy()
	if err := o.Update(options); err != nil {
		return fmt.Errorf("cuda: %w", explain(err))
	}
	if err := so.AppendExecutionProviderCUDA(o); err != nil {
		return fmt.Errorf("cuda: %w", explain(err))
	}
	return nil
}

func appendTensorRT(so *ort.SessionOptions, options map[string]string) error {
	if err := needGPU(driverLibrary); err != nil {
		return fmt.Errorf("tensorrt: %w", err)
	}
	o, err := ort.NewTensorRTProviderOptions()
	if err != nil {
		return fmt.Errorf("tensorrt: %w", explain(err))
	}
	defer o.Destroy()
	if err := o.Update(options); err != nil {
		return fmt.Errorf("tensorrt: %w", explain(err))
	}
	if err := so.AppendExecutionProviderTensorRT(o); err != nil {
		return fmt.Errorf("tensorrt: %w", explain(err))
	}
	return nil
}
