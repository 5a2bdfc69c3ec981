#!/usr/bin/env bash
# sysroot.sh ARCH: makes build/sysroot/ARCH out of Debian's packages of another architecture (arm64): what a cross compiler links against, with the notes
# that dpkg-shlibdeps reads, and the ONNX Runtime library. Needs no root; SUITE is the Debian (bookworm). Does nothing when it is there.
set -euo pipefail
cd "$(dirname "$0")/.."
arch=$1 suite=${SUITE:-bookworm} mirror=${MIRROR:-http://deb.debian.org/debian}
root=$PWD/build/sysroot/$arch apt=$PWD/build/sysroot/apt-$arch
[ -e "$root/.whole" ] && exit 0
rm -rf "$root" && mkdir -p "$root/usr/lib" "$root/usr/bin" "$root/var/lib/dpkg/info" "$apt"/{etc/apt/preferences.d,var/lib/apt/lists/partial,var/lib/dpkg,var/cache/apt/archives/partial}
ln -s usr/lib "$root/lib" && ln -s usr/bin "$root/bin"

echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main" > "$apt/etc/apt/sources.list"
: > "$apt/var/lib/dpkg/status"
get() {
  apt-get -qq -o Dir="$apt" -o Dir::State::status="$apt/var/lib/dpkg/status" -o APT::Architecture="$arch" -o APT::Architectures="$arch" \
    -o APT::Install-Recommends=false -o APT::Sandbox::User= -o Acquire::Languages=none "$@"
}
echo "fetching Debian $suite's packages for $arch"
get update
get autoclean >/dev/null # one version of each
get install -y --download-only libopencv-dev libavformat-dev libavcodec-dev libswscale-dev >/dev/null

echo 1 > "$root/var/lib/dpkg/info/format" && printf '%s\n' "$(dpkg --print-architecture)" "$arch" > "$root/var/lib/dpkg/arch"
multiarch=$(dpkg-architecture -a"$arch" -qDEB_HOST_MULTIARCH)
for deb in "$apt"/var/cache/apt/archives/*.deb; do
  dpkg-deb --fsys-tarfile "$deb" | tar -x --keep-directory-symlink --exclude='./usr/share/*' --exclude='./etc/*' --exclude='./var/*' --exclude='./usr/s?bin/*' -C "$root"
  note=$(mktemp -d) && dpkg-deb -e "$deb" "$note"
  name=$(dpkg-deb -f "$deb" Package) own=
  [ "$(dpkg-deb -f "$deb" Multi-Arch)" != same ] || own=:$arch
  for f in shlibs symbols; do [ ! -e "$note/$f" ] || mv "$note/$f" "$root/var/lib/dpkg/info/$name$own.$f"; done
  dpkg-deb --fsys-tarfile "$deb" | tar -t | sed -E "s#^\.#$root#; s#^$root/lib/#$root/usr/lib/#" > "$root/var/lib/dpkg/info/$name$own.list" # dpkg-query --search is asked for whole paths
  { sed '/^Package:/a Status: install ok installed' "$note/control"; echo; } >> "$root/var/lib/dpkg/status"
  rm -rf "$note"
done
for lib in blas/libblas.so.3 lapack/liblapack.so.3; do # what update-alternatives would choose
  [ ! -e "$root/usr/lib/$multiarch/$lib" ] || ln -sf "$lib" "$root/usr/lib/$multiarch/$(basename "$lib")"
done
rm -f "$root/usr/lib/$multiarch"/lib{c,m,pthread,dl,rt}.{a,so} # the C library is the compiler's
find "$root/usr/lib" -lname '/*' | while read -r link; do ln -sfn "$root$(readlink "$link")" "$link"; done
scripts/onnxruntime.sh "$arch" "$root/usr/lib/segedge/libonnxruntime.so.1"
touch "$root/.whole"
