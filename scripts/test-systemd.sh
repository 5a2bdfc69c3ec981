#!/usr/bin/env bash
# test-systemd.sh [PACKAGE.deb]: installs the Debian package into a fresh Debian tree, boots that under systemd-nspawn without a network, and lets
# systemd/boot/check.sh try what a box on a wall goes through, the package's own life included; and once more with a read-only root. The newest package in dist/ by
# default. As root; needs debootstrap and systemd-nspawn.
# PREVIOUS is a package of an earlier version, to upgrade from (by default the second newest in dist/); PROGRAM a program to try in place of the packaged; CLOCK=no
# leaves out the clock that jumps, whose program is compiled; SUITE is the Debian (bookworm); DOWNLOADS a folder that keeps what apt has fetched, for the next time.
set -euo pipefail
cd "$(dirname "$0")/.."
arch=$(dpkg --print-architecture)
package=${1:-$(ls -t dist/segedge_*_"$arch".deb 2>/dev/null | sed -n 1p)} previous=${PREVIOUS:-$(ls -t dist/segedge_*_"$arch".deb 2>/dev/null | sed -n 2p)}
suite=${SUITE:-bookworm} mirror=${MIRROR:-http://deb.debian.org/debian}
work=$PWD/build/systemd base=$PWD/build/systemd/base-${SUITE:-bookworm} tree=$PWD/build/systemd/${SUITE:-bookworm}
for tool in debootstrap systemd-nspawn; do
  command -v $tool >/dev/null || { echo "SKIPPED: $tool is not installed (apt install debootstrap systemd-container): the unit was not booted"; exit 0; }
done
[ "$(id -u)" = 0 ] || { echo "SKIPPED: booting a tree needs root: the unit was not booted"; exit 0; }
[ -e "$package" ] || { echo "there is no package: make dist first, or name one" >&2; exit 1; }
mkdir -p "$work"
if [ ! -e "$base/etc/debian_version" ]; then
  rm -rf "$base" && debootstrap --variant=minbase --include=systemd,systemd-sysv,dbus,curl "$suite" "$base.new" "$mirror" >"$work/debootstrap.log" && mv "$base.new" "$base"
fi
[ "${CLOCK:-yes}" = no ] || [ build/clock/segedge -nt "$package" ] || scripts/test-clock.sh build/clock/segedge
rm -rf "$tree" && cp -a "$base" "$tree"

# The three commands of the README: two here, with a network, the third in the booted tree.
cp "$package" "$tree/var/tmp/segedge.deb"
if [ -n "${DOWNLOADS:-}" ]; then mkdir -p "$DOWNLOADS"; find "$DOWNLOADS" -name '*.deb' -exec cp -t "$tree/var/cache/apt/archives" {} +; fi
inside() { systemd-nspawn -q -D "$tree" --register=no --keep-unit --pipe "$@" >>"$work/apt.log" 2>&1 || { tail -20 "$work/apt.log" >&2; exit 1; }; }
: >"$work/apt.log"
fetch() {
  inside apt-get update
  inside env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends /var/tmp/segedge.deb
}
TIMEFORMAT="time  apt-get update and apt-get install of $(basename "$package") with its dependencies: %0R s, %0U + %0S s of processor time"
time fetch
[ -z "${DOWNLOADS:-}" ] || cp -u "$tree"/var/cache/apt/archives/*.deb "$DOWNLOADS"

[ -z "$previous" ] || cp "$previous" "$tree/var/tmp/old.deb"
[ -z "${PROGRAM:-}" ] || install -m 755 "$PROGRAM" "$tree/usr/bin/segedge"
[ "${CLOCK:-yes}" = no ] || install -D -m 755 build/clock/segedge "$tree/usr/local/lib/segedge-clock"
install -m 755 systemd/boot/check.sh "$tree/usr/local/sbin/segedge-check"
install -m 644 systemd/boot/segedge-check.service "$tree/etc/systemd/system/segedge-check.service"
systemctl --root="$tree" enable -q segedge-check.service
echo box >"$tree/etc/hostname"

# boot NAME ARGUMENT…: boots the tree until the check has ended, and shows its log.
boot() {
  local log=$work/$1/check.log
  rm -rf "${work:?}/$1" && mkdir -p "$work/$1"
  timeout "${LIMIT:-1800}" systemd-nspawn -q -D "$tree" --boot --register=no --keep-unit --private-network --bind="$work/$1:/mnt" --console=pipe "${@:2}" </dev/null >"$work/$1/boot.log" 2>&1 || true
  [ -s "$log" ] || { echo "the tree did not boot as far as the check:" >&2; tail -20 "$work/$1/boot.log" >&2; exit 1; }
  cat "$log"
  grep -q '^DONE' "$log" || { echo "the check did not come to its end" >&2; exit 1; }
}
boot readonly --volatile=state
boot whole
echo "-- the package where systemd is not the first process"
inside sh -ec '
  dpkg -i /var/tmp/segedge.deb
  systemctl enable segedge
  [ "$(stat -c "%a %U" /etc/segedge/segedge.yaml)" = "640 segedge" ]
  segedge config check /etc/segedge/segedge.yaml
  dpkg --purge segedge
  for left in /etc/segedge /var/lib/segedge /etc/systemd/system/multi-user.target.wants/segedge.service; do [ -e "$left" ] || [ -L "$left" ] || continue; exit 1; done'
echo "ok    installed, enabled, purged"
! grep '^FAIL' "$work"/{readonly,whole}/check.log
