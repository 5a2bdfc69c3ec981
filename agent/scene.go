package agent

import (
	"github.com/segedge/segedge/capture"
	"github.com/segedge/segedge/seg"
)

// sceneChanged hears what the picture as a whole has become. It must not block.
func (c *camera) sceneChanged(s capture.SceneChange) {
	c.publish(seg.Event{
		Type: seg.CameraScene, Frame: seg.FrameRef{Seq: s.Seq, Captured: s.At},
		Details: map[string]any{"scene": s.To.String(), "was": s.From.String()},
	})
}

// waitForScene reports whether there is nothing to be seen now. If so, prompts given at start that are not met are asked as soon
// as there is.
func (c *camera) waitForScene() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.scene.Shows() {
		return false
	}
	c.asked = false
	return true
}
