#!/bin/sh
# test-packages.sh race|unit lists the packages that are tested under the race detector, or without it.
# race: those whose code or tests start goroutines, or hold locks or atomic values.
# unit: the others, and those that leave long tests out under the race detector (testkit.Long).
cd "$(dirname "$0")/.."
go list -f '{{.ImportPath}} {{.Dir}}' ./... | grep -v '/e2e ' | while read -r package dir; do
  if grep -qE '^[[:space:]]*go [a-z]|\.Go\(|sync\.(Mutex|RWMutex|WaitGroup|Cond|Pool|Map)|"sync/atomic"' "$dir"/*.go; then
    [ "$1" = race ] || grep -q 'testkit\.Long(' "$dir"/*_test.go 2>/dev/null || continue
  else
    [ "$1" = unit ] || continue
  fi
  echo "$package"
done
