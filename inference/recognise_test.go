package inference_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/inference/inferencetest"
)

func port(name, typ string, shape ...int64) inference.Port {
	return inference.Port{Name: name, Type: typ, Shape: shape}
}

func modelFile(name string, inputs, outputs []inference.Port) inference.File {
	return inference.File{Name: name, Data: inferencetest.Model(inputs, outputs)}
}

// samPair is Meta's SAM, before a test changes something.
type samPair struct{ encIn, encOut, decIn, decOut []inference.Port }

func newSAM() samPair {
	const f = "float32"
	return samPair{
		encIn:  []inference.Port{port("images", f, 1, 3, 1024, 1024)},
		encOut: []inference.Port{port("image_embeddings", f, 1, 256, 64, 64)},
		decIn: []inference.Port{port("image_embeddings", f, 1, 256, 64, 64), port("point_coords", f, 1, -1, 2), port("point_labels", f, 1, -1),
			port("mask_input", f, 1, 1, 256, 256), port("has_mask_input", f, 1), port("orig_im_size", f, 2)},
		decOut: []inference.Port{port("masks", f, -1, -1, -1, -1), port("iou_predictions", f, -1, -1), port("low_res_masks", f, -1, -1, -1, -1)},
	}
}

func (p samPair) files() []inference.File {
	return []inference.File{modelFile("enc", p.encIn, p.encOut), modelFile("dec", p.decIn, p.decOut)}
}

func TestRecognisesByNamesRanksAndSizes(t *testing.T) {
	for name, c := range map[string]struct {
		change func(p *samPair)
		family string // or
		why    string
	}{
		"as published":                  {func(*samPair) {}, "sam", ""},
		"sizes left open":               {func(p *samPair) { p.encIn[0].Shape = []int64{-1, 3, -1, -1} }, "sam", ""},
		"shapes unknown":                {func(p *samPair) { p.encIn[0].Shape, p.decIn[1].Shape = nil, nil }, "", "fit the families sam, sam-raw: say which"},
		"a smaller square":              {func(p *samPair) { p.encIn[0].Shape = []int64{1, 3, 512, 512} }, "sam", ""},
		"height, width, channels":       {func(p *samPair) { p.encIn[0].Shape = []int64{-1, -1, 3} }, "sam-raw", ""},
		"another name of the embedding": {func(p *samPair) { p.encOut[0].Name = "3142" }, "sam", ""},
		"extra outputs":                 {func(p *samPair) { p.decOut = append(p.decOut, port("areas", "float32", 1)) }, "sam", ""},
		"no size":                       {func(p *samPair) { p.decIn = p.decIn[:5]; p.decOut = p.decOut[1:] }, "nanosam", ""},
		"a batch of pictures no square": {func(p *samPair) { p.encIn[0].Shape = []int64{1, 3, 720, 1280} }, "", "it takes a square picture, not images float32 [1 3 720 1280]"},
		"a picture like a field":        {func(p *samPair) { p.encIn[0].Shape = []int64{1, 3, 1 << 40, 1 << 40} }, "", "a picture of at most 4096 pixels a side, not images"},
		"one channel":                   {func(p *samPair) { p.encIn[0].Shape = []int64{1, 1, 1024, 1024} }, "", "a picture of 3 channels"},
		"bytes":                         {func(p *samPair) { p.encIn[0].Type = "uint8" }, "", "takes the picture as float32, not images uint8"},
		"two pictures":                  {func(p *samPair) { p.encIn = append(p.encIn, port("depth", "float32", 1)) }, "", "its encoder has one input, the picture; this has images float32 [1 3 1024 1024], depth float32 [1]"},
		"another model's decoder":       {func(p *samPair) { p.encOut[0].Shape = []int64{1, 128, 64, 64} }, "", "encoder and decoder are of different models: one gives image_embeddings float32 [1 128 64 64], the other takes"},
		"points in three dimensions":    {func(p *samPair) { p.decIn[1].Shape = []int64{1, -1, 3} }, "", "points in 3 dimensions, the last of size 2, not point_coords"},
		"points in four":                {func(p *samPair) { p.decIn[1].Shape = []int64{1, 1, -1, 2} }, "", "points in 3 dimensions"},
		"another mask prompt":           {func(p *samPair) { p.decIn[3].Shape = []int64{1, 1, 128, 128} }, "", "takes mask prompts of 256×256, not mask_input float32 [1 1 128 128]"},
		"an input nobody knows":         {func(p *samPair) { p.decIn = append(p.decIn, port("mood", "float32", 1)) }, "", `its decoder has no input "mood"`},
		"an output is missing":          {func(p *samPair) { p.decOut = p.decOut[:2] }, "", `its decoder has an output "low_res_masks"`},
	} {
		p := newSAM()
		c.change(&p)
		r, err := inference.Recognise("", p.files()...)
		if err == nil && r.Family.Image.Embeds["image_embeddings"] != p.encOut[0].Name {
			t.Errorf("%s: embeddings from %v", name, r.Family.Image.Embeds)
		}
		switch {
		case c.family != "" && (err != nil || r.Family.Name != c.family || r.Encoder.Name != "enc" || r.Decoder.Name != "dec"):
			t.Errorf("%s: %+v, %v", name, r, err)
		case c.family == "" && (err == nil || !strings.Contains(err.Error(), c.why)):
			t.Errorf("%s: %v\nwant %q", name, err, c.why)
		}
	}
}

func TestAFamilyMayBeNamed(t *testing.T) {
	p := newSAM()
	p.encIn[0].Shape = nil
	if r, err := inference.Recognise("sam-raw", p.files()...); err != nil || r.Family.Name != "sam-raw" {
		t.Errorf("%+v, %v", r, err)
	}
	if _, err := inference.Recognise("edgesam", p.files()...); !errors.Is(err, inference.ErrUnknownFamily) || !strings.Contains(err.Error(), "the nearest is edgesam") {
		t.Errorf("%v", err)
	}
	files := p.files()
	if _, err := inference.Recognise("", files[0], files[1], files[0]); err == nil || !strings.Contains(err.Error(), "one or two ONNX files") {
		t.Errorf("%v", err)
	}
}

func TestProfilesOfFamilies(t *testing.T) {
	r, err := inference.Recognise("", newSAM().files()...)
	if err != nil {
		t.Fatal(err)
	}
	p, err := r.Profiles(0)
	want := inference.Profiles{Min: "point_coords:1x1x2,point_labels:1x1", Opt: "point_coords:1x3x2,point_labels:1x3", Max: "point_coords:1x66x2,point_labels:1x66"}
	if err != nil || p != want {
		t.Errorf("%+v, %v", p, err)
	}
	sam := newSAM()
	sam.encIn[0].Shape = []int64{-1, -1, 3}
	if r, err = inference.Recognise("", sam.files()...); err != nil {
		t.Fatal(err)
	}
	if p, err = r.Profiles(0); err != nil || !strings.HasPrefix(p.Min, "images:64x64x3,") || !strings.HasPrefix(p.Max, "images:1024x1024x3,") {
		t.Errorf("%+v, %v", p, err)
	}
}
