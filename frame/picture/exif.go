package picture

import (
	"bytes"
	"encoding/binary"
)

// orientation is what a file's EXIF says, or upright where it says nothing that makes sense.
func orientation(data []byte, format string) Orientation {
	var block []byte
	switch format {
	case "jpeg":
		block = exifOfJPEG(data)
	case "png":
		block = chunk(data, 8, "eXIf", binary.BigEndian, 4, true)
	case "webp":
		block = bytes.TrimPrefix(chunk(data, 12, "EXIF", binary.LittleEndian, 0, false), []byte(exifMark))
	case "tiff":
		block = data
	}
	return orientationOf(block)
}

// exifMark begins an application segment of EXIF.
const exifMark = "Exif\x00\x00"

// exifOfJPEG is the first EXIF segment before the picture itself (ITU-T T.81, B.1.1; Exif 2.32, 4.7.2).
func exifOfJPEG(data []byte) []byte {
	for i := 2; i+4 <= len(data); {
		if data[i] != 0xff {
			return nil
		}
		marker := data[i+1]
		if marker == 0xff { // fill
			i++
			continue
		}
		if marker == 0xda || marker == 0xd9 {
			return nil
		}
		if marker == 0x01 || marker >= 0xd0 && marker <= 0xd8 { // without a length
			i += 2
			continue
		}
		n := int(binary.BigEndian.Uint16(data[i+2:]))
		if n < 2 || i+2+n > len(data) {
			return nil
		}
		if body := data[i+4 : i+2+n]; marker == 0xe1 && bytes.HasPrefix(body, []byte(exifMark)) {
			return body[len(exifMark):]
		}
		i += 2 + n
	}
	return nil
}

// chunk finds a chunk in a file that is a row of them behind a header: PNG's have the length first and a checksum of trailer bytes behind,
// RIFF's the name first and are padded to even length.
func chunk(data []byte, at int, name string, order binary.ByteOrder, trailer int, lengthFirst bool) []byte {
	for at+8 <= len(data) {
		id, n := string(data[at:at+4]), order.Uint32(data[at+4:])
		if lengthFirst {
			id, n = string(data[at+4:at+8]), order.Uint32(data[at:])
		}
		if uint64(n) > uint64(len(data)-at-8) {
			return nil
		}
		if id == name {
			return data[at+8:][:n]
		}
		at += 8 + int(n) + trailer
		if !lengthFirst {
			at += int(n) & 1
		}
	}
	return nil
}

// orientationOf reads the tag 0x0112 of the first directory of a TIFF structure (TIFF 6.0, section 2).
func orientationOf(tiff []byte) Orientation {
	if len(tiff) < 8 {
		return Upright
	}
	var order binary.ByteOrder = binary.LittleEndian
	switch string(tiff[:4]) {
	case "II*\x00":
	case "MM\x00*":
		order = binary.BigEndian
	default:
		return Upright
	}
	at := uint64(order.Uint32(tiff[4:]))
	if at+2 > uint64(len(tiff)) {
		return Upright
	}
	n := uint64(order.Uint16(tiff[at:]))
	for i := range n {
		e := at + 2 + 12*i
		if e+12 > uint64(len(tiff)) {
			break
		}
		entry := tiff[e : e+12]
		if order.Uint16(entry) != 0x0112 {
			continue
		}
		v := uint32(order.Uint16(entry[8:]))
		if order.Uint16(entry[2:]) == 4 { // written as a long by some
			v = order.Uint32(entry[8:])
		}
		if o := Orientation(v); v <= 8 && o >= Upright {
			return o
		}
		break
	}
	return Upright
}
