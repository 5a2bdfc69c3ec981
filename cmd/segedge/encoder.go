package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/segedge/segedge/config"
	"github.com/segedge/segedge/video"
	"github.com/segedge/segedge/video/child"
	"github.com/segedge/segedge/video/openh264"
)

// Names of encoders that are not one of ffmpeg's.
const (
	linkedIn = "openh264"
	hardware = "auto"
	software = "libx264"
)

// encoder is what makes the pictures' encoders: the configured one, if it works here, with openh264 behind it.
func (b *builder) encoder(ctx context.Context) func(video.Format) (video.Encoder, error) {
	spare := openh264.New(openh264.Options{})
	c := &b.cfg.Video
	for _, name := range candidates(c.Encoder) {
		o := child.Options{Encoder: name, FFmpeg: c.FFmpeg}
		if err := child.Probe(ctx, o); err != nil {
			b.log.Warn("an encoder does not work here", "encoder", name, "err", err)
			continue
		}
		b.log.Info("pictures are encoded by a child process", "encoder", name)
		return video.Standby(child.New(o), spare, b.log)
	}
	if c.Encoder != linkedIn {
		b.log.Warn("openh264 encodes in place of the encoder that was asked for", "asked", c.Encoder)
	}
	return spare
}

// beside makes encoders of VP8 through ffmpeg, beside those of H.264.
func beside(h264 func(video.Format) (video.Encoder, error), program string) func(video.Format) (video.Encoder, error) {
	vp8 := child.New(vp8Options(program))
	return func(f video.Format) (video.Encoder, error) {
		if f.VP8 {
			return vp8(f)
		}
		return h264(f)
	}
}

func vp8Options(program string) child.Options {
	return child.Options{Encoder: child.VP8, FFmpeg: program}
}

// How long the trial of an encoder may take that a viewer waits for, and for how long its failure is believed: the machine may just be
// busy.
const (
	probeTime  = 10 * time.Second
	probeAgain = 10 * time.Second
)

// probeVP8 finds out, when it is asked, whether VP8 can be encoded here.
func probeVP8(program string) func() error {
	var mu sync.Mutex
	var works bool
	var failure error
	var failed time.Time
	return func() error {
		mu.Lock()
		defer mu.Unlock()
		if works || time.Since(failed) < probeAgain {
			return failure
		}
		ctx, cancel := context.WithTimeout(context.Background(), probeTime)
		defer cancel()
		failure = child.Probe(ctx, vp8Options(program))
		works, failed = failure == nil, time.Now()
		return failure
	}
}

// candidates are ffmpeg's encoders that a setting means, best first.
func candidates(setting string) (out []string) {
	for _, name := range child.Encoders() {
		if name == setting || setting == hardware && name != software {
			out = append(out, name)
		}
	}
	return out
}

// checkEncoder encodes a picture with openh264, and tries what ffmpeg has.
func checkEncoder(ctx context.Context, c config.Video) (string, error) {
	if err := checkOpenH264(); err != nil {
		return "", err
	}
	said := []string{"openh264, H.264 constrained baseline"}
	names := append(child.Encoders(), child.VP8)
	errs := make([]error, len(names))
	var probes sync.WaitGroup
	for i, name := range names {
		probes.Go(func() { errs[i] = child.Probe(ctx, child.Options{Encoder: name, FFmpeg: c.FFmpeg}) })
	}
	probes.Wait()
	for i, name := range names {
		err := errs[i]
		switch {
		case err == nil:
			said = append(said, name+" works")
		case name == c.Encoder:
			return "", fmt.Errorf("video.encoder %s does not work here, openh264 would take its place: %w", name, err)
		default:
			said = append(said, fmt.Sprintf("%s does not: %s", name, brief(err)))
		}
	}
	return strings.Join(said, "; "), nil
}

// brief is the first reason in an error of a child.
func brief(err error) string {
	s := strings.TrimPrefix(err.Error(), "video/child: ")
	for _, before := range []string{"] ", "erroneous pipeline: "} {
		if i := strings.LastIndex(s, before); i >= 0 {
			s = s[i+len(before):]
		}
	}
	s, _, _ = strings.Cut(s, ";")
	return s
}

func checkOpenH264() error {
	enc, err := openh264.New(openh264.Options{})(video.Format{Width: 1280, Height: 720, FPS: 30, Bitrate: 2_500_000})
	if err != nil {
		return err
	}
	var pic video.Picture
	pic.Resize(1280, 720)
	data, _, err := enc.Encode(&pic, true)
	if err := errors.Join(err, enc.Close()); err != nil {
		return err
	}
	if len(data) == 0 {
		return errors.New("openh264 gave no picture")
	}
	return nil
}
