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
	outlines, err := json.Marshal(outline(o.Mask, outlineSlack))
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
		m := outgoing{key: "masks " + camera, topic: k.c.topics.Camera(camera, "masks")}
		var err error
		if m.payload, err = encodeMasks(list, state.Width, state.Height, k.c.o.MaskPolygons); err == nil && !k.c.fits(m) {
			m.payload, err = encodeMasks(list, state.Width, state.Height, true)
		}
		if err != nil {
			return fmt.Errorf("write the masks of camera %s: %w", camera, err)
		}
		if err := k.sendFitting(ctx, m); err != nil {
			return err
		}
	}
	return nil
}

// encodeMasks writes one frame's masks.
func encodeMasks(list api.Objects, w, h int, polygons bool) ([]byte, error) {
	m := masksMessage{api.Schema, list.Camera, list.Frame, make([]json.RawMessage, len(list.Objects))}
	for i := range list.Objects {
		doc, err := encodeMask(list.Camera, &list.Objects[i], w, h, polygons)
		if err != nil {
			return nil, err
		}
		m.Objects[i] = doc
	}
	return json.Marshal(m)
}
