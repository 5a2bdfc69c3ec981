#!/usr/bin/env bash
# test-arm64.sh [PICTURE]: runs the packed arm64 program of build/dist under qemu-user (make dist ARCH="amd64 arm64" first): version, doctor, segment by clicks and a box, and
# compares its masks with those of the packed amd64 program. It tells nothing of speed.
set -euo pipefail
cd "$(dirname "$0")/.."
picture=${1:-docs/gallery.jpg} work=$PWD/build/arm64 root=$PWD/build/sysroot/arm64
for program in build/dist/{amd64,arm64}/tree/usr/bin/segedge; do [ -x "$program" ] || { echo "there is no $program: make dist ARCH=\"amd64 arm64\" first" >&2; exit 1; }; done
mkdir -p "$work/state" && export STATE_DIRECTORY=$work/state
amd64() { SEGEDGE_ORT_LIB=$PWD/build/dist/amd64/tree/usr/lib/segedge/libonnxruntime.so.1 build/dist/amd64/tree/usr/bin/segedge "$@"; }
arm64() { SEGEDGE_ORT_LIB=$PWD/build/dist/arm64/tree/usr/lib/segedge/libonnxruntime.so.1 qemu-aarch64-static -L "$root" build/dist/arm64/tree/usr/bin/segedge "$@"; }
file -b build/dist/arm64/tree/usr/bin/segedge | cut -c1-60
is() { if [ "$2" = "$3" ]; then echo "ok    $1: $2"; else echo "FAIL  $1: $2, not $3"; failed=1; fi; }
is "version" "$(arm64 version | sed 's/arm64/…/g')" "$(amd64 version | sed 's/amd64/…/g')"
if arm64 doctor --timeout 10m --set http.listen= >"$work/doctor.log" 2>&1; then echo "ok    doctor"; else echo "FAIL  doctor"; cat "$work/doctor.log"; failed=1; fi
n=0
for prompt in --point=0.25,0.25 --point=0.75,0.25 --point=0.25,0.75 --point=0.5,0.5 --box=0.1,0.1,0.4,0.45; do
  n=$((n + 1))
  amd64 segment "$picture" $prompt --mask "$work/amd64-$n.png" --json >"$work/amd64-$n.json"
  arm64 segment "$picture" $prompt --mask "$work/arm64-$n.png" --json >"$work/arm64-$n.json"
  iou=$(go run -C tools ./maskiou "$work/amd64-$n.png" "$work/arm64-$n.png")
  if awk -v x="$iou" 'BEGIN {exit !(x >= 0.999)}'; then echo "ok    $prompt: IoU $iou of the two masks"; else echo "FAIL  $prompt: IoU $iou of the two masks"; failed=1; fi
done
[ -z "${failed:-}" ]
