package overlay

import "encoding/binary"

// wash is one blend for many pixels. Eight bytes are blended at a time, in four lanes of 16 bits: a lane holds v·mul+add,
// which never exceeds 255·256. The three channels repeat every three words.
type wash struct {
	one       blend
	even, odd [3]uint64 // what is added to the bytes of each word, lanes of 16 bits
}

// lanes are the even bytes of a word.
const lanes = 0x00ff00ff00ff00ff

func (k *wash) build(b *blend) {
	k.one = *b
	add := [3]uint64{uint64(b.b), uint64(b.g), uint64(b.r)}
	for word := range 3 {
		k.even[word], k.odd[word] = 0, 0
		for lane := range 4 {
			k.even[word] |= add[(8*word+2*lane)%3] << (16 * lane)
			k.odd[word] |= add[(8*word+2*lane+1)%3] << (16 * lane)
		}
	}
}

// fill blends whole pixels.
func (k *wash) fill(dst []byte) {
	mul := uint64(k.one.mul)
	for len(dst) >= 24 {
		for word := range 3 {
			at := dst[8*word : 8*word+8 : 8*word+8]
			v := binary.LittleEndian.Uint64(at)
			even := (v&lanes*mul + k.even[word]) >> 8 & lanes
			odd := (v>>8&lanes*mul + k.odd[word]) &^ lanes
			binary.LittleEndian.PutUint64(at, even|odd)
		}
		dst = dst[24:]
	}
	for ; len(dst) >= 3; dst = dst[3:] {
		dst[0] = uint8((uint32(dst[0])*k.one.mul + k.one.b) >> 8)
		dst[1] = uint8((uint32(dst[1])*k.one.mul + k.one.g) >> 8)
		dst[2] = uint8((uint32(dst[2])*k.one.mul + k.one.r) >> 8)
	}
}
