package picture

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
)

// ErrFormat is a file of a form that is not read; the error names it and says what to do.
var ErrFormat = errors.New("this form of picture is not read")

// others are forms that people have, by their first bytes, and what to do with them.
var others = []struct{ magic, name, advice string }{
	{"\x00\x00\x00\x0cJXL ", "a JPEG XL picture", "save it as PNG or JPEG (djxl IN OUT.png)"},
	{"\xff\x0a", "a JPEG XL picture", "save it as PNG or JPEG (djxl IN OUT.png)"},
	{"\x00\x00\x00\x0cjP  ", "a JPEG 2000 picture", "save it as PNG or JPEG (opj_decompress -i IN -o OUT.png)"},
	{"8BPS", "a Photoshop file", "export it as PNG or JPEG"},
	{"%PDF", "a PDF document", "render a page as PNG (pdftoppm -png IN OUT)"},
	{"<svg", "an SVG drawing", "render it as PNG (rsvg-convert IN -o OUT.png)"},
	{"<?xml", "an XML file, perhaps a drawing", "render it as PNG"},
	{"<!DOCTYPE html", "a web page", "fetch the picture itself"},
	{"<html", "a web page", "fetch the picture itself"},
	{"\x1a\x45\xdf\xa3", "a video", "follow it with segedge run --source FILE"},
	{"version https://git-lfs", "a Git LFS pointer", "fetch the file itself (git lfs pull)"},
	{"P5", "a PGM picture", "save it as PNG"},
	{"P6", "a PPM picture", "save it as PNG"},
	{"\x00\x00\x01\x00", "an icon", "save it as PNG"},
	{"v/1\x01", "an OpenEXR picture", "save it as PNG"},
}

// brands of the files that begin with a box ftyp (ISO/IEC 14496-12; 23008-12 for pictures).
var brands = map[string]string{
	"heic": "HEIC", "heix": "HEIC", "heim": "HEIC", "heis": "HEIC", "hevc": "HEIC", "hevx": "HEIC", "mif1": "HEIF", "msf1": "HEIF",
	"avif": "AVIF", "avis": "AVIF", "crx ": "Canon raw",
}

// refusal says what a file is that none of the readers knows.
func refusal(data []byte, err error) error {
	if len(data) == 0 {
		return errors.New("the file is empty")
	}
	if len(data) >= 12 && string(data[4:8]) == "ftyp" {
		name, ok := brands[string(data[8:12])]
		if !ok {
			return fmt.Errorf("%w: it is a video: follow it with segedge run --source FILE", ErrFormat)
		}
		return fmt.Errorf(
			"%w: it is %s picture: save it as JPEG or PNG (heif-convert IN OUT.jpg; telephones: \"most compatible\")",
			ErrFormat,
			a(name),
		)
	}
	head := bytes.TrimLeft(data[:min(len(data), 64)], " \t\r\n\ufeff")
	for _, o := range others {
		if bytes.HasPrefix(data, []byte(o.magic)) || bytes.HasPrefix(head, []byte(o.magic)) {
			return fmt.Errorf("%w: it is %s: %s", ErrFormat, o.name, o.advice)
		}
	}
	return fmt.Errorf("neither JPEG nor PNG, GIF, WebP, BMP or TIFF: %w", err)
}

// damage says why a picture of a known form is not decoded.
func damage(data []byte, format string, err error) error {
	if format == "webp" && bytes.Contains(data[:min(len(data), 256)], []byte("ANIM")) {
		return fmt.Errorf("%w: it is an animated WebP: save one picture of it as PNG", ErrFormat)
	}
	return fmt.Errorf("a %s file that is damaged, or of a kind that is not read: %w", format, err)
}

// unread are the endings of pictures that are not read.
var unread = map[string]string{
	".heic": "HEIC",
	".heif": "HEIF",
	".avif": "AVIF",
	".jxl":  "JPEG XL",
	".jp2":  "JPEG 2000",
	".svg":  "SVG",
	".psd":  "Photoshop",
}

// Refused says of a file whose name ends like a picture of a form that is not read what to do with it; nil for any other name.
func Refused(name string) error {
	form, ok := unread[strings.ToLower(filepath.Ext(name))]
	if !ok {
		return nil
	}
	return fmt.Errorf("%w: %s is %s picture: save it as JPEG or PNG", ErrFormat, filepath.Base(name), a(form))
}

// a is a form's name with its article.
func a(form string) string {
	if strings.HasPrefix(form, "A") || strings.HasPrefix(form, "S") { // an SVG
		return "an " + form
	}
	return "a " + form
}
