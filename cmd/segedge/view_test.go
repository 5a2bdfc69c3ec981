package main

import (
	"bytes"
	"image/jpeg"
	"net/http"
	"testing"

	"github.com/segedge/segedge/api"
)

// The picture that viewers and models get is the one that the configuration asks for, black where nobody may look.
func TestThePictureIsTheConfiguredOne(t *testing.T) {
	l := startAgent(t, `cameras:
- name: a
  source: synthetic
  width: 320
  height: 240
  rotate: 90
  privacy:
  - points: [[0, 0], [1, 0], [1, 0.5], [0, 0.5]]
`)
	l.until("it is upright", func() bool {
		s := l.state("a")
		return s.State == api.Running && s.Width == 240 && s.Height == 320
	})
	res, err := http.Get(l.page + "api/v1/cameras/a/snapshot.jpg?overlay=0")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var body bytes.Buffer
	_, _ = body.ReadFrom(res.Body)
	img, err := jpeg.Decode(&body)
	if err != nil {
		t.Fatalf("%d: %v", res.StatusCode, err)
	}
	at := func(x, y int) uint32 { r, g, b, _ := img.At(x, y).RGBA(); return (r + g + b) / 3 >> 8 }
	if at(120, 60) > 8 || at(20, 140) > 8 {
		t.Errorf("the masked half shows %d and %d", at(120, 60), at(20, 140))
	}
	bright := 0
	for y := 180; y < 320; y += 10 {
		for x := 0; x < 240; x += 10 {
			if at(x, y) > 20 {
				bright++
			}
		}
	}
	if bright == 0 {
		t.Error("the other half is black too")
	}
}
