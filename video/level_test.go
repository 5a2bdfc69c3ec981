package video

import "testing"

func TestFit(t *testing.T) {
	for name, c := range map[string]struct {
		w, h   int
		fps    float64
		r      Rendition
		ww, wh int
	}{
		"720p30 is common":            {1280, 720, 30, Common, 1280, 720},
		"as a camera measures it":     {1280, 720, 30.4, Common, 1280, 720},
		"1080p30 becomes 720p":        {1920, 1080, 30, Common, 1280, 720},
		"1080p is itself in full":     {1920, 1080, 60, Full, 1920, 1080},
		"720p60 is too fast":          {1280, 720, 60, Common, 896, 504},
		"480p60 is not":               {848, 480, 60, Common, 848, 480},
		"12 megapixels":               {4000, 3000, 10, Full, 3536, 2652},
		"dual lens":                   {7680, 2160, 10, Full, 5776, 1624},
		"12 megapixels for all":       {4000, 3000, 4, Common, 1104, 828},
		"upright":                     {1080, 1920, 30, Common, 720, 1280},
		"odd shape":                   {2000, 16, 30, Common, 2000, 16},
		"longer than the level takes": {8000, 16, 30, Common, 2704, 16},
		"low":                         {1280, 720, 30, Low, 640, 360},
		"low of a small picture":      {320, 240, 30, Low, 320, 240},
		"low and fast":                {1280, 720, 60, Low, 560, 316},
	} {
		b := bounds[c.r]
		w, h := fit(c.w, c.h, c.fps, b.level, b.blocks)
		if w != c.ww || h != c.wh {
			t.Errorf("%s: %dx%d, want %dx%d", name, w, h, c.ww, c.wh)
		}
		if w%2 != 0 || h%2 != 0 {
			t.Errorf("%s: odd size %dx%d", name, w, h)
		}
	}
}

func TestFormatWithinALevel(t *testing.T) {
	f := Format{Width: 1280, Height: 720, FPS: 30.4, Bitrate: 50_000_000}.within(31)
	if f != (Format{Width: 1280, Height: 720, FPS: 30, Bitrate: 14_000_000}) {
		t.Errorf("%+v", f)
	}
	small := Format{Width: 640, Height: 360, FPS: 15, Bitrate: 500_000}
	if f = small.within(31); f != small {
		t.Errorf("%+v changed", f)
	}
}

func TestLevelOf(t *testing.T) {
	if l := levelOf([]byte{0, 0, 0, 1, 0x67, 0x42, 0xc0, 0x1f, 0, 0, 1, 0x65}); l != 31 {
		t.Errorf("level %d", l)
	}
	if l := levelOf([]byte{0, 0, 0, 1, 0x65}); l != 0 {
		t.Errorf("level %d without a parameter set", l)
	}
}
