#!/bin/sh
# onnxruntime.sh [ARCH FILE]: brings the pinned ONNX Runtime library to lib/segedge/, or that of another architecture (amd64, arm64) to FILE: the CPU build
# out of the npm package onnxruntime-node, checked by hash. Does nothing when it is there, or when SEGEDGE_ORT_LIB names this machine's.
set -eu
version=1.24.3
cd "$(dirname "$0")/.."
[ -n "${SEGEDGE_ORT_LIB:-}" ] && [ -z "${2:-}" ] && { [ -e "$SEGEDGE_ORT_LIB" ] || { echo "SEGEDGE_ORT_LIB=$SEGEDGE_ORT_LIB: no such file" >&2; exit 1; }; exit 0; }
machine=${1:-$(uname -m)} lib=${2:-lib/segedge/libonnxruntime.so.1}
case $machine in
x86_64 | amd64) arch=x64; sum=92ba8e44d31b80a34f5e805076a044122c3be1fffe0d88ed790de7267b0b2682 ;;
aarch64 | arm64) arch=arm64; sum=33032cb5b91c12edbf028d7c69fa40a31848d66c0095448758af237d5e0b07db ;;
*) echo "no ONNX Runtime is packaged for $machine: set SEGEDGE_ORT_LIB to a libonnxruntime.so of version 1.22 or newer" >&2; exit 1 ;;
esac
check() { echo "$sum  $1" | sha256sum -c --status -; }
[ -e "$lib" ] && check "$lib" && exit 0
command -v npm >/dev/null || { echo "npm is needed to fetch ONNX Runtime (apt install npm), or set SEGEDGE_ORT_LIB" >&2; exit 1; }
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
echo "fetching ONNX Runtime $version ($arch) from the npm package onnxruntime-node"
(cd "$tmp" && npm pack --silent "onnxruntime-node@$version" >/dev/null)
tar -xzf "$tmp"/onnxruntime-node-*.tgz -C "$tmp" "package/bin/napi-v6/linux/$arch/libonnxruntime.so.1" package/LICENSE 2>/dev/null ||
  tar -xzf "$tmp"/onnxruntime-node-*.tgz -C "$tmp" "package/bin/napi-v6/linux/$arch/libonnxruntime.so.1"
new=$tmp/package/bin/napi-v6/linux/$arch/libonnxruntime.so.1
check "$new" || { echo "the ONNX Runtime library has an unexpected hash: $(sha256sum "$new")" >&2; exit 1; }
mkdir -p "$(dirname "$lib")"
mv "$new" "$lib.new" && mv "$lib.new" "$lib"
