#!/usr/bin/env bash
# test-docker-steps.sh: runs the steps of deploy/docker/Dockerfile in a fresh Debian tree, with chroot in place of Docker, then starts the image's command as the image's user
# and asks it what HEALTHCHECK asks. As root; needs debootstrap; make dist first. The other Dockerfiles are linted alone (LINT names hadolint).
set -euo pipefail
cd "$(dirname "$0")/.."
file=deploy/docker/Dockerfile base=$PWD/build/systemd/base-bookworm tree=$PWD/build/docker/tree
if [ -n "${LINT:-}" ]; then "$LINT" deploy/docker/Dockerfile* && echo "ok    the linter has nothing to say of $(ls deploy/docker/Dockerfile* | wc -l) files"; else echo "skip  LINT names no hadolint: not linted"; fi
command -v debootstrap >/dev/null || { echo "SKIPPED: debootstrap is not installed: the steps were not run"; exit 0; }
[ "$(id -u)" = 0 ] || { echo "SKIPPED: chroot needs root: the steps were not run"; exit 0; }
[ -e "$base/etc/debian_version" ] || debootstrap --variant=minbase --include=systemd,systemd-sysv,dbus,curl bookworm "$base" "${MIRROR:-http://deb.debian.org/debian}" >/dev/null
rm -rf "$tree" && mkdir -p "$(dirname "$tree")" && cp -a "$base" "$tree"
cp /etc/resolv.conf "$tree/etc/resolv.conf" && mkdir -p "$tree/proc" "$tree/dev"
mount -t proc proc "$tree/proc" && mount --bind /dev "$tree/dev"
trap 'umount "$tree/dev" "$tree/proc"' EXIT
began=$(date +%s) user=root environment=() check=() entry=() command=()
words() { mapfile -t "$1" < <(python3 -c 'import json,sys; print("\n".join(json.loads(sys.argv[1])))' "$2"); }
while read -r step rest; do
  case $step in
  COPY) sources=($rest); to=$tree${sources[-1]}; mkdir -p "$to"; newest=$(ls -t ${sources[0]} | sed -n 1p); cp "$newest" "$to"; echo "ok    COPY $newest" ;;
  RUN) chroot "$tree" /bin/sh -c "$rest" >build/docker/step.log 2>&1 || { tail -20 build/docker/step.log >&2; echo "FAIL  RUN $rest"; exit 1; }; echo "ok    RUN $rest" | cut -c1-120 ;;
  ENV) environment+=($rest) ;;
  USER) user=$rest ;;
  HEALTHCHECK) words check "${rest#*CMD }" ;;
  ENTRYPOINT) words entry "$rest" ;;
  CMD) words command "$rest" ;;
  esac
done < <(sed -e '/^#/d' -e ':a;/\\$/{N;s/\\\n//;ba}' "$file")
echo "ok    all steps, in $(($(date +%s) - began)) s"
# Alone with a loopback of its own, so that the image's port is free.
export user tree
printf '%s\0' "${environment[@]}" "${entry[@]}" "${command[@]}" >build/docker/command
printf '%s\0' "${check[@]}" >build/docker/check
unshare --net bash -euc '
  ip link set lo up
  mapfile -d "" -t command <build/docker/command
  mapfile -d "" -t check <build/docker/check
  chroot --userspec="$user" "$tree" env "${command[@]}" >build/docker/agent.log 2>&1 &
  agent=$! healthy=
  for _ in $(seq 120); do
    if chroot --userspec="$user" "$tree" "${check[@]}" 2>/dev/null; then healthy=1; break; fi
    kill -0 "$agent" 2>/dev/null || break
    sleep 1
  done
  who=$(ps -o user= -p "$agent" || true)
  kill "$agent" 2>/dev/null || true; wait "$agent" || true
  [ -n "$healthy" ] || { echo "FAIL  HEALTHCHECK"; tail -20 build/docker/agent.log; exit 1; }
  echo "ok    the agent runs as user $who, and HEALTHCHECK is content"
'
