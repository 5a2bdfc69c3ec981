package eval

import (
	"fmt"
	"image"
	"os"
	"path/filepath"
	"testing"

	"github.com/segedge/segedge/dataset"
	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/tracker/lk"
	"github.com/segedge/segedge/tracker/motion"
)

const sceneW, sceneH = 160, 120

// square is a mask of one rectangle, in cells.
func square(w, h int, r image.Rectangle) *seg.Mask {
	m := seg.NewMask(w, h, r)
	for i := range m.Bits {
		m.Bits[i] = 1
	}
	return m
}

// mover is a textured square that goes vx, vy pixels a frame.
type mover struct {
	at     image.Rectangle
	vx, vy int
	color  [3]byte
}

func (m mover) rect(i int) image.Rectangle { return m.at.Add(image.Pt(m.vx*i, m.vy*i)) }

// scene draws frame i: a dark ground, and the movers with a chequered grain that moves with them.
func scene(i int, movers ...mover) (*frame.Frame, *dataset.Labels) {
	f, l := frame.New(sceneW, sceneH), &dataset.Labels{W: sceneW, H: sceneH, Pix: make([]uint32, sceneW*sceneH)}
	for k := range f.Pix {
		f.Pix[k] = 20 + byte(k/3%sceneW/8+k/f.Stride()/8)%2*6
	}
	for n, m := range movers {
		r := m.rect(i)
		for y := max(0, r.Min.Y); y < min(sceneH, r.Max.Y); y++ {
			for x := max(0, r.Min.X); x < min(sceneW, r.Max.X); x++ {
				grain := byte((x-r.Min.X)/4+(y-r.Min.Y)/4) % 2 * 10
				for c := range 3 {
					f.Pix[y*f.Stride()+3*x+c] = m.color[c] + grain
				}
				l.Pix[y*sceneW+x] = uint32(n + 1)
			}
		}
	}
	return f, l
}

var red, blue = [3]byte{40, 40, 220}, [3]byte{220, 60, 40}

// sequence writes a DAVIS folder with one sequence of n frames.
func sequence(t *testing.T, n int, movers ...mover) []dataset.Video {
	t.Helper()
	dir := t.TempDir()
	for i := range n {
		f, l := scene(i, movers...)
		if err := dataset.WriteDAVIS(dir, "walk", i, f, l); err != nil {
			t.Fatal(err)
		}
	}
	v, err := dataset.Videos(dir)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// pureFlow is optical flow without cgo.
func pureFlow() (motion.Flow, func() error, error) { return lk.New(lk.Options{}), nil, nil }

// pictures writes a folder of pictures and label maps, a picture a scene.
func pictures(t *testing.T, scenes ...[]mover) []dataset.Item {
	t.Helper()
	dir := t.TempDir()
	for i, movers := range scenes {
		f, l := scene(0, movers...)
		name := fmt.Sprintf("set%d_%04d", i%2, i)
		create(t, filepath.Join(dir, "images", name+".jpg"), func(w *os.File) error { return dataset.EncodeJPEG(w, f, 95) })
		create(t, filepath.Join(dir, "labels", name+".png"), func(w *os.File) error { return l.Encode(w) })
	}
	set, err := dataset.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return set.Items
}

func create(t *testing.T, path string, write func(*os.File) error) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := write(f); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}
