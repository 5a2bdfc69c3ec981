#!/bin/bash
# Runs inside a booted Debian tree that has the segedge package and no network but loopback: what a box goes through, a line for each.
exec >/var/log/segedge-check.log 2>&1
conf=/etc/segedge/segedge.yaml
drop=/run/systemd/system/segedge.service.d
ok() { echo "ok    $1"; }
fail() { echo "FAIL  $1"; systemctl status segedge --no-pager -n 15 | sed 's/^/      /'; }
# until SECONDS WHAT COMMAND…: waits for it
until_() { local end=$((SECONDS + $1)) what=$2; shift 2; until "$@" >/dev/null 2>&1; do [ $SECONDS -lt $end ] || { fail "$what"; return 1; }; sleep 0.3; done; ok "$what"; }
is() { if [ "$2" = "$3" ]; then ok "$1: $2"; else fail "$1: $2, not $3"; fi; }
show() { systemctl show -P "$1" segedge; }
api() { curl -sf "http://127.0.0.1:8080/$1"; }
runs() { api "api/v1/cameras/$1/state" | grep -q '"state":"running"'; }
said() { journalctl -u segedge --no-pager -o cat | grep -qF -- "$1"; }
small() { printf 'cameras:\n- name: camera\n  source: synthetic\n  width: 160\n  height: 120\n  fps: 4\n%s' "${1:-}" >$conf; }

is "the configuration's mode and owner" "$(stat -c '%a %U' $conf)" "640 segedge"
is "its folder's" "$(stat -c '%a %U' /etc/segedge)" "750 segedge"
systemd-analyze security segedge --threshold=16 --no-pager >/var/log/segedge-security.log && ok "exposure at most 1.6" || fail "exposure above 1.6"

echo "-- start"
small
began=$SECONDS
systemctl start segedge && ok "started and said that it is ready, after $((SECONDS - began)) s" || fail "start"
until_ 60 "the camera runs" runs camera
is "the agent's name is the host's" "$(api api/v1/info | sed 's/.*"agent":"\([^"]*\)".*/\1/')" "$(uname -n)"
is "its user" "$(stat -c %U "/proc/$(show MainPID)")" segedge

echo "-- reload"
pid=$(show MainPID)
small $'  zones:\n  - {name: gate, points: [[0, 0], [1, 0], [1, 1]]}\n'
systemctl reload segedge && ok "reload" || fail "reload"
until_ 60 "the zone is drawn" sh -c "curl -sf http://127.0.0.1:8080/api/v1/cameras/camera/state | grep -q gate"
is "the process is the same" "$(show MainPID)" "$pid"

echo "-- kill -9"
kill -9 "$pid"
until_ 60 "started again after kill -9" sh -c '[ "$(systemctl show -P NRestarts segedge)" = 1 ]'
until_ 60 "the camera runs again" runs camera

echo "-- watchdog"
mkdir -p $drop && printf '[Service]\nWatchdogSec=5s\nTimeoutAbortSec=3s\n' >$drop/dog.conf
systemctl daemon-reload && systemctl restart segedge
until_ 60 "the camera runs" runs camera
sleep 8
is "fed for longer than the watchdog waits" "$(show NRestarts)" 0
kill -STOP "$(show MainPID)"
until_ 60 "an agent that hangs is started again" sh -c '[ "$(systemctl show -P NRestarts segedge)" = 1 ]'
rm -r $drop && systemctl daemon-reload && systemctl restart segedge

echo "-- a wrong configuration"
printf 'http:\n  lisen: x\n' >$conf
systemctl restart segedge && fail "a wrong configuration starts" || ok "a wrong configuration does not start"
sleep 8
is "its exit code" "$(show ExecMainStatus)" 78
is "it stays down" "$(systemctl is-active segedge)" failed
until_ 5 "the journal has the sentence" said 'did you mean listen?'

echo "-- a camera whose file is missing, a broker that has no address"
printf 'cameras:\n- {name: camera, source: synthetic, width: 160, height: 120, fps: 4}\n- {name: late, source: /var/tmp/late, loop: true}\nmqtt:\n  broker: tcp://user:geheim@broker.invalid:1883\n' >$conf
systemctl reset-failed segedge; systemctl start segedge && ok "started" || fail "start"
until_ 60 "the other camera runs" runs camera
until_ 30 "what is missing is told" sh -c 'curl -s http://127.0.0.1:8080/readyz | grep -q "no such file"'
curl -s http://127.0.0.1:8080/api/v1/cameras/camera/snapshot.jpg -o /var/tmp/1.jpg
mkdir /var/tmp/late && mv /var/tmp/1.jpg /var/tmp/late/ && chmod -R a+rX /var/tmp/late
[ "$(show PrivateTmp)" = yes ] && mkdir -p /srv/late && cp /var/tmp/late/1.jpg /srv/late/ && sed -i 's#/var/tmp/late#/srv/late#' $conf
until_ 60 "it runs once the file is there" runs late
said geheim && fail "the journal shows a password" || ok "the journal shows no password"

echo "-- a full disk"
systemctl stop segedge
small $'events:\n  update_interval: 0s\n'
mount -t tmpfs -o size=512k tmpfs /var/lib/segedge && chown segedge: /var/lib/segedge
dd if=/dev/zero of=/var/lib/segedge/fill bs=1k count=480 status=none; dd if=/dev/zero of=/var/lib/segedge/fill2 bs=1k count=64 status=none 2>/dev/null
systemctl start segedge && ok "started on a full disk" || fail "start on a full disk"
until_ 60 "the camera runs" runs camera
systemctl stop segedge; umount -l /var/lib/segedge

echo "-- stop"
systemctl start segedge; until_ 60 "the camera runs" runs camera
began=$(date +%s%N); systemctl stop segedge; took=$((($(date +%s%N) - began) / 1000000))
[ $took -lt 8000 ] && ok "stopped in $took ms" || fail "stopping took $took ms"
is "a clean end" "$(show ExecMainStatus)" 0

echo "-- a read-only root"
mount -t tmpfs tmpfs /var/lib/segedge && mount -t tmpfs tmpfs /var/cache/segedge && chown segedge: /var/lib/segedge /var/cache/segedge
if mount -o remount,ro / 2>/dev/null; then
  touch /etc/x 2>/dev/null && fail "the root is not read-only"
  systemctl start segedge && ok "started" || fail "start on a read-only root"
  until_ 60 "the camera runs" runs camera
  curl -s -X POST -H 'Content-Type: application/json' -d '{"set":{"log.level":"debug"}}' http://127.0.0.1:8080/api/v1/cameras/camera/config | grep -q "cannot be written" && ok "a change that cannot be kept is refused" || fail "config on a read-only root"
  systemctl stop segedge
  mount -o remount,rw /
else
  echo "skip  the root cannot be made read-only here"
fi
umount -l /var/lib/segedge /var/cache/segedge

echo "-- the package: over itself, removed, purged"
systemctl enable -q --now segedge; until_ 60 "the camera runs" runs camera
pid=$(show MainPID) ids=$(cat /var/lib/segedge/ids.json 2>/dev/null)
echo "# mine" >>$conf
dpkg -i /var/tmp/segedge.deb >/var/log/segedge-dpkg.log 2>&1 && ok "installed over itself" || fail "install over itself"
until_ 60 "it was started again" sh -c "[ \"\$(systemctl show -P MainPID segedge)\" != $pid ] && systemctl is-active -q segedge"
grep -q "# mine" $conf && ok "the configuration was kept" || fail "the configuration was lost"
is "its owner" "$(stat -c '%a %U' $conf)" "640 segedge"
[ -n "$ids" ] && ok "the state was kept" || fail "there is no state"
dpkg --remove segedge >>/var/log/segedge-dpkg.log 2>&1 && ok "removed" || fail "remove"
is "the service" "$(systemctl is-active segedge)" inactive
[ -e $conf ] && [ -d /var/lib/segedge ] && ok "configuration and state are still there" || fail "removing took the state"
dpkg --purge segedge >>/var/log/segedge-dpkg.log 2>&1 && ok "purged" || fail "purge"
[ -e /etc/segedge ] || [ -e /var/lib/segedge ] || [ -e /usr/bin/segedge ] && fail "purging left something: $(ls -d /etc/segedge /var/lib/segedge /usr/bin/segedge 2>/dev/null)" || ok "nothing is left"
echo DONE
