#!/usr/bin/env bash
# test-docker-steps.sh: runs the steps of deploy/docker's Dockerfiles in fresh Debian trees, with chroot in place of Docker. A step below "# never run: why" is told and left
# out, and so is what copies its result. Then it starts the first file's command as the image's user and asks it what HEALTHCHECK asks. As root; needs debootstrap; make dist
# first. LINT names hadolint.
set -euo pipefail
cd "$(dirname "$0")/.."
work=$PWD/build/docker base=$PWD/build/docker/base
if [ -n "${LINT:-}" ]; then "$LINT" deploy/docker/Dockerfile* && echo "ok    the linter has nothing to say of $(ls deploy/docker/Dockerfile* | wc -l) files"; else echo "skip  LINT names no hadolint: not linted"; fi
command -v debootstrap >/dev/null || { echo "SKIPPED: debootstrap is not installed: the steps were not run"; exit 0; }
[ "$(id -u)" = 0 ] || { echo "SKIPPED: chroot needs root: the steps were not run"; exit 0; }
mkdir -p "$work"
if [ ! -e "$base/etc/debian_version" ]; then
  rm -rf "$base.new" && debootstrap --variant=minbase bookworm "$base.new" "${MIRROR:-http://deb.debian.org/debian}" >"$work/debootstrap.log" && mv "$base.new" "$base"
fi
rm -rf "$work/layers" && mkdir "$work/layers"
trap 'umount "$work"/*/dev "$work"/*/proc 2>/dev/null || true' EXIT
words() { mapfile -t "$1" < <(python3 -c 'import json,sys; print("\n".join(json.loads(sys.argv[1])))' "$2"); }
said() { echo "$1 $2" | cut -c1-120; }

# steps FILE: a line for each, with why it is left out, or -, before it.
steps() {
  awk '/^# never run: / {why = substr($0, 14); next} /^(#|$)/ {next}
    {line = line $0; if (sub(/\\$/, "", line)) next; print (why == "" ? "-" : why) "\t" line; line = why = ""}' "$1"
}

# chroot_run COMMAND: a RUN in the stage's tree; what came before it by the same steps is taken as it was left, as Docker does.
chroot_run() {
  if [ -e "$work/layers/$key" ]; then rm -rf "$tree" && cp -a "$work/layers/$key" "$tree" && said "ok   " "RUN, as before: $1" && return; fi
  cp /etc/resolv.conf "$tree/etc/resolv.conf" && mkdir -p "$tree/proc" "$tree/dev"
  mount -t proc proc "$tree/proc" && mount --bind /dev "$tree/dev"
  chroot "$tree" env "${environment[@]}" "${arguments[@]}" "${shell[@]}" "cd ${folder} && $1" >"$work/step.log" 2>&1 || { tail -20 "$work/step.log" >&2; said FAIL "RUN $1"; exit 1; }
  umount "$tree/dev" "$tree/proc"
  said "ok   " "RUN $1"
  case $1 in *apt-get*) cp -a "$tree" "$work/layers/$key" ;; esac
}

# copy SOURCE… TO: from the project, or by --from from another stage.
copy() {
  local from=$PWD to=$tree/${*: -1} newest
  [[ $1 != --from=* ]] || { from=$work/stage-${1#--from=}; shift; }
  newest=$(cd "$from" && ls -td ./$1 2>/dev/null | sed -n 1p) || true
  [ -n "$newest" ] || { said "skip " "COPY $*: what it copies was never made"; return 0; }
  [[ $to != */ ]] || mkdir -p "$to"
  cp -a "$from/$newest" "$to" && said "ok   " "COPY $newest"
  key=$(printf %s "$key$newest" | sha256sum | cut -c1-20)
}

# file DOCKERFILE: leaves the last stage's tree, user, environment and commands.
file() {
  local why step rest
  echo "-- $1"
  while IFS=$'\t' read -r why rest; do
    step=${rest%% *} rest=${rest#* }
    if [ "$why" != - ]; then said "skip " "never run, $why: $step $rest"; continue; fi
    key=$(printf %s "${key:-}$step $rest" | sha256sum | cut -c1-20)
    case $step in
    FROM)
      tree=$work/stage-${rest##* } user=root folder=/ environment=() arguments=() shell=(/bin/sh -c) key=base
      [[ $rest == *" AS "* ]] || tree=$work/stage-last
      [[ $rest == debian:bookworm-slim* ]] && said "ok   " "FROM $rest" || said "skip " "never run, another's image; a Debian 12 tree stands in: FROM $rest"
      rm -rf "$tree" && cp -a "$base" "$tree" ;;
    COPY) copy $rest ;;
    RUN) chroot_run "$rest" ;;
    ENV) environment+=(${rest//\$PATH/$PATH}) ;;
    ARG) arguments+=("$rest") ;;
    SHELL) words shell "$rest" ;;
    WORKDIR) folder=$rest && mkdir -p "$tree$rest" ;;
    USER) user=$rest && grep -q "^$rest:" "$tree/etc/passwd" && said "ok   " "USER $rest" ;;
    HEALTHCHECK) words check "${rest#*CMD }" ;;
    ENTRYPOINT) words entry "$rest" ;;
    CMD) words command "$rest" ;;
    esac
  done < <(steps "$1")
}

began=$(date +%s)
file deploy/docker/Dockerfile
echo "ok    all its steps, in $(($(date +%s) - began)) s"
# Alone with a loopback of its own, so that the image's port is free.
export user tree work
printf '%s\0' "${environment[@]}" "${entry[@]}" "${command[@]}" >"$work/command"
printf '%s\0' "${check[@]}" >"$work/check"
unshare --net bash -euc '
  ip link set lo up
  mapfile -d "" -t command <"$work/command"
  mapfile -d "" -t check <"$work/check"
  mount -t proc proc "$tree/proc" && mount --bind /dev "$tree/dev"
  chroot --userspec="$user" "$tree" env "${command[@]}" >"$work/agent.log" 2>&1 &
  agent=$! healthy=
  for _ in $(seq 120); do
    if chroot --userspec="$user" "$tree" "${check[@]}" 2>/dev/null; then healthy=1; break; fi
    kill -0 "$agent" 2>/dev/null || break
    sleep 1
  done
  who=$(stat -c %u "/proc/$agent" || true)
  kill "$agent" 2>/dev/null || true; wait "$agent" || true
  umount "$tree/dev" "$tree/proc"
  [ -n "$healthy" ] || { echo "FAIL  HEALTHCHECK"; tail -20 "$work/agent.log"; exit 1; }
  [ "$who" != 0 ] || { echo "FAIL  the agent runs as root"; exit 1; }
  echo "ok    the agent runs as user $who, and HEALTHCHECK is content"
'
for other in deploy/docker/Dockerfile.*; do file "$other"; done
rm -rf "$work/layers"
