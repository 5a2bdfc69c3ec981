#!/bin/sh
# Installs the Debian packages that are missing: `packages.sh build` what building and running needs, `packages.sh test`
# what the tests need beside, `packages.sh dist` what packing needs, `packages.sh arm64` what packing for arm64 needs beside. Through sudo unless root; does nothing when all are there.
set -eu
build="build-essential pkg-config libopencv-dev libavformat-dev libavcodec-dev libswscale-dev npm ca-certificates"
tests="mosquitto mosquitto-clients coturn chromium ffmpeg systemd gstreamer1.0-tools gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad gstreamer1.0-plugins-ugly"
case ${1:-build} in
build) want=$build ;;
dist) want="$build patchelf dpkg-dev" ;;
arm64) want="crossbuild-essential-arm64 qemu-user-static" ;;
test) want="$build $tests" ;;
*) echo "usage: packages.sh build|test|dist|arm64" >&2; exit 2 ;;
esac
command -v npm >/dev/null && want=$(echo "$want" | sed 's/ npm / /') # a Node.js from elsewhere brings its own
[ -n "${SEGEDGE_ORT_LIB:-}" ] && want=$(echo "$want" | sed 's/ npm / /')
command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || missing_chromium=1
[ -z "${missing_chromium:-}" ] && want=$(echo "$want" | sed 's/ chromium / /')
if ! command -v dpkg-query >/dev/null; then
  echo "not a Debian or Ubuntu machine: make sure of $want, then go on" >&2
  exit 0
fi
missing=
for p in $want; do
  dpkg-query -W -f='${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || missing="$missing $p"
done
[ -z "$missing" ] && exit 0
sudo=
[ "$(id -u)" = 0 ] || sudo=sudo
echo "installing Debian packages:$missing"
$sudo apt-get update -qq
$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
