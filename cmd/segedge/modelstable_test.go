package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/inference/inferencetest"
	"github.com/segedge/segedge/inference/onnx"
	"github.com/segedge/segedge/models"
	"github.com/segedge/segedge/testkit"
)

var updateTables = flag.Bool("update", false, "write the tables of docs/models.md from what the commands say")

// said runs a command of the program and gives what it wrote, and the last line of its error.
func said(t *testing.T, args ...string) (out []byte, problem string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if code := execute(t.Context(), args, &stdout, &stderr); code != 0 {
		problem = strings.TrimPrefix(strings.TrimSpace(stderr.String()), "segedge: ")
		if strings.Count(problem, "\n") > 0 {
			t.Errorf("%v: more than one line: %s", args, problem)
		}
		problem = cmp.Or(problem, "exit code")
	}
	return stdout.Bytes(), problem
}

// inspected is what `models inspect` says of files: family, prompts, the size of the picture; or why they are no model.
func inspected(t *testing.T, files []string) (family, prompts, picture, refusal string) {
	t.Helper()
	out, problem := said(t, append([]string{"models", "inspect", "--json"}, files...)...)
	var i inspection
	if err := json.Unmarshal(out, &i); err != nil {
		return "–", "–", "–", cmp.Or(problem, err.Error())
	}
	if i.Refusal != "" {
		return "–", "–", "–", i.Refusal
	}
	for _, f := range i.Files {
		for _, p := range f.Contract.Inputs {
			if strings.Contains(p.Name, "image") && strings.HasPrefix(f.Role, "encoder") {
				picture = fmt.Sprint(p.Shape)
			}
		}
	}
	return i.Family, kindNames(*i.Kinds), strings.ReplaceAll(picture, "-1", "?"), ""
}

// checked is what `models check` says of one or two files, or of a folder.
func checked(t *testing.T, files []string) string {
	t.Helper()
	verdict, _ := checkedFully(t, files)
	return verdict
}

func checkedFully(t *testing.T, files []string) (string, checkResult) {
	t.Helper()
	args := []string{"models", "check", "--json", "--set", "model.provider=cpu", files[0]}
	if len(files) == 2 {
		args = []string{"models", "check", "--json", "--set", "model.provider=cpu", "--set", "model.encoder=" + files[0], "--set", "model.decoder=" + files[1]}
	}
	out, problem := said(t, args...)
	var r checkResult
	if err := json.Unmarshal(out, &r); err != nil {
		return cmp.Or(problem, err.Error()), r
	}
	if r.EncodeMS <= 0 || r.Decode1MS <= 0 || r.Decode5MS <= 0 || r.Why == "" {
		t.Errorf("%v: %+v", files, r)
	}
	least := 1.0
	for _, iou := range r.Known {
		least = min(least, iou)
	}
	runs := fmt.Sprintf("runs on %s, IoU with the plain graph %.3f, with what is known %.2f at least", r.Provider, r.AgreesIoU, least)
	return cmp.Or(r.Disagrees, r.Refused, runs), r
}

// tableInDocs compares rows with the table of this name in docs/models.md, or writes it.
func tableInDocs(t *testing.T, name, head string, rows []string) {
	t.Helper()
	t.Logf("%s\n%s", head, strings.Join(rows, "\n"))
	path := filepath.Join("..", "..", "docs", "models.md")
	doc, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	begin, end := "<!-- "+name+" -->\n", "<!-- end -->"
	before, rest, ok := strings.Cut(string(doc), begin)
	old, after, closed := strings.Cut(rest, end)
	if !ok || !closed {
		t.Fatalf("%s has no place %q", path, begin)
	}
	fresh := head + "\n" + strings.Repeat("| --- ", strings.Count(head, "|")-1) + "|\n" + strings.Join(rows, "\n") + "\n"
	switch {
	case old == fresh:
	case *updateTables:
		if err := os.WriteFile(path, []byte(before+begin+fresh+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
	default:
		t.Errorf("docs/models.md has another table of %s: look at what changed, then go test ./cmd/segedge -run Table -update", name)
	}
}

// TestTableOfModels inspects and checks every fixture and every file of the shared models by the commands, and holds the table in the docs.
func TestTableOfModels(t *testing.T) {
	testkit.Long(t)
	t.Setenv("STATE_DIRECTORY", t.TempDir())
	fixtures := filepath.Join("..", "..", "inference", "testdata", "fixtures")
	shared := testkit.Shared(t, "models")
	var rows []string
	for _, c := range []struct {
		at     string
		files  []string
		family string // that must be recognised; empty: none
	}{
		{fixtures, []string{"segedge/encoder", "segedge/decoder"}, "segedge"},
		{fixtures, []string{"segedge/encoder", "segedge/decoder-stacks"}, "segedge"},
		{fixtures, []string{"sam/encoder", "sam/decoder"}, "sam"},
		{fixtures, []string{"sam/encoder", "sam/decoder-single"}, "sam"},
		{fixtures, []string{"sam-raw/encoder", "sam/decoder"}, "sam-raw"},
		{fixtures, []string{"nanosam/encoder-512", "nanosam/decoder"}, "nanosam"},
		{fixtures, []string{"sam/encoder", "edgesam/decoder"}, "edgesam"},
		{fixtures, []string{"efficientsam/encoder", "efficientsam/decoder"}, "efficientsam"},
		{fixtures, []string{"efficientsam-single/model"}, "efficientsam-single"},
		{fixtures, []string{"sam2/encoder", "sam2/decoder"}, "sam2"},
		{fixtures, []string{"sam2-sized/encoder", "sam2-sized/decoder"}, "sam2-sized"},
		{fixtures, []string{"sam/decoder"}, ""},
		{fixtures, []string{"sam/encoder", "sam2/decoder"}, ""},
		{shared, []string{"default/encoder", "default/decoder"}, "segedge"},
		{shared, []string{"nanotrack/nanotrack_backbone"}, ""},
		{shared, []string{"nanotrack/nanotrack_backbone", "nanotrack/nanotrack_head"}, ""},
		{shared, []string{"yolox_nano/yolox_nano"}, ""},
	} {
		var paths []string
		for _, f := range c.files {
			paths = append(paths, filepath.Join(c.at, filepath.FromSlash(f)+".onnx"))
		}
		family, prompts, picture, verdict := inspected(t, paths)
		if (c.family == "") != (verdict != "") || c.family != "" && family != c.family {
			t.Errorf("%v: recognised as %s (%s), want %s", c.files, family, verdict, c.family)
		}
		from := "fixture"
		if c.at != fixtures {
			from = "shared"
		}
		if verdict == "" {
			verdict = checked(t, paths)
		} else {
			_, verdict, _ = strings.Cut(verdict, "; the nearest is ")
			verdict = "refused; the nearest is " + verdict
		}
		rows = append(rows, fmt.Sprintf("| %s: %s | %s | %s | %s | %s |", from, strings.Join(c.files, " + "), family, picture, prompts, verdict))
	}
	tableInDocs(t, "inspected", "| files | family | picture | prompts | verdict |", rows)
}

// TestTableOfBrokenModels gives the commands what is no model, or no longer one: one sentence each.
func TestTableOfBrokenModels(t *testing.T) {
	testkit.Long(t)
	t.Setenv("STATE_DIRECTORY", t.TempDir())
	dir := t.TempDir()
	write := func(name string, data []byte) string {
		p := filepath.Join(dir, name)
		if err := os.WriteFile(p, data, 0o644); err != nil {
			t.Fatal(err)
		}
		return p
	}
	encoder, decoder := write("encoder.onnx", models.Encoder()), write("decoder.onnx", models.Decoder())
	fixture := func(name string) string {
		return filepath.Join("..", "..", "inference", "testdata", "fixtures", filepath.FromSlash(name)+".onnx")
	}
	broken := bytes.Clone(models.Encoder())
	for i := range 2000 {
		broken[len(broken)/2+i] = 0xff // in the middle of a tensor: floats that are no numbers
	}
	decoderOf, err := inference.File{Path: fixture("sam/decoder")}.Contract()
	if err != nil {
		t.Fatal(err)
	}
	outputs := []inference.Port{{Name: "low_res_masks", Type: "float32"}, {Name: "iou_predictions", Type: "float32"}}
	nonsense := write("nonsense.onnx", inferencetest.Model(decoderOf.Inputs, outputs)) // its masks are the embedding, its scores the points
	var rows []string
	for _, c := range []struct {
		what  string
		files []string
	}{
		{"missing", []string{encoder, filepath.Join(dir, "gone.onnx")}},
		{"empty", []string{encoder, write("empty.onnx", nil)}},
		{"a web page", []string{encoder, write("page.onnx", []byte("<!DOCTYPE html><html><body>404 Not Found</body></html>"))}},
		{"cut off in the middle", []string{encoder, write("half.onnx", models.Decoder()[:len(models.Decoder())/2])}},
		{"cut off by nine bytes", []string{encoder, write("nearly.onnx", models.Decoder()[:len(models.Decoder())-9])}},
		{"of two different models", []string{encoder, fixture("sam/decoder")}},
		{"two encoders", []string{fixture("sam/encoder"), fixture("sam2/encoder")}},
		{"answers of another shape", []string{fixture("sam/encoder"), nonsense}},
		{"a picture larger than any memory", []string{write("huge.onnx", inferencetest.Model(
			[]inference.Port{{Name: "images", Type: "float32", Shape: []int64{1, 3, 1 << 40, 1 << 40}}},
			[]inference.Port{{Name: "image_embeddings", Type: "float32", Shape: []int64{1, 256, 64, 64}}})), fixture("sam/decoder")}},
		{"an encoder alone", []string{fixture("sam/encoder")}},
		{"weights that are no numbers", []string{write("broken.onnx", broken), decoder}},
		{"weights that are zeros", []string{write("zeros.onnx", weightless(models.Encoder())), decoder}},
	} {
		verdict := checked(t, c.files)
		if strings.HasPrefix(verdict, "runs on") {
			t.Errorf("%s: %s", c.what, verdict)
		}
		verdict = strings.NewReplacer(dir+string(filepath.Separator), "", filepath.Join("..", "..", "inference", "testdata", "fixtures")+string(filepath.Separator), "").Replace(verdict)
		if start, rest, ok := strings.Cut(verdict, " takes "); ok { // the ports of both files, which a table has no room for
			_, rest, _ = strings.Cut(rest, "; the nearest")
			verdict = start + " takes …; the nearest" + rest
		}
		rows = append(rows, fmt.Sprintf("| %s | %s |", c.what, verdict))
	}
	tableInDocs(t, "broken", "| file | what `models check` says |", rows)
}

// TestTableOfWrongModels breaks the built-in model in each way, which the commands have to call by its name.
func TestTableOfWrongModels(t *testing.T) {
	testkit.Long(t)
	t.Setenv("STATE_DIRECTORY", t.TempDir())
	type op = inferencetest.Op
	encoder, decoder := models.Encoder(), models.Decoder()
	number := func(kind string, v ...float32) op { return op{Type: kind, Numbers: v} }
	seen := func(ops ...op) [2][]byte { return [2][]byte{inferencetest.Before(encoder, "image", ops...), decoder} }
	asked := func(ops ...op) [2][]byte {
		return [2][]byte{encoder, inferencetest.Before(decoder, "point_coords", ops...)}
	}
	told := func(output string, ops ...op) [2][]byte {
		return [2][]byte{encoder, inferencetest.After(decoder, output, ops...)}
	}
	mean, std := []float32{123.675, 116.28, 103.53}, []float32{58.395, 57.12, 57.375}
	const all = math.MinInt64
	var rows []string
	for _, c := range []struct {
		what, want string
		files      [2][]byte
	}{
		{"right", "runs on cpu", [2][]byte{encoder, decoder}},
		{"weights shuffled", "shuffled", [2][]byte{inferencetest.Weights(encoder, shuffled), inferencetest.Weights(decoder, shuffled)}},
		{"the picture's axes transposed", "takes the picture's columns for its rows", seen(op{Type: "Transpose", Perm: []int64{0, 1, 3, 2}})},
		{"a point's axes transposed", "takes y before x", asked(op{Type: "Gather", Axis: 2, Indices: [][]int64{{1, 0}}})},
		{"the mask's axes transposed", "gives masks with columns for rows", told("low_res_masks", op{Type: "Transpose", Perm: []int64{0, 1, 3, 2}})},
		{"the picture upside-down", "takes the last row first", seen(op{Type: "Slice", Indices: [][]int64{{-1}, {all}, {2}, {-1}}})},
		{"the picture mirrored", "takes the last column first", seen(op{Type: "Slice", Indices: [][]int64{{-1}, {all}, {3}, {-1}}})},
		{"blue, green, red", "blue, green, red", seen(op{Type: "Gather", Axis: 1, Indices: [][]int64{{2, 1, 0}}})},
		{"wants values of 0 to 1", "normalisation looks like another", seen(number("Mul", 255))},
		{"wants ImageNet's normalisation", "ImageNet's mean and deviation", seen(number("Mul", std...), number("Add", mean...))},
		{"divided by 255 once more", "normalised twice", seen(number("Div", 255))},
		{"ImageNet's normalisation once more", "normalised twice", seen(number("Sub", mean...), number("Div", std...))},
		{"masks negated", "inside out", told("low_res_masks", op{Type: "Neg"})},
		{"predicted IoUs negated", "predicted IoUs look negated", told("iou_predictions", op{Type: "Neg"})},
	} {
		dir := t.TempDir()
		for i, name := range []string{"encoder.onnx", "decoder.onnx"} {
			if err := os.WriteFile(filepath.Join(dir, name), c.files[i], 0o600); err != nil {
				t.Fatal(err)
			}
		}
		verdict, r := checkedFully(t, []string{dir})
		if !strings.Contains(verdict, c.want) {
			t.Errorf("%s: %s, want %q", c.what, verdict, c.want)
		}
		verdict, _, _ = strings.Cut(verdict, " (the test picture")
		mean := "–"
		if len(r.Known) > 0 {
			mean = fmt.Sprintf("%.2f", r.Mean)
		}
		rows = append(rows, fmt.Sprintf("| %s | %s | %s |", c.what, mean, verdict))
	}
	tableInDocs(t, "wrong", "| the built-in model | IoU, mean | what `models check` says |", rows)
}

// shuffled puts numbers of four bytes into another order.
func shuffled(b []byte) {
	r := rand.New(rand.NewPCG(5, 6))
	r.Shuffle(len(b)/4, func(i, j int) {
		var x [4]byte
		copy(x[:], b[4*i:])
		copy(b[4*i:4*i+4], b[4*j:4*j+4])
		copy(b[4*j:4*j+4], x[:])
	})
}

// weightless is an ONNX file whose weights are zeros.
func weightless(file []byte) []byte { return inferencetest.Weights(file, func(b []byte) { clear(b) }) }

// TestABrokenModelIsRefusedBeforeItIsUsed on the commands that would use it, with what it looks like.
func TestABrokenModelIsRefusedBeforeItIsUsed(t *testing.T) {
	testkit.Long(t)
	t.Setenv("STATE_DIRECTORY", t.TempDir())
	dir := t.TempDir()
	for name, data := range map[string][]byte{"encoder.onnx": weightless(models.Encoder()), "decoder.onnx": models.Decoder()} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{
		{"segment", saved(t, "ball.png", ball(64, 48, 12)), "--point", "0.5,0.5"}, {"run", "--listen", "127.0.0.1:0", "--set", "mqtt.embedded=127.0.0.1:0", "--duration", "5s"},
	} {
		_, problem := said(t, append(args, "--set", "model.provider=cpu", "--set", "model.name="+dir, "--set", "log.level=error")...)
		if strings.Contains(problem, onnx.ErrNoLibrary.Error()) {
			t.Skipf("SKIPPED: %s", problem)
		}
		if !strings.Contains(problem, "is refused: it answers") || !strings.Contains(problem, "its weights look") {
			t.Errorf("%v: %s", args, problem)
		}
	}
}
