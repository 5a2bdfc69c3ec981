package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/config"
)

// Cameras that have failed are made again ten seconds later, side by side, and whatever else there is to do need not wait for it.
func TestFailedCamerasWaitSideBySide(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := builder{failed: make(chan string, config.MaxCameras)}
		b.cameraFailed("a")
		time.Sleep(time.Second)
		b.cameraFailed("b")
		time.Sleep(failedWait - time.Second - time.Nanosecond)
		synctest.Wait()
		if n := len(b.failed); n > 0 {
			t.Fatalf("%d cameras are made again at once", n)
		}
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		if n := len(b.failed); n != 1 || <-b.failed != "a" {
			t.Fatalf("%d cameras are made again after ten seconds, want the first", n)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if n := len(b.failed); n != 1 {
			t.Fatalf("%d cameras are made again a second later, want the other", n)
		}
	})
}

// A change of the model waits for one that is being loaded, as long as it may, and says so if it may not wait longer.
func TestAChangeWaitsForTheModel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		loading := time.Now().Add(30 * time.Second)
		replace := func() error {
			if time.Now().Before(loading) {
				return &api.Error{Code: api.AlreadyRunning, Message: "another model is being loaded"}
			}
			return nil
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		if err := patiently(ctx, replace); !busy(errors.Join(errors.New("another"), err)) {
			t.Errorf("after ten seconds: %v", err)
		}
		if err := patiently(t.Context(), replace); err != nil {
			t.Error(err)
		}
		wrong := errors.New("wrong")
		if err := patiently(t.Context(), func() error { return wrong }); !errors.Is(err, wrong) || busy(err) {
			t.Error(err)
		}
	})
}

// A setting of a camera goes to that camera where the file says it now is, though the agent has not read the file's new order yet.
func TestASettingGoesToItsCamera(t *testing.T) {
	file := filepath.Join(t.TempDir(), "segedge.yaml")
	const yaml = "cameras:\n- {name: b, source: synthetic, fps: 4}\n- {name: a, source: synthetic, fps: 4}\n"
	if err := os.WriteFile(file, []byte(yaml), 0o600); err != nil {
		t.Fatal(err)
	}
	b := builder{run: &runCmd{settings: settings{Config: file}}}
	b.live.Cameras = []config.Camera{{Name: "a"}, {Name: "b"}}
	cfg, err := b.write(map[string]string{"cameras.b.fps": "9"})
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Camera("b").FPS != 9 || cfg.Camera("a").FPS != 4 {
		t.Errorf("%+v", cfg.Cameras)
	}
	data, err := os.ReadFile(file)
	if err != nil || !strings.Contains(string(data), "name: b, source: synthetic, fps: 9") {
		t.Errorf("%s, %v", data, err)
	}
	if _, err := b.write(map[string]string{"cameras.c.fps": "9"}); err == nil || !strings.Contains(err.Error(), "cameras.c: there is no such camera") {
		t.Errorf("%v", err)
	}
}
