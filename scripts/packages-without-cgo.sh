#!/bin/sh
# Lists the packages that build without cgo, which is all but the leaves that archtest names.
cd "$(dirname "$0")/.."
CGO_ENABLED=1 go list -f '{{.ImportPath}} {{.ImportPath}} {{join .Deps " "}}' ./... |
  grep -vE ' (gocv\.io/x/gocv|github\.com/yalue/onnxruntime_go|github\.com/segedge/segedge/capture/libav|github\.com/segedge/segedge/malloc|github\.com/pion/mediadevices/pkg/codec/openh264)( |$)' |
  cut -d' ' -f1 | grep -v '/e2e$'
