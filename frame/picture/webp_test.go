package picture

import (
	"encoding/binary"
	"path/filepath"
	"strings"
	"testing"

	"github.com/segedge/segedge/frame"
)

// TestLossyWebPKeepsItsColours compares files that libwebp wrote of lossy.png's bands, 16 pixels wide, with it: but for the bands' edges,
// where chroma of half the resolution runs together.
func TestLossyWebPKeepsItsColours(t *testing.T) {
	want, err := Read(filepath.Join("testdata", "lossy.png"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"lossy.webp", "lossy-alpha.webp"} {
		got, err := Read(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		if got.Width != want.Width || got.Height != want.Height {
			t.Fatalf("%s: %dx%d", name, got.Width, got.Height)
		}
		worst := 0
		for i := range got.Pix {
			if x := i % got.Stride() / 3 % 16; x >= 3 && x < 13 {
				worst = max(worst, int(got.Pix[i])-int(want.Pix[i]), int(want.Pix[i])-int(got.Pix[i]))
			}
		}
		if worst > 4 {
			t.Errorf("%s: up to %d levels off", name, worst)
		}
	}
}

// webpOf makes a WebP file of chunks, each a name and a body; the last one's length is what is given.
func webpOf(last uint32, chunks ...string) string {
	var b []byte
	for i := 0; i < len(chunks); i += 2 {
		size := uint32(len(chunks[i+1]))
		if i+2 == len(chunks) {
			size = last
		}
		b = append(binary.LittleEndian.AppendUint32(append(b, chunks[i]...), size), chunks[i+1]...)
		if size%2 == 1 {
			b = append(b, 0)
		}
	}
	return "RIFF" + string(binary.LittleEndian.AppendUint32(nil, 4+uint32(len(b)))) + "WEBP" + string(b)
}

// TestTinyWebPCannotAskForAHugePicture has files whose canvas is 8×8 and whose pixels say that they are 16384×16384.
func TestTinyWebPCannotAskForAHugePicture(t *testing.T) {
	const canvas = "\x00\x00\x00\x00\x07\x00\x00\x07\x00\x00"
	lossless, lossy := "\x2f\xff\xff\xff\x0f\x00\x00\x00", "\x10\x00\x00\x9d\x01\x2a\xff\x3f\xff\x3f\x00\x00"
	for name, data := range map[string]string{
		"lossless":          webpOf(8, "VP8X", canvas, "VP8L", lossless),
		"lossy":             webpOf(12, "VP8X", canvas, "VP8 ", lossy),
		"after another":     webpOf(8, "VP8X", canvas, "EXIF", "odd", "VP8L", lossless),
		"past the end":      webpOf(1000, "VP8X", canvas, "VP8L", lossless),
		"length of all":     webpOf(1<<32-1, "VP8X", canvas, "VP8L", lossless),
		"lossy, length odd": webpOf(1<<32-1, "VP8X", canvas, "VP8 ", lossy),
	} {
		if err := webpFits([]byte(data)); err == nil || !strings.Contains(err.Error(), "pixels are more than") {
			t.Errorf("%s: %v", name, err)
		}
		if err := Decode(frame.New(2, 2), strings.NewReader(data)); err == nil || !strings.Contains(err.Error(), "pixels are more than") {
			t.Errorf("%s, decoded: %v", name, err)
		}
	}
	for _, data := range []string{"", "RIFF", webpOf(1<<32-1, "EXIF", ""), webpOf(3, "VP8L", "\x2f\xff\xff"), lossy} {
		if err := webpFits([]byte(data)); err != nil {
			t.Errorf("%q: %v", data, err)
		}
	}
}
