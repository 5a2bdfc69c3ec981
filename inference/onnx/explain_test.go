package onnx

import (
	"errors"
	"testing"
)

func TestExplain(t *testing.T) {
	const place = "/onnxruntime_src/onnxruntime/core/session/provider_bridge_ort.cc:1952 onnxruntime::Provider& onnxruntime::ProviderLibrary::Get() [ONNXRuntimeError] : 1 : FAIL : "
	for in, want := range map[string]string{
		place + "Failed to load library /l/libonnxruntime_providers_shared.so with error: /l/libonnxruntime_providers_shared.so: cannot open shared object file: No such file or directory": "it needs libonnxruntime_providers_shared.so, which is not installed",
		place + "Failed to load library /l/libonnxruntime_providers_cuda.so with error: libcublasLt.so.13: cannot open shared object file: No such file or directory":                       "it needs libcublasLt.so.13, which is not installed",
		place + "CUDA failure 100: no CUDA-capable device is detected": "CUDA failure 100: no CUDA-capable device is detected",
		`provider_options_utils.h:187 Parse Failed to parse provider option "device_id": CUDA failure 35: CUDA driver version is insufficient for CUDA runtime version ; GPU=-1 ; hostname=box ; file=/onnxruntime_src/onnxruntime/core/providers/cuda/cuda_execution_provider_info.cc ; line=67 ; expr=cudaGetDeviceCount(&num_devices);`: "CUDA failure 35: CUDA driver version is insufficient for CUDA runtime version",
		"plain": "plain",
	} {
		if got := explain(errors.New(in)); got.Error() != want {
			t.Errorf("%s\nbecomes %q, want %q", in, got, want)
		}
	}
	if explain(nil) != nil {
		t.Error("no error is no error")
	}
}
