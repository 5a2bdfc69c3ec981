package seg

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"image"
	"os"
	"slices"
	"strings"
	"testing"
)

// vector is a mask and what pycocotools makes of it (testdata/vectors.py).
type vector struct {
	Name   string
	RLE    RLE
	Counts []uint32
	Area   int
	Box    [4]int // x, y, width, height
	Bits   string // packed row by row; empty for the largest
}

func vectors(t testing.TB) (masks []vector, pairs []struct {
	A, B string
	IoU  float64
}) {
	data, err := os.ReadFile("testdata/coco_rle.json")
	if err != nil {
		t.Fatal(err)
	}
	var all struct {
		Masks []vector
		IoU   []struct {
			A, B string
			IoU  float64
		}
	}
	if err := json.Unmarshal(data, &all); err != nil {
		t.Fatal(err)
	}
	return all.Masks, all.IoU
}

func TestRLEAsPycocotoolsMakesIt(t *testing.T) {
	all, pairs := vectors(t)
	byName := map[string]*Mask{}
	for _, v := range all {
		m, err := v.RLE.Mask()
		if err != nil {
			t.Fatalf("%s: %v", v.Name, err)
		}
		byName[v.Name] = m
		if !slices.Equal(v.RLE.Counts, v.Counts) {
			t.Errorf("%s: counts %v, want %v", v.Name, v.RLE.Counts, v.Counts)
		}
		if back := m.RLE(); back.String() != v.RLE.String() || back.Size != v.RLE.Size || !slices.Equal(back.Counts, v.Counts) {
			t.Errorf("%s: encodes to %v %q", v.Name, back.Counts, back)
		}
		if r := m.tight(); m.Count() != v.Area || (v.Area > 0 && [4]int{r.Min.X, r.Min.Y, r.Dx(), r.Dy()} != v.Box) {
			t.Errorf("%s: area %d, box %v; want %d, %v", v.Name, m.Count(), r, v.Area, v.Box)
		}
		if v.Bits != "" {
			same(t, v.Name, m, unpack(t, v.Bits, m.W, m.H))
		}
	}
	for _, p := range pairs {
		if got := byName[p.A].IoU(byName[p.B]); got != p.IoU {
			t.Errorf("IoU of %s and %s: %v, want %v", p.A, p.B, got, p.IoU)
		}
	}
}

func unpack(t *testing.T, bits string, w, h int) *Mask {
	data, err := base64.StdEncoding.DecodeString(bits)
	if err != nil {
		t.Fatal(err)
	}
	m := NewMask(w, h, image.Rect(0, 0, w, h))
	for i := range m.Bits {
		m.Bits[i] = data[i/8] >> (7 - i%8) & 1
	}
	return m
}

func TestRLERoundTrip(t *testing.T) {
	r := seeded()
	for range 300 {
		m := noise(r, 1+r.IntN(20), 1+r.IntN(20), r.Float64())
		loose := NewMask(m.W, m.H, image.Rect(0, 0, m.W, m.H)) // the same cells, stored with their surroundings
		for y := range m.H {
			for x := range m.W {
				loose.Row(y)[x] = m.At(x, y)
			}
		}
		for _, in := range []*Mask{m, loose} {
			rle := in.RLE()
			parsed, err := ParseRLE(rle.String(), in.H, in.W)
			if err != nil || !slices.Equal(parsed.Counts, rle.Counts) {
				t.Fatalf("%v became %v, %v", rle.Counts, parsed.Counts, err)
			}
			out, err := parsed.Mask()
			if err != nil {
				t.Fatal(err)
			}
			same(t, "decoded", out, in)
		}
	}
}

func TestRLERefuses(t *testing.T) {
	for in, want := range map[string]string{
		`{"size":[2,2],"counts":"1"}`:            "add up",
		`{"size":[2,2],"counts":[1,9]}`:          "add up",
		`{"size":[2,2],"counts":[4294967295,5]}`: "add up",
		`{"size":[2,2],"counts":[-1,5]}`:         "counts",
		`{"size":[2,2],"counts":[1.5]}`:          "counts",
		`{"size":[2,2],"counts":"!"}`:            "malformed",
		`{"size":[2,2],"counts":"P"}`:            "malformed",
		`{"size":[2,2],"counts":"oooooooo0"}`:    "malformed",
		`{"size":[2,2],"counts":"O"}`:            "add up", // −1
		`{"size":[2,2]}`:                         "missing",
		`{"size":[2,2],"counts":null}`:           "missing",
		`{"size":[2],"counts":[4]}`:              "size",
		`{"size":[2,2,2],"counts":[4]}`:          "size",
		`{"size":[0,4],"counts":[0]}`:            "size",
		`{"size":[-2,-2],"counts":[4]}`:          "size",
		`{"size":[1048576,1048576],"counts":[]}`: "size",
		`{"size":[2,2],"counts":[4],"kind":"x"}`: "kind",
		`{"size":"2x2","counts":[4]}`:            "size",
		`{"size":[2,2],"counts":{}}`:             "counts",
		`[]`:                                     "RLE",
	} {
		var r RLE
		err := json.Unmarshal([]byte(in), &r)
		if err == nil {
			_, err = r.Mask()
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want an error with %q", in, err, want)
		}
	}
}

func FuzzParseRLE(f *testing.F) {
	all, _ := vectors(f)
	for _, v := range all {
		f.Add(v.RLE.String(), v.RLE.Size[0], v.RLE.Size[1])
	}
	f.Add("oooooooooooo", 3, 3)
	f.Add("", -1, 1<<40)
	f.Fuzz(func(t *testing.T, s string, h, w int) {
		r, err := ParseRLE(s, h, w)
		if err != nil {
			return
		}
		if len(r.Counts) > len(s) {
			t.Fatalf("%d counts out of %d bytes", len(r.Counts), len(s))
		}
		checkDecoded(t, r)
	})
}

func FuzzRLEJSON(f *testing.F) {
	f.Add([]byte(`{"size":[2,2],"counts":[1,2,1]}`))
	f.Add([]byte(`{"size":[2,2],"counts":"121"}`))
	f.Add([]byte(`{"size":[67108864,1],"counts":[67108864]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var r RLE
		if json.Unmarshal(data, &r) == nil {
			checkDecoded(t, r)
		}
	})
}

// checkDecoded holds what a decoded mask must be: bounded, and the same after another round.
func checkDecoded(t *testing.T, r RLE) {
	if rect, err := r.bounds(); err == nil && rect.Dx()*rect.Dy() > 1<<18 {
		return // what is larger takes longer, and is nothing else
	}
	m, err := r.Mask()
	if err != nil {
		if !errors.Is(err, ErrRLECounts) && !errors.Is(err, ErrRLESize) {
			t.Fatalf("error of another kind: %v", err)
		}
		return
	}
	if len(m.Bits) > maxCells || m.H != r.Size[0] || m.W != r.Size[1] {
		t.Fatalf("%v became %d cells of %dx%d", r.Size, len(m.Bits), m.W, m.H)
	}
	again, err := m.RLE().Mask()
	if err != nil || again.Rect != m.Rect || !slices.Equal(again.Bits, m.Bits) {
		t.Fatalf("a second round differs: %v", err)
	}
}

func BenchmarkRLE(b *testing.B) {
	for name, size := range map[string][2]int{"480p": {854, 480}, "720p": {1280, 720}} {
		m := disc(size[0], size[1], Point{0.5, 0.5}, 0.2, 0.35)
		r := m.RLE()
		b.Run("encode "+name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_ = m.RLE().String()
			}
		})
		b.Run("decode "+name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := r.Mask(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
