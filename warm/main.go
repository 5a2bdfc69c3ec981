package main
import (
 _ "gocv.io/x/gocv"
 _ "github.com/yalue/onnxruntime_go"
 _ "github.com/eclipse/paho.mqtt.golang"
 _ "github.com/pion/webrtc/v4"
 _ "github.com/pion/mediadevices/pkg/codec/openh264"
 _ "github.com/mochi-mqtt/server/v2"
 _ "github.com/goccy/go-yaml"
 _ "github.com/alecthomas/kong"
 _ "github.com/coreos/go-systemd/v22/daemon"
 _ "github.com/schollz/progressbar/v3"
 _ "github.com/prometheus/client_golang/prometheus/promhttp"
 _ "github.com/bluenviron/gortsplib/v4"
 _ "github.com/chromedp/chromedp"
)
func main(){}
