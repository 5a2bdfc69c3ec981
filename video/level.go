package video

// Level is an H.264 level as level_idc writes it: 31 is level 3.1.
type Level byte

// levels are the limits of table A-1 (ITU-T H.264, A.3.1), in macroblocks a frame, macroblocks a second, and bits a second of the
// baseline profile.
var levels = [...]struct {
	level             Level
	frame, rate, bits int
}{
	{10, 99, 1485, 64_000},
	{11, 396, 3000, 192_000},
	{12, 396, 6000, 384_000},
	{13, 396, 11_880, 768_000},
	{20, 396, 11_880, 2_000_000},
	{21, 792, 19_800, 4_000_000},
	{22, 1620, 20_250, 4_000_000},
	{30, 1620, 40_500, 10_000_000},
	{31, 3600, 108_000, 14_000_000},
	{32, 5120, 216_000, 20_000_000},
	{40, 8192, 245_760, 20_000_000},
	{42, 8704, 522_240, 50_000_000},
	{50, 22_080, 589_824, 135_000_000},
	{51, 36_864, 983_040, 240_000_000},
	{52, 36_864, 2_073_600, 240_000_000},
}

// slack is how much faster than a level allows a camera may measure: clocks differ, and 30 frames a second are never quite.
const slack = 1.04

// fit is the largest size of the same shape that a level, and macroblocks a frame at most, allow at a rate: the picture's own
// where that fits, without the last column or row of an odd one, which I420 has no form for. Where it is reduced its width is a multiple of
// a macroblock's.
func fit(w, h int, fps float64, l Level, most int) (int, int) {
	blocks := func(w, h int) int { return (w + 15) / 16 * ((h + 15) / 16) }
	fits := func(w, h int) bool {
		n := blocks(w, h)
		if n > most {
			return false
		}
		for _, t := range levels {
			long := (max(w, h) + 15) / 16
			if t.level <= l && n <= t.frame && long*long <= 8*t.frame && float64(n)*fps <= slack*float64(t.rate) {
				return true
			}
		}
		return false
	}
	if fits(w, h) {
		return w &^ 1, h &^ 1
	}
	for nw := (w - 1) &^ 15; nw > 16; nw -= 16 {
		if nh := max(16, (nw*h+w)/(2*w)*2); fits(nw, nh) {
			return nw, nh
		}
	}
	return 16, 16
}

// within lowers rate and bitrate of a format to what a level allows a picture of its size.
func (f Format) within(l Level) Format {
	n := (f.Width + 15) / 16 * ((f.Height + 15) / 16)
	rate, bits := 0, 0
	for _, t := range levels {
		if t.level <= l && n <= t.frame {
			rate, bits = max(rate, t.rate), max(bits, t.bits)
		}
	}
	if rate > 0 {
		f.FPS, f.Bitrate = min(f.FPS, float64(rate)/float64(n)), min(f.Bitrate, bits)
	}
	return f
}

// levelOf is the level that a keyframe's parameter set says (7.3.2.1.1); 0 where there is none.
func levelOf(unit []byte) Level {
	for nal := range NALs(unit) {
		if NALType(nal) == NALSPS && len(nal) >= 4 {
			return Level(nal[3])
		}
	}
	return 0
}
