#!/usr/bin/env bash
# test-clock.sh OUT: the program as it is packed, but with a wall clock that starts where TEST_CLOCK says and jumps (systemd/boot/clock): Go's own package time is
# built with a few lines more, so that the agent and every library in it see that clock, and no line of the agent is another than in the package.
set -euo pipefail
cd "$(dirname "$0")/.."
work=$PWD/build/clock/testdata time=$(go env GOROOT)/src/time
mkdir -p "$work"
cp systemd/boot/clock/testclock.go.txt "$work/testclock.go"
sed '/^func Now() Time {$/,/^}$/s/sec, nsec, mono := \(runtimeNow\|now\)()/&\n\tsec += wrongBy()/' "$time/time.go" > "$work/time.go"
grep -q 'wrongBy' "$work/time.go" || { echo "test-clock: Go's time.Now reads another way than this script knows" >&2; exit 1; }
printf '{"Replace": {"%s": "%s", "%s": "%s"}}\n' "$time/time.go" "$work/time.go" "$time/testclock.go" "$work/testclock.go" > "$work/overlay.json"
scripts/compile.sh "$(dpkg --print-architecture)" "$1" test-clock -overlay "$work/overlay.json"
