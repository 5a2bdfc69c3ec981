// Command maskiou prints the intersection over union of two masks, white on black, as segedge segment writes them. Two empty masks are equal.
package main

import (
	"fmt"
	"image"
	_ "image/png"
	"os"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: maskiou A.png B.png")
		os.Exit(2)
	}
	iou, err := compare(os.Args[1], os.Args[2])
	if err != nil {
		fmt.Fprintln(os.Stderr, "maskiou:", err)
		os.Exit(1)
	}
	fmt.Printf("%.6f\n", iou)
}

func compare(a, b string) (float64, error) {
	x, err := read(a)
	if err != nil {
		return 0, err
	}
	y, err := read(b)
	if err != nil {
		return 0, err
	}
	if x.Bounds() != y.Bounds() {
		return 0, fmt.Errorf("%s is of %v, %s of %v", a, x.Bounds(), b, y.Bounds())
	}
	both, either := 0, 0
	for py := x.Bounds().Min.Y; py < x.Bounds().Max.Y; py++ {
		for px := x.Bounds().Min.X; px < x.Bounds().Max.X; px++ {
			p, q := white(x, px, py), white(y, px, py)
			if p && q {
				both++
			}
			if p || q {
				either++
			}
		}
	}
	if either == 0 {
		return 1, nil
	}
	return float64(both) / float64(either), nil
}

func white(m image.Image, x, y int) bool {
	r, _, _, _ := m.At(x, y).RGBA()
	return r >= 1<<15
}

func read(path string) (image.Image, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	m, _, err := image.Decode(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return m, nil
}
