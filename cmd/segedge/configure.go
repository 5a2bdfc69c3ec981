package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/config"
)

// remoteSettings are the settings that a command may change: none that names a file or a pipeline of this machine, none that opens a door,
// none that shows what a mask hides. Those are changed by who can write the file.
var remoteSettings = regexp.MustCompile(
	`^(cameras\..+\.(width|height|fps|input|loop|prompts|zones|lines)|model\.(name|provider|threads|input)|` +
		`tracker\.\w+|video\.\w+|events\.\w+|log\.level)$`,
)

// maxSet bounds the settings of one command.
const maxSet = 64

// configure is the command config: the settings are written into the file, everything else in it staying as it is, and made true. A
// configuration that would be wrong is refused, and the file stays as it was.
func (b *builder) configure(ctx context.Context, set map[string]json.RawMessage) (api.ConfigResult, error) {
	none := api.ConfigResult{}
	if len(set) == 0 || len(set) > maxSet {
		return none, refusal(fmt.Sprintf("%d settings: set 1 to %d", len(set), maxSet))
	}
	changes := map[string]string{}
	for key, value := range set {
		if err := b.changeable(key); err != nil {
			return none, err
		}
		changes[key] = string(value)
	}
	var name string
	if json.Unmarshal([]byte(changes["model.name"]), &name) == nil { // else it is not there, or wrong, which is told below
		if err := listed(name, b.state); err != nil {
			return none, refusal(err.Error())
		}
	}
	cfg, err := b.write(changes)
	if err != nil {
		return none, err
	}
	return b.apply(ctx, cfg)
}

func refusal(sentence string) error { return &api.Error{Code: api.BadRequest, Message: sentence} }

// changeable says why a command may not change a setting.
func (b *builder) changeable(key string) error {
	if !remoteSettings.MatchString(key) {
		return refusal(fmt.Sprintf("%s is no setting that a command changes: change it in the file", key))
	}
	if _, _, ok := cameraSetting(key); ok && b.run.Source != "" {
		return refusal("the camera comes from the command line, not from the file")
	}
	return nil
}

// placed are changes with the cameras' places in the file instead of their names: the file may have been changed since it was last read.
func (b *builder) placed(changes map[string]string) (map[string]string, error) {
	l, err := b.run.read()
	if err != nil {
		return nil, refusal(err.Error())
	}
	out := map[string]string{}
	for key, value := range changes {
		if camera, rest, ok := cameraSetting(key); ok {
			i := slices.IndexFunc(l.Cameras, func(c config.Camera) bool { return c.Name == camera })
			if n, err := strconv.Atoi(camera); i < 0 && err == nil && n >= 0 && n < len(l.Cameras) {
				i = n
			}
			if i < 0 {
				return nil, refusal(fmt.Sprintf("cameras.%s: there is no such camera in the file", camera))
			}
			key = fmt.Sprintf("cameras.%d.%s", i, rest)
		}
		out[key] = value
	}
	return out, nil
}

// cameraSetting splits cameras.<name>.<setting>: a name may have dots in it, a setting has none.
func cameraSetting(key string) (camera, setting string, ok bool) {
	name, ok := strings.CutPrefix(key, "cameras.")
	i := strings.LastIndexByte(name, '.')
	if !ok || i < 0 {
		return "", "", false
	}
	return name[:i], name[i+1:], true
}

// write changes the file, if the agent would take the result.
func (b *builder) write(changes map[string]string) (config.Config, error) {
	b.writing.Lock()
	defer b.writing.Unlock()
	file, err := filepath.EvalSymlinks(b.run.Config) // the file itself is replaced, not a link to it
	if err != nil {
		return config.Config{}, err
	}
	if changes, err = b.placed(changes); err != nil {
		return config.Config{}, err
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return config.Config{}, err
	}
	edited, err := config.Edit(data, changes)
	if err != nil {
		return config.Config{}, refusal(err.Error())
	}
	next := filepath.Join(filepath.Dir(file), "."+filepath.Base(file)+".new")
	if err := writeLike(file, next, edited); err != nil {
		return config.Config{}, fmt.Errorf("the configuration cannot be written: %w", err)
	}
	defer os.Remove(next)
	trial := *b.run
	trial.Config = next
	cfg, err := trial.configure()
	if err != nil {
		return cfg, refusal(strings.ReplaceAll(err.Error(), next, file))
	}
	return cfg, os.Rename(next, file)
}

// writeLike writes a file of the mode and owner of another, and waits until it is on the disk.
func writeLike(like, name string, data []byte) (err error) {
	st, err := os.Stat(like)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, st.Mode().Perm())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if sys, ok := st.Sys().(*syscall.Stat_t); ok {
		_ = f.Chown(int(sys.Uid), int(sys.Gid)) // another's file becomes the service's where it may not be given back
	}
	if _, err := f.Write(data); err != nil {
		return err
	}
	return f.Sync()
}
