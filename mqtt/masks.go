package mqtt

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/seg"
)

// masksMessage is one frame's masks.
type masksMessage struct {
	Schema  int               `json:"schema"`
	Camera  string            `json:"camera"`
	Frame   seg.FrameRef      `json:"frame"`
	Objects []json.RawMessage `json:"objects"`
}

// outlineSlack is how far an outline may stray from the mask, in cells of the mask's grid: the stairs of slanted edges
// are gone.
const outlineSlack = 1

// encodeMask writes an object with its mask, as run lengths on the full frame or as outlines.
func encodeMask(camera string, o *seg.Object, w, h int, polygons bool) (json.RawMessage, error) {
	if !polygons {
		return json.Marshal(seg.Document{Camera: camera, Object: o, W: w, H: h})
	}
	doc, err := json.Marshal(seg.Document{Camera: camera, Object: o})
	if err != nil || o.Mask == nil {
		return doc, err
	}
	rings := [][][2]float64{}
	for _, ring := range o.Mask.Polygons(outlineSlack) {
		points := make([][2]float64, len(ring))
		for i, p := range ring {
			points[i] = [2]float64{seg.Round4(p.X), seg.Round4(p.Y)}
		}
		rings = append(rings, points)
	}
	outlines, err := json.Marshal(rings)
	if err != nil {
		return nil, err
	}
	return fmt.Appendf(doc[:len(doc)-1], `,"polygons":%s}`, outlines), nil
}

// sendMasks sends the masks of each camera's newest frame, at QoS 0: a missed one is worth nothing.
func (k *keeper) sendMasks(ctx context.Context) error {
	for _, camera := range k.c.o.Service.Cameras() {
		state, _ := k.c.o.Service.State(camera)
		list, ok := k.c.o.Service.Objects(camera)
		if !ok || list.Frame.Seq == k.masks[camera] {
			continue
		}
		k.masks[camera] = list.Frame.Seq
		m := masksMessage{api.Schema, camera, list.Frame, make([]json.RawMessage, len(list.Objects))}
		for i := range list.Objects {
			doc, err := encodeMask(camera, &list.Objects[i], state.Width, state.Height, k.c.o.MaskPolygons)
			if err != nil {
				return fmt.Errorf("write the masks of camera %s: %w", camera, err)
			}
			m.Objects[i] = doc
		}
		payload, err := json.Marshal(m)
		if err != nil {
			return fmt.Errorf("write the masks of camera %s: %w", camera, err)
		}
		if err := k.l.Publish(ctx, k.c.topics.Camera(camera, "masks"), 0, false, payload); err != nil {
			return err
		}
	}
	return nil
}
