#!/bin/sh
# After unpacking: the user, its folders, and the services, started anew where they were running before.
set -e
[ "$1" = configure ] || exit 0
systemd-sysusers segedge.conf
[ -e /etc/segedge/segedge.yaml ] || install -m 640 /usr/share/segedge/segedge.yaml /etc/segedge/segedge.yaml
chown segedge:segedge /etc/segedge /etc/segedge/segedge.yaml
systemd-tmpfiles --create segedge.conf || echo "segedge: the owners of its files are set at the next boot" # an image that is being built may have no /proc
if [ -d /run/systemd/system ]; then
  systemctl daemon-reload
  [ -z "$2" ] || systemctl try-restart segedge.service 'segedge@*.service' # an upgrade
fi
[ -n "$2" ] || echo "segedge is installed: edit /etc/segedge/segedge.yaml, then systemctl enable --now segedge"
