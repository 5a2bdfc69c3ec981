#!/bin/sh
# Lists the packages that the race detector is for: those whose code or tests start goroutines, or hold locks or atomic values.
cd "$(dirname "$0")/.."
go list -f '{{.ImportPath}} {{.Dir}}' ./... | grep -v '/e2e ' | while read -r package dir; do
  grep -qE '^[[:space:]]*go [a-z]|\.Go\(|sync\.(Mutex|RWMutex|WaitGroup|Cond|Pool|Map)|"sync/atomic"' "$dir"/*.go && echo "$package"
done
