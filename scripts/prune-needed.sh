#!/usr/bin/env bash
# prune-needed.sh BINARY LIBRARIES: takes off the list of shared libraries those of which the binary uses nothing; LIBRARIES is the folder that has them. OpenCV's
# pkg-config file names every module, and the linker's --as-needed decides before --gc-sections drops the code that used them; one of them, highgui, brings Qt and
# OpenGL to boxes without a screen.
set -euo pipefail
binary=$1 libraries=$2
used=$(nm -D --undefined-only "$binary" | awk '{sub(/@.*/, "", $2); print $2}' | sort -u)
readelf -d "$binary" | sed -nE 's/.*NEEDED.*\[(libopencv_[^]]*)\]/\1/p' | while read -r lib; do
  [ -e "$libraries/$lib" ] || { echo "prune-needed: $lib is not in $libraries" >&2; exit 1; }
  shared=$(comm -12 <(echo "$used") <(nm -D --defined-only "$libraries/$lib" | awk '{sub(/@.*/, "", $3); print $3}' | sort -u) | wc -l)
  [ "$shared" -gt 0 ] || { patchelf --remove-needed "$lib" "$binary"; echo "not needed: $lib"; }
done
