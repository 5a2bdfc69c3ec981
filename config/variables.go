package config

import (
	"regexp"
	"slices"
)

// variable is an environment variable that begins like a setting's and is none, and what it is for.
type variable struct{ name, use string }

// variables are those that the program and its tests read, without their prefix. What begins with TEST_ is a test's too.
var variables = []variable{
	{"ORT_LIB", "ONNX Runtime's library"},
	{"TENSORRT_FP32", "TensorRT's engines in full precision, as scripts/gpu-report.sh measures them"},
	{"CAPTURE_WORKER", "what the process reads that opens one source for the agent"},
	{"SHARED", "tests: the folder of the test material"},
	{"CHROMIUM", "tests: a browser"},
	{"NGINX", "tests: a proxy before the page"},
	{"UPSTREAM", "tests: what upstream's code answered"},
	{"KSERVE_PYTHON", "tests: a Python that has KServe"},
	{"MLSERVER_PYTHON", "tests: a Python that has MLServer"},
	{"DATA_CASCADES", "tests: OpenCV's cascades for faces"},
	{"MEASURE", "tests: print what thresholds of scenes lie between"},
	{"SCENES", "tests: how many scenes, or a folder of them"},
	{"SHOTS", "tests: a folder for pictures of the page"},
	{"PAGE_FILM", "tests: a film that the page shows"},
	{"SMOKE_REQUIRED", "tests: training's may not be left out"},
}

// ofOthers are variables that tests are told by, and those that Docker and Kubernetes set for a service that is called segedge.
var ofOthers = regexp.MustCompile(`^(TEST_\w+|NAME|SERVICE_\w+|PORT(_\w+)?)$`)

// noSetting is true of a variable, named without its prefix, that is known and no setting.
func noSetting(name string) bool {
	return ofOthers.MatchString(name) || slices.ContainsFunc(variables, func(v variable) bool { return v.name == name })
}
