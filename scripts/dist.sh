#!/usr/bin/env bash
# dist.sh [ARCH]: makes dist/ for this machine's architecture or for arm64: a tarball, a Debian package, the list of what is inside (SPDX), checksums. The same commit
# gives the same bytes.
set -euo pipefail
cd "$(dirname "$0")/.."
arch=${1:-$(dpkg --print-architecture)}
version=$(git describe --tags --always --abbrev=12 --dirty 2>/dev/null || echo dev)
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct 2>/dev/null || echo 0)
export SOURCE_DATE_EPOCH
deb=${version#v}
[[ $deb =~ ^[0-9]+\. ]] || deb="0.0~git$(date -u -d "@$SOURCE_DATE_EPOCH" +%Y%m%d%H%M%S).$deb" # before the first tag
deb=${deb//-/+}
work=$PWD/build/dist/$arch tree=$PWD/build/dist/$arch/tree
rm -rf "$work" && mkdir -p "$work" dist
scripts/compile.sh "$arch" "$work/segedge" "$version"

runtime=${SEGEDGE_ORT_LIB:-lib/segedge/libonnxruntime.so.1} run=() notes=()
if [ "$arch" != "$(dpkg --print-architecture)" ]; then
  root=$PWD/build/sysroot/$arch
  runtime=$root/usr/lib/segedge/libonnxruntime.so.1
  run=(qemu-aarch64-static -L "$root")
  notes=("--admindir=$root/var/lib/dpkg" "-l$root/usr/lib/$(dpkg-architecture -a"$arch" -qDEB_HOST_MULTIARCH 2>/dev/null)")
fi
put() { install -D -m "$1" "$2" "$tree/$3"; }
put 755 "$work/segedge" usr/bin/segedge
put 644 "$runtime" usr/lib/segedge/libonnxruntime.so.1
sed 's#/usr/local/bin/#/usr/bin/#' systemd/segedge.service > "$work/segedge.service"
sed -f systemd/template.sed "$work/segedge.service" > "$work/segedge@.service"
for unit in segedge.service segedge@.service; do put 644 "$work/$unit" "usr/lib/systemd/system/$unit"; done
put 644 systemd/segedge.sysusers usr/lib/sysusers.d/segedge.conf
put 644 systemd/segedge.tmpfiles usr/lib/tmpfiles.d/segedge.conf
for f in systemd/*.conf README.md LICENSE NOTICE.md CHANGELOG.md; do put 644 "$f" "usr/share/doc/segedge/$(basename "$f")"; done
put 644 LICENSE usr/share/doc/segedge/copyright
gzip -9nc packaging/segedge.1 > "$work/segedge.1.gz" && put 644 "$work/segedge.1.gz" usr/share/man/man1/segedge.1.gz
put 644 packaging/completion.bash usr/share/bash-completion/completions/segedge
SEGEDGE_ORT_LIB="$tree/usr/lib/segedge/libonnxruntime.so.1" "${run[@]}" "$work/segedge" config default > "$work/segedge.yaml"

# What the program needs, as Debian's own tool finds it, for the libraries that it was linked with.
mkdir -p "$work/debian" && printf 'Source: segedge\n\nPackage: segedge\nArchitecture: any\n' > "$work/debian/control"
depends=$(cd "$work" && DEB_HOST_ARCH=$arch dpkg-shlibdeps "${notes[@]}" -O -e"$tree/usr/bin/segedge" 2>shlibdeps.log | sed 's/^shlibs:Depends=//') ||
  { cat "$work/shlibdeps.log" >&2; exit 1; }
[ -n "$depends" ] || { echo "dist: dpkg-shlibdeps found nothing that the program needs" >&2; exit 1; }
depends+=", ca-certificates, systemd | systemd-standalone-sysusers | systemd-sysusers, systemd | systemd-standalone-tmpfiles | systemd-tmpfiles"
depends=$(sed -E 's/, */", "/g; s/^/["/; s/$/"]/' <<<"$depends")

ARCH=$arch DEB_VERSION=$deb MTIME=$(date -u -d "@$SOURCE_DATE_EPOCH" +%Y-%m-%dT%H:%M:%SZ) TREE=$tree CONFIG=$work/segedge.yaml DEPENDS=$depends
export ARCH DEB_VERSION MTIME TREE CONFIG DEPENDS
perl -pe 's/\$\{(\w+)\}/$ENV{$1}/g' packaging/nfpm.yaml > "$work/nfpm.yaml"
find "$tree" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} + && touch -d "@$SOURCE_DATE_EPOCH" "$work/segedge.yaml"
package=dist/segedge_${deb}_$arch.deb tarball=dist/segedge-$version-linux-$arch.tar.gz
bin/nfpm package --config "$work/nfpm.yaml" --packager deb --target "$package" >/dev/null
tar --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner -C "$tree" -cf - . | gzip -9n > "$tarball"
go run -C tools ./sbom "$version" "$SOURCE_DATE_EPOCH" "$work/segedge" "$tree/usr/lib/segedge/libonnxruntime.so.1" > "dist/segedge-$version-linux-$arch.spdx.json"
(cd dist && sha256sum "$(basename "$package")" "$(basename "$tarball")" "segedge-$version-linux-$arch.spdx.json" > "SHA256SUMS-$arch")
ls -l dist
