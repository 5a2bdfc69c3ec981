// Package config is what a person may set: the defaults, a strict YAML file, environment variables and key=value
// settings over it, and the check that all of it makes sense. It opens nothing but the file it is told to read, and no
// package but the command imports it.
package config

import (
	"errors"
	"fmt"
	"net"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/segedge/segedge/secret"
)

// Config is everything that can be set, by its dotted key.
type Config struct {
	Agent     Agent     `yaml:"agent"`
	Cameras   []Camera  `yaml:"cameras"`
	Model     Model     `yaml:"model"`
	Grounding Grounding `yaml:"grounding"`
	Tracker   Tracker   `yaml:"tracker"`
	Video     Video     `yaml:"video"`
	HTTP      HTTP      `yaml:"http"`
	MQTT      MQTT      `yaml:"mqtt"`
	Events    Events    `yaml:"events"`
	Log       Log       `yaml:"log"`
}

// Agent names this agent.
type Agent struct {
	Name  string `yaml:"name"`  // in MQTT topics; the host's name by default
	State string `yaml:"state"` // folder for the outbox and the token; $STATE_DIRECTORY, else the user's state folder
}

// Camera is one source of frames.
type Camera struct {
	Name   string `yaml:"name"`
	Source string `yaml:"source"` // synthetic, /dev/video0, file, folder of images, rtsp://…, gst: …, csi:0
	Loop   bool   `yaml:"loop"`   // start a file again at its end
	Width  int    `yaml:"width"`  // asked of the device; 0 leaves its own
	Height int    `yaml:"height"`
	FPS    int    `yaml:"fps"`
	// Prompts are asked on the first frame: point:x,y[,label], box:x0,y0,x1,y1, text:PHRASE.
	Prompts []string `yaml:"prompts"`
	Zones   []Shape  `yaml:"zones"` // polygons that report who enters and leaves
	Lines   []Shape  `yaml:"lines"` // directed lines, from and to, that report who crosses
}

// Shape is a named polygon or line in normalised coordinates.
type Shape struct {
	Name   string       `yaml:"name"`
	Points [][2]float64 `yaml:"points"`
}

// Model chooses the segmentation model.
type Model struct {
	Name     string `yaml:"name"`     // default, a name of `segedge models list`, or a folder with the two graphs
	Encoder  string `yaml:"encoder"`  // or the files themselves
	Decoder  string `yaml:"decoder"`  //
	Family   string `yaml:"family"`   // where the files leave a choice
	Provider string `yaml:"provider"` // the best that may be used: auto, tensorrt, cuda, cpu
	Threads  int    `yaml:"threads"`  // of the CPU provider; 0 leaves it to the agent
	Input    int    `yaml:"input"`    // longest side that the default model sees, a multiple of 32; 0 is its own
}

// Grounding turns phrases into boxes.
type Grounding struct {
	Model string `yaml:"model"` // a YOLOX ONNX file; none means no text prompts
}

// Tracker bounds the following of objects.
type Tracker struct {
	MaxObjects int     `yaml:"max_objects"`
	Budget     float64 `yaml:"budget"` // share of the model's lane, 0..1, that routine keyframes may take
}

// Video is the picture that people watch.
type Video struct {
	Bitrate int `yaml:"bitrate"` // bits a second
}

// HTTP is the page, the API and WHEP.
type HTTP struct {
	Listen     string `yaml:"listen"`      // empty for none
	Token      string `yaml:"token"`       // asked of everybody; needed off loopback
	ICEPort    int    `yaml:"ice_port"`    // the UDP port of all viewers; 0 takes a free one
	MaxViewers int    `yaml:"max_viewers"` // per camera
}

// MQTT is the broker.
type MQTT struct {
	Broker       string        `yaml:"broker"`   // tcp://host:1883, tls://host:8883; empty starts an embedded one
	Embedded     string        `yaml:"embedded"` // address of the embedded one; 127.0.0.1:1883, or a free port where that is taken
	Prefix       string        `yaml:"prefix"`   // segedge/<agent> by default
	Username     string        `yaml:"username"`
	PasswordFile string        `yaml:"password_file"`
	CA           string        `yaml:"ca"`
	Cert         string        `yaml:"cert"`
	Key          string        `yaml:"key"`
	Discovery    bool          `yaml:"discovery"` // Home Assistant
	Masks        time.Duration `yaml:"masks"`     // least time between two messages on …/masks; 0 for none
}

// Events bounds the news.
type Events struct {
	UpdateInterval time.Duration `yaml:"update_interval"` // least time between two object.updated of an object; 0 sends every change
}

// Log is what is written to standard error.
type Log struct {
	Level string `yaml:"level"` // debug, info, warn, error
}

// Default is what runs when nothing is set.
func Default() Config {
	return Config{
		Agent:   Agent{Name: hostName()},
		Cameras: []Camera{{Name: "camera", Source: "synthetic"}},
		Model:   Model{Name: "default", Provider: "auto"},
		Tracker: Tracker{MaxObjects: 64, Budget: 0.5},
		Video:   Video{Bitrate: 2_500_000},
		HTTP:    HTTP{Listen: "127.0.0.1:8080", MaxViewers: 8},
		MQTT:    MQTT{},
		Events:  Events{UpdateInterval: time.Second},
		Log:     Log{Level: "info"},
	}
}

var (
	nameForm   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$`)
	notAllowed = regexp.MustCompile(`[^A-Za-z0-9_.-]+`)
)

func hostName() string {
	h, err := os.Hostname()
	h = strings.Trim(notAllowed.ReplaceAllString(h, "-"), "-.")
	if err != nil || !nameForm.MatchString(h) {
		return "edge"
	}
	return h
}

// Validate reports everything that makes no sense, each with its key.
func (c *Config) Validate() error {
	var errs []error
	add := func(key, format string, args ...any) {
		errs = append(errs, fmt.Errorf("%s: %s", key, fmt.Sprintf(format, args...)))
	}
	if !nameForm.MatchString(c.Agent.Name) {
		add("agent.name", "%q: letters, digits, '_', '.' and '-' only, at most 64", c.Agent.Name)
	}
	c.checkCameras(add)
	c.checkModel(add)
	c.checkDoors(add)
	if c.Tracker.MaxObjects < 1 || c.Tracker.MaxObjects > 1000 {
		add("tracker.max_objects", "%d is not within 1..1000", c.Tracker.MaxObjects)
	}
	if !(c.Tracker.Budget > 0 && c.Tracker.Budget <= 1) {
		add("tracker.budget", "%g is not within 0..1", c.Tracker.Budget)
	}
	if c.Video.Bitrate < 100_000 || c.Video.Bitrate > 100_000_000 {
		add("video.bitrate", "%d is not within 100000..100000000 bits a second", c.Video.Bitrate)
	}
	if c.Events.UpdateInterval < 0 {
		add("events.update_interval", "%v is negative", c.Events.UpdateInterval)
	}
	if !slices.Contains([]string{"debug", "info", "warn", "error"}, c.Log.Level) {
		add("log.level", "%q is none of debug, info, warn, error", c.Log.Level)
	}
	return errors.Join(errs...)
}

func (c *Config) checkCameras(add func(key, format string, args ...any)) {
	if len(c.Cameras) == 0 || len(c.Cameras) > 16 {
		add("cameras", "%d cameras; an agent has 1 to 16", len(c.Cameras))
	}
	seen := map[string]bool{}
	for i, cam := range c.Cameras {
		key := fmt.Sprintf("cameras.%d", i)
		switch {
		case !nameForm.MatchString(cam.Name):
			add(key+".name", "%q: letters, digits, '_', '.' and '-' only, at most 64", cam.Name)
		case seen[cam.Name]:
			add(key+".name", "%q names two cameras", cam.Name)
		}
		seen[cam.Name] = true
		if cam.Source == "" {
			add(key+".source", "a camera needs a source, such as synthetic or /dev/video0")
		}
		if cam.Width < 0 || cam.Width > 8192 || cam.Height < 0 || cam.Height > 8192 || cam.FPS < 0 || cam.FPS > 240 {
			add(key, "%dx%d at %d frames a second is out of range", cam.Width, cam.Height, cam.FPS)
		}
		checkShapes(key+".zones", cam.Zones, 3, 64, add)
		checkShapes(key+".lines", cam.Lines, 2, 2, add)
	}
}

func checkShapes(key string, shapes []Shape, least, most int, add func(key, format string, args ...any)) {
	for i, s := range shapes {
		if s.Name == "" {
			add(fmt.Sprintf("%s.%d.name", key, i), "a name is needed")
		}
		if n := len(s.Points); n < least || n > most {
			add(fmt.Sprintf("%s.%d.points", key, i), "%d points, not %d to %d", n, least, most)
		}
		for _, p := range s.Points {
			if !(p[0] >= 0 && p[0] <= 1 && p[1] >= 0 && p[1] <= 1) {
				add(fmt.Sprintf("%s.%d.points", key, i), "[%g, %g] lies outside 0..1", p[0], p[1])
			}
		}
	}
}

func (c *Config) checkModel(add func(key, format string, args ...any)) {
	if (c.Model.Encoder == "") != (c.Model.Decoder == "") {
		add("model", "encoder and decoder come together")
	}
	if !slices.Contains([]string{"auto", "tensorrt", "cuda", "cpu"}, c.Model.Provider) {
		add("model.provider", "%q is none of auto, tensorrt, cuda, cpu", c.Model.Provider)
	}
	if c.Model.Threads < 0 || c.Model.Threads > 256 {
		add("model.threads", "%d is not within 0..256", c.Model.Threads)
	}
	if n := c.Model.Input; n != 0 && (n < 64 || n > 2048 || n%32 != 0) {
		add("model.input", "%d is not a multiple of 32 within 64..2048", n)
	}
}

func (c *Config) checkDoors(add func(key, format string, args ...any)) {
	if c.HTTP.Listen != "" {
		if _, _, err := net.SplitHostPort(c.HTTP.Listen); err != nil {
			add("http.listen", "%q is no host:port", c.HTTP.Listen)
		}
	}
	if c.HTTP.ICEPort < 0 || c.HTTP.ICEPort > 65535 {
		add("http.ice_port", "%d is no port", c.HTTP.ICEPort)
	}
	if c.HTTP.MaxViewers < 1 || c.HTTP.MaxViewers > 100 {
		add("http.max_viewers", "%d is not within 1..100", c.HTTP.MaxViewers)
	}
	if c.MQTT.Masks < 0 {
		add("mqtt.masks", "%v is negative", c.MQTT.Masks)
	}
	if strings.ContainsAny(c.MQTT.Prefix, "+#\x00") {
		add("mqtt.prefix", "%q has a wildcard in it", c.MQTT.Prefix)
	}
	if c.MQTT.Broker == "" {
		return
	}
	u, err := secret.ParseURL(c.MQTT.Broker)
	if err != nil {
		add("mqtt.broker", "%q: %v", secret.Mask(c.MQTT.Broker), err)
		return
	}
	if u.Host == "" || !slices.Contains([]string{"tcp", "mqtt", "tls", "ssl", "mqtts", "ws", "wss"}, u.Scheme) {
		add("mqtt.broker", "%q is no broker address such as tcp://host:1883 or tls://host:8883", secret.Mask(c.MQTT.Broker))
	}
}
