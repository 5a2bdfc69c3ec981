#!/usr/bin/env bash
# test-debian.sh [SUITE [PACKAGE…]]: builds segedge in a fresh tree of another Debian (trixie) and runs the tests of what touches its libraries, or of the packages that are
# named. As root; needs debootstrap. Go and its caches are this machine's: what is
# compiled with C is compiled anew there, since the compiler is another.
set -euo pipefail
cd "$(dirname "$0")/.."
suite=${1:-trixie}
shift || true
packages=("$@")
[ ${#packages[@]} -gt 0 ] || packages=(./capture/... ./config ./frame/... ./inference/onnx ./tracker/flow ./video/...)
tree=${TREE:-$PWD/build/debian/$suite}
command -v debootstrap >/dev/null || { echo "SKIPPED: debootstrap is not installed: nothing was built on Debian $suite"; exit 0; }
[ "$(id -u)" = 0 ] || { echo "SKIPPED: chroot needs root: nothing was built on Debian $suite"; exit 0; }
mkdir -p build/debian "$(dirname "$tree")"
[ -e "$tree/etc/debian_version" ] || debootstrap --variant=minbase "$suite" "$tree" "${MIRROR:-http://deb.debian.org/debian}" >build/debian/debootstrap.log
cp /etc/resolv.conf "$tree/etc/resolv.conf"
mounts=("$(go env GOROOT):usr/local/go" "$(go env GOMODCACHE):root/go/pkg/mod" "$(go env GOCACHE):root/.cache/go-build" "$PWD:src" "$(readlink -f "$(dirname "${SEGEDGE_ORT_LIB:-lib/segedge/libonnxruntime.so.1}")"):opt/onnxruntime" /dev:dev /proc:proc)
unmount() { for m in "${mounts[@]}"; do umount "$tree/${m##*:}" 2>/dev/null || true; done; }
trap unmount EXIT
for m in "${mounts[@]}"; do mkdir -p "$tree/${m##*:}" && mount --bind "${m%%:*}" "$tree/${m##*:}"; done
inside() { chroot "$tree" env -i PATH=/usr/local/go/bin:/usr/bin:/bin:/usr/sbin:/sbin HOME=/root DEBIAN_FRONTEND=noninteractive GOFLAGS=-buildvcs=false GOPROXY=off \
  CGO_CXXFLAGS="-O2 -g0" SEGEDGE_ORT_LIB=/opt/onnxruntime/libonnxruntime.so.1 "$@"; }
printf 'path-exclude=/usr/share/doc/*\npath-exclude=/usr/share/man/*\nforce-unsafe-io\n' >"$tree/etc/dpkg/dpkg.cfg.d/lean"
inside apt-get update -qq
inside apt-get install -y -qq --no-install-recommends g++ pkg-config libopencv-dev libavformat-dev libavcodec-dev libswscale-dev ffmpeg git ca-certificates >build/debian/apt.log 2>&1 ||
  { tail -20 build/debian/apt.log >&2; exit 1; }
inside sh -c '. /etc/os-release && echo "$PRETTY_NAME, OpenCV $(pkg-config --modversion opencv4), libavformat $(pkg-config --modversion libavformat), $(g++ -dumpfullversion), $(go version)"'
inside sh -c 'cd /src && go build -o /root/segedge ./cmd/segedge && /root/segedge version' && echo "ok    it builds"
inside sh -c 'cd /src && go test -count=1 "$@"' sh "${packages[@]}"
