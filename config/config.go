// Package config is what a person may set: the defaults, a strict YAML file, credentials, environment variables and key=value
// settings over it, the check that all of it makes sense, its JSON Schema, and the way back into the file with its comments kept. It
// opens nothing but the files it is told to read, and no package but the command imports it.
package config

import "time"

// Config is everything that can be set, by its dotted key. The tags of a field are its name, what it is (in the schema and in the
// default file), and its bounds: enum, or min and max.
type Config struct {
	Agent     Agent     `yaml:"agent"`
	Cameras   []Camera  `yaml:"cameras" help:"1 to 16"`
	Model     Model     `yaml:"model"`
	Grounding Grounding `yaml:"grounding"`
	Tracker   Tracker   `yaml:"tracker"`
	Video     Video     `yaml:"video"`
	Clips     Clips     `yaml:"clips"`
	HTTP      HTTP      `yaml:"http"`
	RTSP      RTSP      `yaml:"rtsp"`
	MQTT      MQTT      `yaml:"mqtt"`
	Webhooks  []Webhook `yaml:"webhooks" secret:"true" help:"addresses that events are posted to"`
	Events    Events    `yaml:"events"`
	Data      Data      `yaml:"data"`
	Log       Log       `yaml:"log"`
	Debug     Debug     `yaml:"debug"`
	Telemetry Telemetry `yaml:"telemetry"`
}

// Agent names this agent.
type Agent struct {
	Name  string `yaml:"name" help:"in MQTT topics; empty takes the host's name at start"`
	State string `yaml:"state" help:"folder for the outbox and the token; empty is $STATE_DIRECTORY, else the user's state folder"`
}

// Camera is one source of frames.
type Camera struct {
	Name         string `yaml:"name" help:"letters, digits, '_', '.' and '-'"`
	Source       string `yaml:"source" help:"synthetic[:preset], /dev/video0, file, folder of images, rtsp://…, http://…, gst: …, csi:0"`
	Username     string `yaml:"username" help:"of an rtsp:// or http:// source, in place of one in its address"`
	Password     string `yaml:"password" secret:"true" help:"its password, as it is: nothing needs encoding here"`
	PasswordFile string `yaml:"password_file" help:"file that holds the password, read at each opening"`
	Loop         bool   `yaml:"loop" help:"start a file again at its end"`
	Width        int    `yaml:"width" min:"0" max:"8192" help:"asked of the device; 0 leaves its own"`
	Height       int    `yaml:"height" min:"0" max:"8192" help:"asked of the device; 0 leaves its own"`
	Input        int    `yaml:"input" min:"0" max:"2048" help:"longest side that the model sees of it, a multiple of 32, at most model.input; 0 is that"`
	FPS          int    `yaml:"fps" min:"0" max:"240" help:"asked of the device; 0 leaves its own"`
	// What the picture is made into before anything else sees it, in this order.
	Rotate  int       `yaml:"rotate" enum:"0,90,180,270" help:"degrees clockwise"`
	Flip    string    `yaml:"flip" enum:",horizontal,vertical,both" help:"mirror the picture"`
	Crop    []float64 `yaml:"crop" help:"x0, y0, x1, y1 within 0..1 of the turned picture"`
	Privacy []Shape   `yaml:"privacy" help:"polygons of the picture as shown that are black before anything else sees it"`
	Prompts []string  `yaml:"prompts" help:"asked on the first frame: point:x,y[,label], box:x0,y0,x1,y1, text:PHRASE; follow:PHRASE and text:every … go on looking"`
	Zones   []Shape   `yaml:"zones" help:"polygons that report who enters and leaves"`
	Lines   []Shape   `yaml:"lines" help:"directed lines, from and to, that report who crosses"`
}

// Shape is a named polygon or line in normalised coordinates.
type Shape struct {
	Name    string       `yaml:"name"`
	Points  [][2]float64 `yaml:"points" help:"x and y within 0..1"`
	Classes []string     `yaml:"classes" help:"of zones and lines: only objects in whose name, or phrase, one of these stands; empty for all"`
}

// Model chooses the segmentation model.
type Model struct {
	Name     string `yaml:"name" help:"default, a name of segedge models list, or a folder or file with ONNX graphs"`
	Encoder  string `yaml:"encoder" help:"or the two graphs themselves"`
	Decoder  string `yaml:"decoder"`
	Family   string `yaml:"family" help:"where the files fit several"`
	Provider string `yaml:"provider" enum:"auto,tensorrt,cuda,cpu" help:"the best that may be used"`
	Threads  int    `yaml:"threads" min:"0" max:"256" help:"of the CPU provider; 0 leaves cores to the camera's path"`
	Input    int    `yaml:"input" min:"0" max:"2048" help:"longest side that the default model sees, a multiple of 32; 0 is its own"`
	Remote   Remote `yaml:"remote"`
}

// Remote is an inference server that runs the model's graphs, the encoder or both. While it is away the built-in model serves here.
type Remote struct {
	Address   string        `yaml:"address" help:"http://host:8000, https://host, grpc://host:8001 or grpcs://host; empty for none"`
	Encoder   string        `yaml:"encoder" help:"name of the encoder there"`
	Decoder   string        `yaml:"decoder" help:"name of the decoder there; empty runs model.decoder, or that of model.name, here"`
	CA        string        `yaml:"ca" help:"PEM file with who vouches for the server"`
	Cert      string        `yaml:"cert" help:"PEM file, where the server wants to know who asks"`
	Key       string        `yaml:"key" help:"its key"`
	TokenFile string        `yaml:"token_file" help:"file that holds the bearer token, read at every call"`
	Timeout   time.Duration `yaml:"timeout" min:"0" help:"of a call with its repetitions; after it the local model answers"`
	Retries   int           `yaml:"retries" min:"0" max:"10" help:"repetitions of a call that may go better the next time"`
	Picture   string        `yaml:"picture" enum:"raw,jpeg" help:"how pictures go: as the encoder's tensor, or as JPEG to one that decodes it"`
}

// Grounding turns phrases into boxes.
type Grounding struct {
	Model    string `yaml:"model" help:"a YOLOX ONNX file; empty is the built-in one, none no text prompts"`
	Synonyms string `yaml:"synonyms" help:"a text file of more words, lines of word: word, word"`

	Budget float64 `yaml:"budget" help:"share of the time, 0..1, that looking for what is followed by its phrase may take"`
}

// Tracker bounds the following of objects.
type Tracker struct {
	MaxObjects int     `yaml:"max_objects" min:"1" max:"1000" help:"objects a camera"`
	Budget     float64 `yaml:"budget" help:"share of the model's lane, 0..1, that routine keyframes may take"`
}

// Video is the picture that people watch.
type Video struct {
	Bitrate int    `yaml:"bitrate" min:"100000" max:"100000000" help:"bits a second"`
	Encoder string `yaml:"encoder" enum:"openh264,auto,libx264,h264_nvenc,h264_qsv,h264_vaapi,h264_v4l2m2m,nvv4l2h264enc" help:"what compresses it; nvv4l2h264enc, which is Jetson's, through gst-launch-1.0, all others but openh264 through ffmpeg. auto is hardware that works here, else openh264"`
	FFmpeg  string `yaml:"ffmpeg" help:"the program, where it is not on the path"`
}

// Clips are recordings by command, or around events.
type Clips struct {
	Folder   string        `yaml:"folder" help:"where they are kept; empty is clips in the state folder"`
	PreRoll  time.Duration `yaml:"pre_roll" min:"0" help:"what a clip shows of the time before it; more than 0s keeps the encoder running always"`
	PostRoll time.Duration `yaml:"post_roll" min:"0" help:"how long a clip goes on after its event"`
	Longest  time.Duration `yaml:"longest" min:"0" help:"after which a clip ends by itself"`
	Events   []string      `yaml:"events" help:"types of events that are recorded by themselves, such as zone.entered"`
	MaxAge   time.Duration `yaml:"max_age" min:"0" help:"clips that are older are deleted; 0s keeps them"`
	MaxSize  int           `yaml:"max_size" min:"10" max:"100000000" help:"megabytes of all clips together: the oldest are deleted"`
}

// HTTP is the page, the API and WHEP.
type HTTP struct {
	Listen    string  `yaml:"listen" help:"host:port; empty for none"`
	Token     string  `yaml:"token" secret:"true" help:"asked of everybody, with every right; needed off loopback"`
	TokenFile string  `yaml:"token_file" help:"file that holds the token"`
	Tokens    []Token `yaml:"tokens" secret:"true" help:"further tokens with fewer rights"`
	Cert      string  `yaml:"cert" help:"PEM file; the page then speaks HTTPS. Read again when it changes"`
	Key       string  `yaml:"key" help:"its key"`
	ICEPort   int     `yaml:"ice_port" min:"0" max:"65535" help:"the UDP port of all viewers; 0 takes a free one"`
	// How video finds its way where there is no plain one.
	ICETCP         string   `yaml:"ice_tcp" help:"[host]:port for the video of viewers that cannot use UDP; empty for none"`
	ICEServers     []string `yaml:"ice_servers" help:"STUN and TURN servers: stun:host:port, turn:host:port?transport=tcp"`
	ICECredentials string   `yaml:"ice_credentials_file" help:"file that holds user:password for the TURN servers"`
	ICEInterfaces  []string `yaml:"ice_interfaces" help:"network interfaces whose addresses viewers are told of; empty for all"`
	PublicIPs      []string `yaml:"public_ips" help:"addresses that a router in front translates to this machine, told instead of its own"`
	BasePath       string   `yaml:"base_path" help:"path that a proxy in front serves the page below, such as /cam/yard"`
	TrustedProxies []string `yaml:"trusted_proxies" help:"addresses or networks of proxies whose X-Forwarded headers are believed"`

	MaxViewers int `yaml:"max_viewers" min:"1" max:"100" help:"per camera"`
}

// Token is one person's or program's way in.
type Token struct {
	Name      string `yaml:"name" help:"who has it, in the log"`
	Role      string `yaml:"role" enum:"view,prompt,admin" help:"may look; may change objects too; may change the agent too"`
	Token     string `yaml:"token" secret:"true" help:"at least 16 characters"`
	TokenFile string `yaml:"token_file" help:"file that holds it"`
}

// RTSP is the picture for recorders.
type RTSP struct {
	Listen     string `yaml:"listen" help:"host:port, such as :8554, where recorders read rtsp://host:8554/<camera>; empty for none"`
	MaxReaders int    `yaml:"max_readers" min:"1" max:"100" help:"of all cameras together"`
}

// MQTT is the broker.
type MQTT struct {
	Broker       string        `yaml:"broker" help:"tcp://host:1883, tls://host:8883, ws://, wss://, unix://; empty starts an embedded one"`
	Embedded     string        `yaml:"embedded" help:"address of the embedded one; 127.0.0.1:1883, or a free port where that is taken"`
	Users        []User        `yaml:"users" secret:"true" help:"who may use the embedded one; needed off loopback"`
	Prefix       string        `yaml:"prefix" help:"of every topic; segedge/<agent> by default"`
	Version      int           `yaml:"version" help:"5 for MQTT 5; anything else is 3.1.1" min:"0" max:"5"`
	ClientID     string        `yaml:"client_id" help:"segedge-<agent> by default; no two clients of a broker may have the same"`
	Username     string        `yaml:"username"`
	Password     string        `yaml:"password" secret:"true"`
	PasswordFile string        `yaml:"password_file" help:"file that holds the password, read at every connection"`
	CA           string        `yaml:"ca" help:"PEM file"`
	Cert         string        `yaml:"cert" help:"PEM file: the agent's own, or the embedded broker's, which then speaks TLS"`
	Key          string        `yaml:"key" help:"PEM file"`
	Discovery    bool          `yaml:"discovery" help:"Home Assistant discovery"`
	Group        bool          `yaml:"group" help:"take commands for all agents too, on segedge/all/<camera or all>/cmd/<verb>"`
	Images       bool          `yaml:"images" help:"retained pictures on <camera>/image and <camera>/image/<name>, one a minute and for new objects"`
	Masks        time.Duration `yaml:"masks" min:"0" help:"least time between two messages on <camera>/masks; 0 for none"`
}

// User is who may use the embedded broker.
type User struct {
	Name         string `yaml:"name"`
	Role         string `yaml:"role" enum:"view,prompt,admin" help:"may read; may give commands about objects too; may give all of them"`
	Password     string `yaml:"password" secret:"true" help:"at least 8 characters"`
	PasswordFile string `yaml:"password_file" help:"file that holds it"`
}

// Webhook is an address that events are posted to.
type Webhook struct {
	URL       string   `yaml:"url" help:"http:// or https:// address"`
	Token     string   `yaml:"token" secret:"true" help:"sent as Authorization: Bearer"`
	TokenFile string   `yaml:"token_file" help:"file that holds the token"`
	CA        string   `yaml:"ca" help:"PEM file"`
	Cert      string   `yaml:"cert" help:"PEM file"`
	Key       string   `yaml:"key" help:"PEM file"`
	Events    []string `yaml:"events" help:"types of events that are posted; empty is all"`
}

// Events bounds the news.
type Events struct {
	UpdateInterval time.Duration `yaml:"update_interval" min:"0" help:"least time between two object.updated of an object; 0s sends every change"`
}

// Data is what is kept to learn from.
type Data struct {
	Collect  bool          `yaml:"collect" help:"keep the picture and the mask when a person confirms, refines or rejects one"`
	Propose  time.Duration `yaml:"propose" min:"0" help:"how often what the cameras show is looked at for masks to propose; 0s for never"`
	Folder   string        `yaml:"folder" help:"where; empty is data in the state folder"`
	MaxMB    int           `yaml:"max_mb" min:"1" max:"1000000" help:"megabytes at most; the oldest pictures go first"`
	MaxAge   time.Duration `yaml:"max_age" min:"0" help:"pictures that are older go; 0s for none"`
	Daily    int           `yaml:"daily" min:"1" max:"100000" help:"pictures a day at most"`
	Blur     string        `yaml:"blur" enum:"faces,person" help:"before keeping: faces and number plates, or whole people too"`
	Cascades string        `yaml:"cascades" help:"folder of OpenCV's cascades; empty is that of Debian's opencv-data. Without them nothing is kept"`
}

// Log is what is written to standard error.
type Log struct {
	Level  string `yaml:"level" enum:"debug,info,warn,error"`
	Format string `yaml:"format" enum:"text,json"`
}

// Debug is for who looks for a fault.
type Debug struct {
	Listen string `yaml:"listen" help:"address on loopback for Go's profiles (/debug/pprof); empty for none"`
}

// Telemetry is where traces go.
type Telemetry struct {
	OTLP  string        `yaml:"otlp" help:"OpenTelemetry collector (OTLP over HTTP), such as http://host:4318; empty is $OTEL_EXPORTER_OTLP_ENDPOINT, else no traces"`
	Every time.Duration `yaml:"every" min:"0" help:"between two frames of a camera that are traced, 5s at least; 0s for commands alone"`
}

// Default is what runs when nothing is set.
func Default() Config {
	return Config{
		Cameras: []Camera{{Name: "camera", Source: "synthetic"}},
		Model: Model{
			Name: "default", Provider: "auto", Remote: Remote{Timeout: 2 * time.Second, Retries: 1, Picture: "raw"},
		},
		Tracker: Tracker{MaxObjects: 64, Budget: 0.9},
		Video:   Video{Bitrate: 2_500_000, Encoder: "openh264"},
		Clips:   Clips{PostRoll: 10 * time.Second, Longest: 10 * time.Minute, MaxAge: 7 * 24 * time.Hour, MaxSize: 2000},
		HTTP:    HTTP{Listen: "127.0.0.1:8080", MaxViewers: 8},
		RTSP:    RTSP{MaxReaders: 8},
		Events:  Events{UpdateInterval: time.Second},
		Data:    Data{MaxMB: 1024, MaxAge: 30 * 24 * time.Hour, Daily: 200, Blur: "faces"},
		Log:     Log{Level: "info", Format: "text"},

		Telemetry: Telemetry{Every: 10 * time.Second},

		Grounding: Grounding{Budget: 0.25},
	}
}
