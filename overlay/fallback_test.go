package overlay

import (
	"bytes"
	"os"
	"testing"

	"github.com/segedge/segedge/seg"
)

// Names are readable in the scripts that people name things in: each character has a shape of its own, not that of what is missing.
func TestNamesOfAllScriptsAreDrawn(t *testing.T) {
	var f typeface
	if err := f.load(); err != nil {
		t.Fatal(err)
	}
	for _, size := range []int{12, 18, 27, 48} {
		if err := f.resize(size); err != nil {
			t.Fatal(err)
		}
		none, question := f.glyph(missing), f.glyph('?')
		seen := map[string]rune{}
		for _, r := range "日本語のカメラ猫杯한국어🐕🚗☕שלוםالباب§€กขहि" {
			g := f.glyph(r)
			ink := 0
			for _, a := range g.alpha {
				ink += int(a)
			}
			key := string(g.alpha)
			if ink == 0 || bytes.Equal(g.alpha, none.alpha) || bytes.Equal(g.alpha, question.alpha) {
				t.Errorf("size %d: %q is not drawn", size, r)
			}
			if other, ok := seen[key]; ok && other != r {
				t.Errorf("size %d: %q looks as %q", size, r, other)
			}
			seen[key] = r
			if g.rect.Min.Y < -f.ascent-descent || g.rect.Max.Y > f.height-f.ascent+descent {
				t.Errorf("size %d: %q of rows %d to %d does not fit the label", size, r, g.rect.Min.Y, g.rect.Max.Y)
			}
		}
	}
	for _, r := range "\u200d\ufe0f\U0001f3fd" {
		if g := f.glyph(r); g.advance != 0 || len(g.alpha) != 0 {
			t.Errorf("%U takes room", r)
		}
	}
	if g := f.glyph(0x10ffff); g != f.glyph(missing) {
		t.Error("what no font has is not marked as missing")
	}
	if a, e := f.glyph('\u0e49'), f.glyph('ก'); a.advance != 0 || e.advance == 0 {
		t.Error("a mark takes room of its own")
	}
}

func TestRightToLeft(t *testing.T) {
	for in, want := range map[string]string{
		"cup": "cup", "שלום": "םולש", "a שלום b": "a םולש b", "דלת 2": "תלד 2", "שלום עולם": "םלוע םולש", "": "", "א": "א",
	} {
		got := []rune(in)
		visual(got)
		if string(got) != want {
			t.Errorf("%q: %q, want %q", in, string(got), want)
		}
	}
}

func TestABrokenFontIsNoPanic(t *testing.T) {
	whole, err := unpack(packed)
	if err != nil || len(whole.runes) < 60_000 {
		t.Fatalf("%v", err)
	}
	if _, err := unpack(packed[:len(packed)/2]); err == nil {
		t.Error("half a font was read")
	}
	if _, err := unpack(nil); err == nil {
		t.Error("no font was read")
	}
}

// TestScriptsPicture leaves a picture for people to look at where SEGEDGE_SHOTS names a folder.
func TestScriptsPicture(t *testing.T) {
	dir := os.Getenv("SEGEDGE_SHOTS")
	if dir == "" {
		t.Skip("for people: set SEGEDGE_SHOTS")
	}
	const w, h = 1280, 720
	pix := bytes.Repeat([]byte{90, 100, 80}, w*h)
	var objects []seg.Object
	for i, name := range []string{"日本語のカメラ", "猫 cup", "한국어", "🐕 Waldi", "Tür / Küche", "שלום", "ถ้วย", "☕🚗", "الباب"} {
		objects = append(objects, seg.Object{ID: seg.ID(i + 1), Name: name, State: seg.Lost})
	}
	if err := Paint(pix, w, h, objects, Options{}); err != nil {
		t.Fatal(err)
	}
	writePNG(t, dir+"/scripts.png", toImage(pix, w, h))
}
