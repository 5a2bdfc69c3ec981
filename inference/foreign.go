package inference

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// foreign are the forms of models that are no ONNX, by the ending of the name, with what to do.
var foreign = map[string]string{
	".pt":          checkpoint,
	".pth":         checkpoint,
	".ckpt":        checkpoint,
	".bin":         checkpoint,
	".safetensors": "safetensors file: weights without a graph. " + export,
	".engine":      engineAdvice,
	".plan":        engineAdvice,
	".trt":         engineAdvice,
	".tflite":      "TensorFlow Lite model. Export the original to ONNX instead, or convert it (tf2onnx --tflite IN --output OUT.onnx)",
	".pb":          "TensorFlow graph. Convert it (tf2onnx --saved-model DIR --output OUT.onnx)",
	".h5":          "Keras file. Convert it (tf2onnx --keras IN --output OUT.onnx)",
	".keras":       "Keras file. Convert it (tf2onnx)",
	".mlmodel":     coreML,
	".mlpackage":   coreML,
	".xml":         "OpenVINO model or another XML file. " + original,
	".param":       "ncnn model. " + original,
	".gguf":        "GGUF file: weights without a graph. " + export,
	".ort":         "model in ONNX Runtime's own form. " + original,
	".npz":         "archive of arrays: weights without a graph. " + export,
}

const (
	export = "Export it to ONNX with the exporter of its own repository, encoder and decoder " +
		"(docs/models.md has the commands), and give those two files"
	checkpoint   = "PyTorch checkpoint: weights without a graph. " + export
	engineAdvice = "TensorRT engine, which fits one GPU and one version. Give the ONNX files that it was built from: " +
		"segedge builds and keeps its own engines"
	coreML   = "Core ML model. " + original
	original = "Give the ONNX files that it was made from, or export the original to ONNX (docs/models.md)"
)

// magics are the same by their first bytes, from the offset given.
var magics = []struct {
	at    int
	bytes string
	form  string
}{
	{0, "PK\x03\x04", "zip archive, as PyTorch's checkpoints are: weights without a graph. " + export},
	{0, "\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19", checkpoint},
	{0, "\x80\x02}", checkpoint},
	{0, "ptrt", engineAdvice},
	{0, "ftrt", engineAdvice},
	{4, "TFL3", foreign[".tflite"]},
	{4, "ORTM", foreign[".ort"]},
	{0, "\x89HDF", foreign[".h5"]},
	{0, "GGUF", foreign[".gguf"]},
	{8, "{\"", foreign[".safetensors"]},
	{0, "version https://git-lfs", "Git LFS pointer: fetch the file itself (git lfs pull)"},
	{0, "<!DOCTYPE", "web page: fetch the file itself"},
	{0, "<!doctype", "web page: fetch the file itself"},
	{0, "<html", "web page: fetch the file itself"},
	{0, "\x1f\x8b", "gzip archive: unpack it first"},
}

// Foreign says of a file that is no ONNX model, but of a form that people have models in, what it is and what to do; nil of any other. The
// content decides, and where that is not known, the name.
func Foreign(path string) error {
	form := ""
	if head, err := headOf(path); err == nil {
		for _, m := range magics {
			if len(head) >= m.at && bytes.HasPrefix(head[m.at:], []byte(m.bytes)) {
				form = m.form
				break
			}
		}
	}
	if form == "" {
		form = foreign[strings.ToLower(filepath.Ext(path))]
	}
	if form == "" {
		return nil
	}
	article := "a "
	if strings.ContainsAny(form[:1], "Oa") {
		article = "an "
	}
	return fmt.Errorf("%w: %s is %s%s", ErrNotONNX, filepath.Base(path), article, form)
}

func headOf(path string) ([]byte, error) {
	st, err := os.Stat(path)
	if err != nil || !st.Mode().IsRegular() {
		return nil, err
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }() // it was only read
	head := make([]byte, 64)
	n, err := file.Read(head)
	return head[:n], err
}
