#!/bin/sh
# After unpacking: the user, its folders, and the services, started anew where they were running before. The folder of the configuration is the service's, and a link
# may stand in it: nothing in it is given to anybody after it was made, so what an administrator has changed stays, and root follows no link of the service's.
set -e
[ "$1" = configure ] || exit 0
conf=/etc/segedge/segedge.yaml
systemd-sysusers segedge.conf
chown segedge:segedge /etc/segedge
systemd-tmpfiles --create segedge.conf || echo "segedge: the owners of its files are set at the next boot" # an image that is being built may have no /proc
[ -e $conf ] || [ -L $conf ] || install -m 640 -o segedge -g segedge /usr/share/segedge/segedge.yaml $conf
if [ -e /etc/systemd/system/segedge.service ]; then
  echo "segedge: /etc/systemd/system/segedge.service hides the package's unit: if it came with make install, take it off with make uninstall" >&2
fi
if [ -d /run/systemd/system ]; then
  systemctl daemon-reload || true
  # An upgrade. A service that does not start, since its configuration is wrong say, leaves the package installed: dpkg would refuse everything that comes after.
  if [ -n "$2" ] && ! systemctl try-restart segedge.service 'segedge@*.service'; then
    echo "segedge: the new version is installed and does not start: segedge config check $conf and journalctl -u segedge say why" >&2
  fi
fi
[ -n "$2" ] || echo "segedge is installed: edit $conf, then systemctl enable --now segedge"
