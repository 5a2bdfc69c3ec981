#!/bin/sh
# tool.sh NAME PACKAGE: builds bin/NAME from the version that tools/go.mod pins, unless that is there already.
set -eu
cd "$(dirname "$0")/.."
[ -x "bin/$1" ] && [ "bin/$1" -nt tools/go.sum ] && exit 0
echo "building $1, once"
mkdir -p bin
CGO_ENABLED=0 go build -C tools -o "../bin/$1" "$2"
