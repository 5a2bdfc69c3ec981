#!/usr/bin/env bash
# test-systemd.sh [PACKAGE.deb]: installs the Debian package into a fresh Debian tree, boots that under systemd-nspawn without a network, and
# lets systemd/boot/check.sh try what a box on a wall goes through, the package's own life included. The newest package in dist/ by default. As root; needs debootstrap and
# systemd-nspawn. SUITE is the Debian (bookworm), TREE keeps the tree for another run, PROGRAM is a program to try in place of the packaged.
set -euo pipefail
cd "$(dirname "$0")/.."
package=${1:-$(ls -t dist/segedge_*.deb 2>/dev/null | head -1)}
suite=${SUITE:-bookworm} mirror=${MIRROR:-http://deb.debian.org/debian}
work=build/systemd tree=${TREE:-build/systemd/$suite}
for tool in debootstrap systemd-nspawn; do
  command -v $tool >/dev/null || { echo "SKIPPED: $tool is not installed (apt install debootstrap systemd-container): the unit was not booted"; exit 0; }
done
[ "$(id -u)" = 0 ] || { echo "SKIPPED: booting a tree needs root: the unit was not booted"; exit 0; }
[ -e "$package" ] || { echo "there is no package: make dist first, or name one" >&2; exit 1; }
mkdir -p "$work"
if [ ! -e "$tree/etc/debian_version" ]; then
  debootstrap --variant=minbase --include=systemd,systemd-sysv,dbus,curl "$suite" "$tree" "$mirror" >"$work/debootstrap.log"
fi
cp "$package" "$tree/var/tmp/segedge.deb"
began=$(date +%s)
systemd-nspawn -q -D "$tree" --register=no --keep-unit --pipe sh -c 'export DEBIAN_FRONTEND=noninteractive; apt-get update -qq; apt-get purge -y -qq segedge; apt-get install -y -qq --no-install-recommends /var/tmp/segedge.deb curl' >"$work/apt.log" 2>&1 ||
  { tail -20 "$work/apt.log" >&2; exit 1; }
echo "installed with its dependencies in $(($(date +%s) - began)) s"
[ -z "${PROGRAM:-}" ] || install -m 755 "$PROGRAM" "$tree/usr/bin/segedge"
install -m 755 systemd/boot/check.sh "$tree/usr/local/sbin/segedge-check"
install -m 644 systemd/boot/segedge-check.service "$tree/etc/systemd/system/segedge-check.service"
systemctl --root="$tree" enable -q segedge-check.service
rm -rf "$tree/var/log/segedge-check.log" "$tree/var/lib/segedge" "$tree/srv/late" "$tree/var/tmp/late" && echo box >"$tree/etc/hostname"
timeout "${LIMIT:-900}" systemd-nspawn -q -D "$tree" --boot --register=no --keep-unit --private-network --console=pipe </dev/null >"$work/boot.log" 2>&1 || true
log=$tree/var/log/segedge-check.log
[ -s "$log" ] || { echo "the tree did not boot as far as the check:" >&2; tail -20 "$work/boot.log" >&2; exit 1; }
cat "$log"
grep -q '^DONE' "$log" || { echo "the check did not come to its end" >&2; exit 1; }
! grep -q '^FAIL' "$log"
