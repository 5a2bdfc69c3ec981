package onnx

/*
#cgo LDFLAGS: -ldl
#include <dlfcn.h>
#include <stddef.h>
#include <stdlib.h>

enum { segedge_no_driver = -1 };

// Counts the GPUs that a driver has. Gives the driver's own error, and its text where there is one. The library stays loaded: CUDA is
// about to use it, or it is of no use to anybody.
static int segedge_gpus(const char *library, int *gpus, const char **text) {
	void *driver = dlopen(library, RTLD_NOW);
	if (driver == NULL) return segedge_no_driver;
	int (*init)(unsigned int) = (int (*)(unsigned int))dlsym(driver, "cuInit");
	int (*count)(int *) = (int (*)(int *))dlsym(driver, "cuDeviceGetCount");
	int (*explain)(int, const char **) = (int (*)(int, const char **))dlsym(driver, "cuGetErrorString");
	if (init == NULL || count == NULL) return segedge_no_driver;
	int err = init(0);
	if (err == 0) err = count(gpus);
	if (err != 0 && explain != NULL) explain(err, text);
	return err;
}
*/
import "C"

import (
	"errors"
	"fmt"
	"unsafe"
)

// driverLibrary is the driver's, by the name that CUDA itself looks for.
const driverLibrary = "libcuda.so.1"

// needGPU says what stands between CUDA and a GPU. It is asked before any of the CUDA provider's own code is loaded: that of ONNX Runtime
// 1.22 dereferences a null pointer while it is loaded without a driver, and takes the process with it (microsoft/onnxruntime#24652).
func needGPU(library string) error {
	name := C.CString(library)
	defer C.free(unsafe.Pointer(name))
	var gpus C.int
	var text *C.char
	switch err := C.segedge_gpus(name, &gpus, &text); {
	case err == C.segedge_no_driver:
		return fmt.Errorf("there is no NVIDIA driver here (%s)", library)
	case err != 0 && text != nil:
		return fmt.Errorf("the NVIDIA driver gives no GPU: %s (error %d)", C.GoString(text), err)
	case err != 0:
		return fmt.Errorf("the NVIDIA driver gives no GPU: error %d", err)
	case gpus < 1:
		return errors.New("the NVIDIA driver knows of no GPU")
	}
	return nil
}
