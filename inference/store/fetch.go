package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// silence is how long a server may send nothing before the download is given up; it can be resumed.
const silence = time.Minute

// fetch downloads address to path, from where the file there ends (RFC 9110, section 14).
func (s *Store) fetch(ctx context.Context, address, path string, f File) (err error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	have, err := file.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	if f.Size > 0 && have == f.Size {
		return nil // whole, but it was not verified before
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	res, err := s.request(ctx, address, have)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	switch {
	case res.StatusCode == http.StatusPartialContent && rangeStart(res) == have:
	case res.StatusCode == http.StatusOK: // the server does not resume
		if have > 0 {
			err = restart(file)
		}
		if have = 0; err != nil {
			return err
		}
	case res.StatusCode == http.StatusRequestedRangeNotSatisfiable:
		return errors.Join(fmt.Errorf("%s has less than was fetched before: try again from the start", address), restart(file))
	default:
		return fmt.Errorf("%s answers %s", address, res.Status)
	}
	total := f.Size
	if total == 0 && res.ContentLength > 0 {
		total = have + res.ContentLength
	}
	watch := time.AfterFunc(silence, func() { cancel(fmt.Errorf("the server sent nothing for %v", silence)) })
	defer watch.Stop()
	n, err := io.Copy(file, &meter{r: res.Body, step: func(n int64) {
		watch.Reset(silence)
		s.report(f, have+n, total)
	}})
	return s.explain(ctx, err, have+n, total, res.ContentLength >= 0 && n < res.ContentLength)
}

// explain turns the end of a copy into a sentence.
func (s *Store) explain(ctx context.Context, err error, done, total int64, short bool) error {
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return fmt.Errorf("the disk is full after %d of %d bytes: make room and pull again, it goes on from there: %w", done, total, err)
	case err != nil && context.Cause(ctx) != nil:
		return fmt.Errorf("stopped after %d of %d bytes, pull again to go on: %w", done, total, context.Cause(ctx))
	case err != nil || short || total > 0 && done < total:
		return fmt.Errorf("cut off after %d of %d bytes, pull again to go on: %w", done, total, errors.Join(io.ErrUnexpectedEOF, err))
	}
	return nil
}

func (s *Store) request(ctx context.Context, address string, from int64) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept-Encoding", "identity") // sizes and ranges are of the file itself
	if from > 0 {
		req.Header.Set("Range", "bytes="+strconv.FormatInt(from, 10)+"-")
	}
	return s.client().Do(req)
}

// rangeStart is the first byte of a partial answer, -1 where it does not say.
func rangeStart(res *http.Response) int64 {
	from, _, _ := strings.Cut(strings.TrimPrefix(res.Header.Get("Content-Range"), "bytes "), "-")
	n, err := strconv.ParseInt(from, 10, 64)
	if err != nil {
		return -1
	}
	return n
}

func restart(f *os.File) error {
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err := f.Seek(0, io.SeekStart)
	return err
}

// meter counts what is read.
type meter struct {
	r    io.Reader
	n    int64
	step func(n int64)
}

func (m *meter) Read(p []byte) (int, error) {
	n, err := m.r.Read(p)
	m.n += int64(n)
	if n > 0 {
		m.step(m.n)
	}
	return n, err
}
