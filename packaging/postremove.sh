#!/bin/sh
# After its files have gone: nothing starts it any more; on purge what it has kept goes too, except a folder that is a disk of its own, which is emptied. The user stays: files
# elsewhere may be its own.
set -e
case $1 in remove | purge) rm -f /etc/systemd/system/*.wants/segedge.service /etc/systemd/system/*.wants/segedge@*.service ;; esac
if [ -d /run/systemd/system ]; then systemctl daemon-reload || true; fi
[ "$1" = purge ] || exit 0
if [ -d /run/systemd/system ]; then systemctl reset-failed segedge.service 'segedge@*.service' 2>/dev/null || true; fi
rm -rf /var/lib/segedge /var/lib/segedge-* /var/cache/segedge /var/cache/segedge-* /etc/segedge || echo "segedge: what is left of its folders is in use, and stays" >&2
