#!/usr/bin/env bash
# compile.sh ARCH OUT VERSION [FLAG…]: the program as it is packed, for this machine's architecture or for arm64; the flags go to go build. Another architecture's
# is linked against a tree of its Debian packages (sysroot.sh).
set -euo pipefail
cd "$(dirname "$0")/.."
arch=$1 out=$2 version=$3
shift 3
# Sections that nothing calls are dropped, so that OpenCV's windows, and Qt with them, are not asked of a box without a screen.
export CGO_CFLAGS="-O2 -g0 -ffunction-sections -fdata-sections" CGO_CXXFLAGS="-O2 -g0 -ffunction-sections -fdata-sections"
link="-Wl,--gc-sections -Wl,--no-export-dynamic"
multiarch=$(dpkg-architecture -a"$arch" -qDEB_HOST_MULTIARCH 2>/dev/null)
libraries=/usr/lib/$multiarch
if [ "$arch" != "$(dpkg --print-architecture)" ]; then
  scripts/sysroot.sh "$arch"
  root=$PWD/build/sysroot/$arch libraries=$PWD/build/sysroot/$arch/usr/lib/$multiarch
  export GOARCH=$arch CGO_ENABLED=1 CC=$multiarch-gcc CXX=$multiarch-g++
  export PKG_CONFIG_SYSROOT_DIR=$root PKG_CONFIG_LIBDIR=$libraries/pkgconfig:$root/usr/share/pkgconfig CGO_LDFLAGS="-O2 -L$libraries"
  link+=" -Wl,-rpath-link,$libraries -Wl,-rpath-link,$libraries/blas -Wl,-rpath-link,$libraries/lapack -Wl,-rpath-link,$root/usr/lib"
fi
# The build id is a name: Go's own tells of the folders that were built in, through the linker's flags.
go build -trimpath -buildvcs=false -ldflags "-s -w -buildid=segedge-$version-$arch -X main.version=$version -extldflags '$link'" -o "$out" "$@" ./cmd/segedge
scripts/prune-needed.sh "$out" "$libraries"
