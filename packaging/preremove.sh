#!/bin/sh
# Before its files go: the services stop, unless this is an upgrade.
set -e
case $1 in remove | deconfigure) ;; *) exit 0 ;; esac
if [ -d /run/systemd/system ]; then systemctl stop segedge.service 'segedge@*.service' || true; fi
