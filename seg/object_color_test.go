package seg_test

import (
	"encoding/json"
	"image/color"
	"strings"
	"testing"

	"github.com/segedge/segedge/seg"
)

func TestDocumentHasTheColour(t *testing.T) {
	o := seg.Object{ID: 3, Color: color.RGBA{76, 201, 240, 255}}
	if data, err := json.Marshal(seg.Document{Camera: "cam", Object: &o}); err != nil || !strings.Contains(string(data), `"color":"#4cc9f0"`) {
		t.Errorf("%s, %v", data, err)
	}
	o.Color = color.RGBA{}
	if data, err := json.Marshal(seg.Document{Camera: "cam", Object: &o}); err != nil || strings.Contains(string(data), "color") {
		t.Errorf("%s, %v: it has none", data, err)
	}
}
