package dataset

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"

	"golang.org/x/image/tiff/lzw"

	"github.com/segedge/segedge/frame/picture"
)

// maxTIFF bounds a file of 32-bit labels: picture.MaxPixels of four bytes, and some more.
const maxTIFF = 5 * picture.MaxPixels

// readTIFF32 reads a label map of one channel of 32 bits, which pictures do not have (TIFF 6.0): integers or whole floats, in strips. It
// answers nil, nil for any other file.
func readTIFF32(path string) (*Labels, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }() // it was only read
	var head [4]byte
	if _, err := io.ReadFull(file, head[:]); err != nil || string(head[:]) != "II*\x00" && string(head[:]) != "MM\x00*" {
		return nil, nil //nolint:nilnil // no TIFF file
	}
	data, err := io.ReadAll(io.MultiReader(bytes.NewReader(head[:]), io.LimitReader(file, maxTIFF)))
	if err != nil {
		return nil, err
	}
	d := &tiff32{data: data, order: binary.LittleEndian}
	if data[0] == 'M' {
		d.order = binary.BigEndian
	}
	if err := d.directory(); err != nil || d.first(tagBits, 1) != 32 || d.first(tagSamples, 1) != 1 {
		return nil, nil //nolint:nilnil // not of that kind: the reader of pictures says what is wrong with it
	}
	return d.labels()
}

// The tags that a label map needs (TIFF 6.0, section 8; 339 in section 19, 317 in 14).
const (
	tagWidth, tagHeight = 256, 257
	tagBits             = 258
	tagCompression      = 259
	tagStrips           = 273
	tagSamples          = 277
	tagRows             = 278
	tagBytes            = 279
	tagPredictor        = 317
	tagTile             = 322
	tagFormat           = 339
)

type tiff32 struct {
	data  []byte
	order binary.ByteOrder
	tags  map[uint16][]uint32
}

var errDirectory = errors.New("its directory is damaged")

// directory reads the first directory's whole numbers.
func (d *tiff32) directory() error {
	d.tags = map[uint16][]uint32{}
	at, err := d.at(4, 4)
	if err != nil {
		return err
	}
	dir := uint64(d.order.Uint32(at))
	count, err := d.at(dir, 2)
	if err != nil {
		return err
	}
	for i := range uint64(d.order.Uint16(count)) {
		e, err := d.at(dir+2+12*i, 12)
		if err != nil {
			return err
		}
		size := map[uint16]uint64{3: 2, 4: 4}[d.order.Uint16(e[2:])]
		n := uint64(d.order.Uint32(e[4:]))
		if size == 0 {
			continue
		}
		values := e[8:]
		if n*size > 4 {
			if values, err = d.at(uint64(d.order.Uint32(e[8:])), n*size); err != nil {
				return err
			}
		}
		list := make([]uint32, n)
		for k := range list {
			if size == 2 {
				list[k] = uint32(d.order.Uint16(values[2*k:]))
			} else {
				list[k] = d.order.Uint32(values[4*k:])
			}
		}
		d.tags[d.order.Uint16(e)] = list
	}
	return nil
}

// at are n bytes of the file.
func (d *tiff32) at(from, n uint64) ([]byte, error) {
	if from > uint64(len(d.data)) || n > uint64(len(d.data))-from {
		return nil, errDirectory
	}
	return d.data[from:][:n], nil
}

func (d *tiff32) first(tag uint16, otherwise uint32) uint32 {
	if v := d.tags[tag]; len(v) > 0 {
		return v[0]
	}
	return otherwise
}

func (d *tiff32) labels() (*Labels, error) {
	w, h := int(d.first(tagWidth, 0)), int(d.first(tagHeight, 0))
	if w < 1 || h < 1 || h > picture.MaxPixels/w {
		return nil, fmt.Errorf("%dx%d labels", w, h)
	}
	if len(d.tags[tagTile]) > 0 || d.first(tagPredictor, 1) > 2 {
		return nil, errors.New("a TIFF in tiles, or with a predictor of floats: save it in strips, uncompressed")
	}
	strips, sizes := d.tags[tagStrips], d.tags[tagBytes]
	rows := int(min(d.first(tagRows, math.MaxInt32), uint32(h)))
	if rows < 1 || len(strips) != (h+rows-1)/rows || len(sizes) != len(strips) {
		return nil, errDirectory
	}
	l := &Labels{W: w, H: h, Pix: make([]uint32, 0, w*h)}
	for i, from := range strips {
		packed, err := d.at(uint64(from), uint64(sizes[i]))
		if err != nil {
			return nil, err
		}
		n := 4 * w * min(rows, h-i*rows)
		if packed, err = d.unpack(packed, n); err != nil {
			return nil, err
		}
		d.append(l, packed)
	}
	return l, d.numbers(l)
}

// unpack gives the n bytes of a strip.
func (d *tiff32) unpack(data []byte, n int) ([]byte, error) {
	var r io.Reader
	switch c := d.first(tagCompression, 1); c {
	case 1:
		r = bytes.NewReader(data)
	case 5:
		r = lzw.NewReader(bytes.NewReader(data), lzw.MSB, 8)
	case 8, 32946:
		z, err := zlib.NewReader(bytes.NewReader(data))
		if err != nil {
			return nil, err
		}
		r = z
	default:
		return nil, fmt.Errorf("a TIFF of compression %d: save it uncompressed, or with deflate or LZW", c)
	}
	out := make([]byte, n)
	if _, err := io.ReadFull(r, out); err != nil {
		return nil, fmt.Errorf("cut off, or damaged: %w", err)
	}
	return out, nil
}

// append adds a strip's values, each of a row the difference to the one before where the file says so.
func (d *tiff32) append(l *Labels, strip []byte) {
	differences, before := d.first(tagPredictor, 1) == 2, uint32(0)
	for i := 0; i < len(strip)/4; i++ {
		v := d.order.Uint32(strip[4*i:])
		if differences && i%l.W > 0 {
			v += before
		}
		before = v
		l.Pix = append(l.Pix, v)
	}
}

// numbers turns what the values are coded as into labels; what is negative is unlabelled.
func (d *tiff32) numbers(l *Labels) error {
	format := d.first(tagFormat, 1)
	for i, v := range l.Pix {
		switch format {
		case 2:
			l.Pix[i] = uint32(max(int32(v), 0))
		case 3:
			f := math.Float32frombits(v)
			if f != float32(math.Trunc(float64(f))) || f > 1<<24 {
				return fmt.Errorf("its values are no whole numbers (%g), so it is no label map", f)
			}
			l.Pix[i] = uint32(max(f, 0))
		}
	}
	return nil
}
