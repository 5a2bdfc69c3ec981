package record

import (
	"errors"
	"fmt"
	"os"
	"sync/atomic"

	"github.com/segedge/segedge/video"
	"github.com/segedge/segedge/video/mp4"
)

// movie is the MP4. It begins with the first keyframe after the first frame, whose size it then knows.
type movie struct {
	file *os.File
	size *atomic.Pointer[[2]int]
	w    *mp4.Writer
	err  error
}

func (m *movie) write(u video.Unit) {
	if m.err != nil {
		return
	}
	if m.w == nil {
		size := m.size.Load()
		if size == nil || !u.Keyframe {
			return
		}
		m.w, m.err = mp4.NewWriter(m.file, mp4.Format{Width: size[0], Height: size[1]})
	}
	if m.err == nil {
		m.err = m.w.Write(u)
	}
}

func (m *movie) close() error {
	if m.w != nil {
		m.err = errors.Join(m.err, m.w.Close())
	}
	if m.err != nil {
		return fmt.Errorf("--out: %w", m.err)
	}
	return nil
}
