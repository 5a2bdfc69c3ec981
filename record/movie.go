package record

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/segedge/segedge/video"
	"github.com/segedge/segedge/video/mp4"
)

// movie is the MP4. It begins with the first keyframe.
type movie struct {
	file *os.File
	w    *mp4.Writer
	err  error
}

// write adds a picture and gives its place in the movie; false where it is not in it.
func (m *movie) write(u video.Unit) (at time.Duration, ok bool) {
	if m.err != nil {
		return 0, false
	}
	if m.w == nil {
		if !u.Keyframe {
			return 0, false
		}
		m.w, m.err = mp4.NewWriter(m.file, mp4.Format{Width: u.Width, Height: u.Height})
	}
	if m.err == nil {
		m.err = m.w.Write(u)
	}
	if m.err != nil {
		return 0, false
	}
	return m.w.At(), true
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
