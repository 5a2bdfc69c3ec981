#!/bin/sh
# After its files have gone; on purge what it has kept goes too. The user stays: files elsewhere may be its own.
set -e
if [ -d /run/systemd/system ]; then systemctl daemon-reload || true; fi
[ "$1" = purge ] || exit 0
rm -rf /var/lib/segedge /var/lib/segedge-* /var/cache/segedge /var/cache/segedge-* /etc/segedge
rm -f /etc/systemd/system/*.wants/segedge@*.service
