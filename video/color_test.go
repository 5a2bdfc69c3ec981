package video

import (
	"bytes"
	"encoding/hex"
	"testing"
)

func decodeHex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// signalOf is what a parameter set says of colours, read by the same walk; "" if nothing.
func signalOf(t *testing.T, sps []byte) string {
	t.Helper()
	r := bits{data: bytes.ReplaceAll(sps, []byte{0, 0, 3}, []byte{0, 0})}
	r.skipToVUI()
	if r.read(1) == 0 {
		return ""
	}
	r.skipAspect()
	if r.read(1) == 0 {
		return ""
	}
	return hex.EncodeToString([]byte{byte(r.read(3)), byte(r.read(1)), byte(r.read(1)), byte(r.read(8)), byte(r.read(8)), byte(r.read(8))})
}

func TestWithColor(t *testing.T) {
	for name, sps := range map[string]string{
		"openh264 720p":    "6742c01f8c8d402802d900f08846a0",
		"openh264 854x480": "6742c01f8c8d406c1eb3700f08846a",
		"openh264 360p":    "6742c01e8c8d405017bcb00f08846a",
		"without VUI":      "6742c01e8c8d405017bca8",
		"order type 1":     hex.EncodeToString(madeSPS(77, 1, false)),
		"aspect, overscan": hex.EncodeToString(madeSPS(66, 2, true)),
	} {
		in := decodeHex(t, sps)
		unit := append(append([]byte{0, 0, 0, 1}, in...), 0, 0, 0, 1, 0x68, 0xce, 0, 0, 0, 1, 0x65, 1, 2, 3)
		before := bytes.Clone(unit)
		out := WithColor(unit)
		if !bytes.Equal(unit, before) {
			t.Errorf("%s: the input was written", name)
		}
		var kinds []byte
		var got []byte
		for nal := range NALs(out) {
			kinds = append(kinds, NALType(nal))
			if NALType(nal) == NALSPS {
				got = nal
			}
		}
		if !bytes.Equal(kinds, []byte{NALSPS, NALPPS, NALIDR}) || !bytes.HasSuffix(out, []byte{0x65, 1, 2, 3}) {
			t.Fatalf("%s: units %v", name, kinds)
		}
		if s := signalOf(t, got); s != "050001010106" {
			t.Errorf("%s: %x says %q", name, got, s)
		}
		if !bytes.Equal(got[:4], in[:4]) {
			t.Errorf("%s: profile and level changed: %x", name, got[:4])
		}
		if again := WithColor(out); !bytes.Equal(again, out) {
			t.Errorf("%s: a second time changes it", name)
		}
	}
}

func TestWithColorLeavesOthersAlone(t *testing.T) {
	for name, in := range map[string][]byte{
		"nothing": nil, "no parameter sets": {0, 0, 1, 0x61, 5}, "high profile": {0, 0, 1, 0x67, 100, 0, 31, 0xac, 0xd9},
		"short": {0, 0, 1, 0x67, 66}, "no stop bit": {0, 0, 1, 0x67, 66, 0, 30},
	} {
		if out := WithColor(in); name != "no stop bit" && !bytes.Equal(out, in) {
			t.Errorf("%s: %x", name, out)
		}
	}
}

func FuzzWithColor(f *testing.F) {
	f.Add([]byte{0, 0, 1, 0x67, 0x42, 0xc0, 0x1f, 0x8c, 0x8d, 0x40, 0x28, 0x02, 0xd9, 0x00, 0xf0, 0x88, 0x46, 0xa0})
	f.Fuzz(func(t *testing.T, data []byte) {
		out := WithColor(data)
		n := 0
		for range NALs(data) {
			n++
		}
		for range NALs(out) {
			n--
		}
		if n != 0 {
			t.Fatalf("%x became %x: another number of units", data, out)
		}
	})
}

// madeSPS writes a parameter set with the parts that openh264 does not use.
func madeSPS(profile byte, order uint32, vui bool) []byte {
	b := bits{data: []byte{0x67, profile, 0x40, 30}, at: 32}
	ue := func(v uint32) {
		n := 0
		for (v+1)>>n > 1 {
			n++
		}
		b.write(0, n)
		b.write(v+1, n+1)
	}
	ue(0)
	ue(4)
	ue(order)
	if order == 1 {
		b.write(1, 1)
		ue(3)
		ue(4)
		ue(2)
		ue(9)
		ue(300)
	}
	ue(1)
	b.write(0, 1)
	ue(39)
	ue(22)
	b.write(0, 2) // fields, no adaptive ones
	b.write(0, 2) // no direct inference, no cropping
	if vui {
		b.write(1, 1)
		b.write(1, 1)
		b.write(255, 8)
		b.write(0x00010001, 32)
		b.write(0b11, 2)
		b.write(0, 7)
	} else {
		b.write(0, 1)
	}
	b.write(1, 1)
	return b.escaped()
}
