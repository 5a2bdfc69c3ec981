package provider

import (
	"fmt"
	"strconv"

	"github.com/segedge/segedge/inference"
)

// steps are the providers to try, best first, the CPU last.
func (m *Model) steps(r *inference.Recognised) ([]step, error) {
	cpu := step{provider: inference.Provider{Name: inference.CPU}}
	cuda := step{provider: inference.Provider{Name: inference.CUDA, Options: m.cudaOptions()}}
	switch m.opts.Prefer {
	case inference.CPU:
		return []step{cpu}, nil
	case inference.CUDA:
		return []step{cuda, cpu}, nil
	case "", Auto, inference.TensorRT:
	default:
		return nil, fmt.Errorf("unknown execution provider %q: need auto, tensorrt, cuda or cpu", m.opts.Prefer)
	}
	if m.opts.Cache == "" {
		m.refuse(inference.TensorRT, fmt.Errorf("no folder to keep its engines in is configured"))
		return []step{cuda, cpu}, nil
	}
	trt, err := m.tensorRT(r)
	if err != nil {
		return nil, err
	}
	return []step{trt, cuda, cpu}, nil
}

func (m *Model) cudaOptions() map[string]string {
	return map[string]string{
		"device_id":              strconv.Itoa(m.opts.Device),
		"cudnn_conv_algo_search": "HEURISTIC", // the exhaustive search stalls the first frame of every new size
	}
}

// tensorRT is the step for TensorRT with its engine's folder and fixed profiles.
func (m *Model) tensorRT(r *inference.Recognised) (step, error) {
	half := m.opts.Half && r.Family.Half
	o := map[string]string{
		"device_id":                      strconv.Itoa(m.opts.Device),
		"trt_fp16_enable":                flag(half),
		"trt_engine_cache_enable":        "1",
		"trt_timing_cache_enable":        "1",
		"trt_max_workspace_size":         strconv.Itoa(1 << 30),
		"trt_builder_optimization_level": "3",
	}
	if half {
		o["trt_layer_norm_fp32_fallback"] = "1"
	}
	shapes, err := r.Profiles(m.opts.Model.MaxBatch)
	if err != nil {
		return step{}, err
	}
	if shapes.Min != "" {
		o["trt_profile_min_shapes"], o["trt_profile_opt_shapes"], o["trt_profile_max_shapes"] = shapes.Min, shapes.Opt, shapes.Max
	}
	e, err := m.newEngine(o)
	if err != nil {
		return step{}, err
	}
	o["trt_engine_cache_path"], o["trt_timing_cache_path"] = e.dir, e.dir
	return step{provider: inference.Provider{Name: inference.TensorRT, Options: o, Fallback: m.cudaOptions()}, engine: e}, nil
}

func flag(on bool) string {
	if on {
		return "1"
	}
	return "0"
}
