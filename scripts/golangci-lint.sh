#!/bin/sh
# Builds bin/golangci-lint from the version that tools/go.mod pins, unless that is there already.
set -eu
cd "$(dirname "$0")/.."
made=bin/golangci-lint
[ -x "$made" ] && [ "$made" -nt tools/go.sum ] && exit 0
echo "building golangci-lint, once"
go build -C tools -o "../$made" github.com/golangci/golangci-lint/v2/cmd/golangci-lint
