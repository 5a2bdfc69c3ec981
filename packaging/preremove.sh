#!/bin/sh
# Before its files go: the services stop, unless this is an upgrade.
set -e
[ "$1" = remove ] || exit 0
if [ -d /run/systemd/system ]; then
  systemctl disable --now segedge.service || true
  systemctl stop 'segedge@*.service' || true
fi
