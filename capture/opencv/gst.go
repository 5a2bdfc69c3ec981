package opencv

// #cgo LDFLAGS: -ldl
// #include <stdlib.h>
// #include "gst.h"
import "C"

import (
	"errors"
	"unsafe"

	"github.com/segedge/segedge/capture"
)

// checkPipeline has GStreamer read a pipeline: it says what is wrong with it, where OpenCV 4.6 hangs for ever.
func checkPipeline(pipeline string) error {
	text := C.CString(pipeline)
	defer C.free(unsafe.Pointer(text))
	var reason [512]C.char
	switch C.gst_check(text, &reason[0], C.int(len(reason))) {
	case 1:
		return errors.New(capture.Mask(C.GoString(&reason[0])))
	case 2:
		return errors.New("this OpenCV is built without GStreamer")
	}
	return nil
}
