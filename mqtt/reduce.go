package mqtt

import (
	"encoding/json"
	"fmt"

	"github.com/segedge/segedge/seg"
)

// How an event says that its mask had to become smaller to pass the broker.
const (
	maskOutline = "outline" // after.polygons instead of after.mask
	maskNone    = "none"
	maskBare    = "bare" // before is left out as well
)

// slacks are how far an outline may stray from the mask, as a share of the frame's longer side, finest first.
var slacks = []float64{1. / 400, 1. / 100, 1. / 25}

// reduceEvent writes an event with less of a mask, and without what was before if it must be, so that its body has at most so many bytes;
// false when there is no way.
func reduceEvent(body []byte, most int) ([]byte, bool) {
	var event, after map[string]json.RawMessage
	if json.Unmarshal(body, &event) != nil || json.Unmarshal(event["after"], &after) != nil || after == nil {
		return nil, false
	}
	var out []byte
	var rle seg.RLE
	if json.Unmarshal(after["mask"], &rle) == nil {
		delete(after, "mask")
		if mask, err := rle.Mask(); err == nil {
			for _, slack := range slacks {
				after["polygons"], _ = json.Marshal(outline(mask, slack*float64(max(mask.W, mask.H)))) // numbers always encode
				if out = withMask(event, after, maskOutline); len(out) <= most {
					return out, true
				}
			}
		}
		delete(after, "polygons")
		if out = withMask(event, after, maskNone); len(out) <= most {
			return out, true
		}
	}
	event["before"] = json.RawMessage("null")
	out = withMask(event, after, maskBare)
	return out, len(out) <= most
}

func withMask(event, after map[string]json.RawMessage, how string) []byte {
	event["after"], _ = json.Marshal(after) // raw JSON always encodes
	event["mask_reduced"] = fmt.Appendf(nil, "%q", how)
	out, _ := json.Marshal(event)
	return out
}

// outline is a mask's rings, rounded as all coordinates are.
func outline(m *seg.Mask, epsilon float64) [][][2]float64 {
	rings := [][][2]float64{}
	for _, ring := range m.Polygons(epsilon) {
		points := make([][2]float64, len(ring))
		for i, p := range ring {
			points[i] = [2]float64{seg.Round4(p.X), seg.Round4(p.Y)}
		}
		rings = append(rings, points)
	}
	return rings
}
