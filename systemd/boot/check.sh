#!/bin/bash
# Runs inside a booted Debian tree that has the segedge package and no network but loopback: what a box goes through, a line for each. A tree that was booted
# read-only is tried for that alone; scripts/test-systemd.sh boots both, and puts the log's folder at /mnt.
exec >/mnt/check.log 2>&1
conf=/etc/segedge/segedge.yaml
drop=/run/systemd/system/segedge.service.d
ok() { echo "ok    $1"; }
fail() { echo "FAIL  $1"; systemctl status segedge --no-pager -n 15 | sed 's/^/      /'; }
# until SECONDS WHAT COMMAND…: waits for it
until_() { local end=$((SECONDS + $1)) what=$2; shift 2; until "$@" >/dev/null 2>&1; do [ $SECONDS -lt $end ] || { fail "$what"; return 1; }; sleep 0.3; done; ok "$what"; }
is() { if [ "$2" = "$3" ]; then ok "$1: $2"; else fail "$1: $2, not $3"; fi; }
show() { systemctl show -P "$1" segedge; }
api() { ask -f "$page/$1"; }
runs() { api "api/v1/cameras/$1/state" | grep -q '"state":"running"'; }
spent() { awk -v hz="$(getconf CLK_TCK)" '{printf "%d", ($14 + $15) * 1000 / hz}' "/proc/$(show MainPID)/stat"; }
said() { journalctl -u segedge --no-pager -o cat | grep -qF -- "$1"; }
small() { printf 'cameras:\n- name: camera\n  source: synthetic\n  width: 160\n  height: 120\n  fps: 4\n%s' "${1:-}" >$conf; }

objects() { api api/v1/cameras/camera/objects; }
plainly() { page=http://127.0.0.1:8080; ask() { curl -s -H 'Content-Type: application/json' "$@"; }; }
plainly
prompt() { ask -X POST -d '{"points":[{"x":0.5,"y":0.5}]}' $page/api/v1/cameras/camera/prompt | grep -oE '"object":"[a-z]+-[0-9]+"' | cut -d'"' -f4; }

# higher NEXT BEFORE: an object's number is never given again
higher() { [ -n "$1" ] && [ -n "$2" ] && [ "${1##*-}" -gt "${2##*-}" ] && ok "no number is given again: $1 after $2" || fail "the next object is $1 after $2"; }
package() { dpkg "$@" >>/var/log/segedge-dpkg.log 2>&1 </dev/null; }

if ! touch /etc/x 2>/dev/null; then
  echo "-- a read-only root"
  touch /usr/x 2>/dev/null && fail "the root is not read-only"
  systemctl start segedge && ok "started" || fail "start on a read-only root"
  until_ 120 "the camera runs" runs camera
  curl -s -X POST -H 'Content-Type: application/json' -d '{"set":{"log.level":"debug"}}' http://127.0.0.1:8080/api/v1/cameras/camera/config | grep -q "cannot be written" && ok "a change that cannot be kept is refused" || fail "config on a read-only root"
  systemctl stop segedge
  is "a clean end" "$(show ExecMainStatus)" 0
  echo DONE
  exit
fi

echo "-- from the installed package to a page"
began=$(date +%s%N)
systemctl enable -q --now segedge
until_ 120 "the page answers" sh -c 'curl -sf http://127.0.0.1:8080/ | grep -qi "<html"'
echo "time  from systemctl enable --now to a page: $((($(date +%s%N) - began) / 1000000)) ms, $(spent) ms of processor time"
until_ 60 "the camera of the configuration that came with it runs" runs camera
systemctl stop segedge

if [ -e /var/tmp/old.deb ]; then
  echo "-- upgraded over the version before, with its state"
  package --purge segedge; package -i /var/tmp/old.deb || fail "install the version before"
  old=$(dpkg-query -W -f '${Version}' segedge)
  small $'  zones:\n  - {name: gate, points: [[0, 0], [1, 0], [1, 1]]}\n'; echo "# mine" >>$conf
  systemctl enable -q --now segedge; until_ 60 "the camera runs" runs camera
  id=$(prompt)
  until_ 60 "an object is followed" sh -c "curl -sf http://127.0.0.1:8080/api/v1/cameras/camera/objects | grep -q '\"$id\"'"
  until_ 30 "and written down" sh -c 'sleep 3; [ -s /var/lib/segedge/known.state ]'
  pid=$(show MainPID)
  package -i /var/tmp/segedge.deb && ok "upgraded from $old to $(dpkg-query -W -f '${Version}' segedge)" || fail "upgrade"
  until_ 60 "it was started again" sh -c "[ \"\$(systemctl show -P MainPID segedge)\" != $pid ] && systemctl is-active -q segedge"
  until_ 60 "the camera runs" runs camera
  until_ 30 "the object is known, by its number" sh -c "curl -sf http://127.0.0.1:8080/api/v1/cameras/camera/objects | grep -q '\"$id\"'"
  next=$(prompt)
  higher "$next" "$id"
  grep -q "# mine" $conf && ok "the configuration was kept" || fail "the configuration was lost"

  echo "-- rolled back to the version before, with a newer state, and forward again"
  package --force-confold -i /var/tmp/old.deb && ok "rolled back to $(dpkg-query -W -f '${Version}' segedge)" || fail "roll back"
  until_ 60 "the camera runs" runs camera
  back=$(prompt)
  higher "$back" "$next"
  package -i /var/tmp/segedge.deb && ok "and forward" || fail "forward again"
  until_ 60 "the camera runs" runs camera
  higher "$(prompt)" "$back"
  grep -q "# mine" $conf && ok "the configuration was kept" || fail "the configuration was lost"
  systemctl stop segedge; systemctl disable -q segedge
else
  echo "skip  there is no package of the version before"
fi

is "the configuration's mode and owner" "$(stat -c '%a %U' $conf)" "640 segedge"
is "its folder's" "$(stat -c '%a %U' /etc/segedge)" "750 segedge"
systemd-analyze security segedge --threshold=16 --no-pager >/var/log/segedge-security.log && ok "exposure at most 1.6" || fail "exposure above 1.6"
is "Delegate" "$(show Delegate)" no
systemd-analyze verify --man=no segedge@second.service >/var/log/segedge-verify.log 2>&1; grep -q segedge /var/log/segedge-verify.log && fail "the template unit: $(cat /var/log/segedge-verify.log)" || ok "the template unit is well formed"
[ -e /usr/share/man/man1/segedge.1.gz ] && [ -e /usr/share/bash-completion/completions/segedge ] && ok "man page and completion are there" || echo "skip  this tree leaves out documentation"

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
small; chown root: $conf; chmod 600 $conf
systemctl restart segedge && fail "a configuration that it may not read starts" || ok "a configuration that it may not read does not start"
is "its exit code" "$(show ExecMainStatus)" 78
until_ 5 "the journal says how to give it the file" said "chown $(id -u segedge) $conf"
chown segedge: $conf; chmod 640 $conf

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

echo "-- a network that does not come up, an address that nothing has yet"
systemctl stop segedge
online=/run/systemd/system
printf '[Unit]\nDefaultDependencies=no\nBefore=network-online.target\n[Service]\nType=oneshot\nTimeoutStartSec=infinity\nExecStart=/bin/sleep infinity\n' >$online/waits.service
mkdir -p $online/network-online.target.wants && ln -s ../waits.service $online/network-online.target.wants/
systemctl daemon-reload; systemctl stop network-online.target; systemctl start --no-block network-online.target; sleep 1
is "what waits for a network" "$(systemctl is-active waits.service)" activating
small; printf 'http: {listen: "192.0.2.1:8080", token: 0123456789abcdef0123}\nagent: {name: early}\n' >>$conf
timeout 60 systemctl start segedge && ok "started without it" || fail "the agent waits for a network"
until_ 60 "which is said" said "no interface has the address"
until_ 60 "the camera runs" sh -c "systemctl show -P StatusText segedge | grep -q \"camera: running\""
systemctl stop segedge waits.service; rm -r $online/waits.service $online/network-online.target.wants; systemctl daemon-reload

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

echo "-- a limit on memory"
mkdir -p $drop && printf '[Service]\nMemoryMax=1G\n' >$drop/memory.conf
systemctl daemon-reload; systemctl restart segedge; until_ 60 "the camera runs within 1 GiB" runs camera
if [[ $(show MemoryCurrent) =~ ^[0-9]+$ ]]; then
  printf '[Service]\nMemoryMax=64M\n' >$drop/memory.conf
  systemctl daemon-reload; systemctl --no-block restart segedge
  until_ 90 "what is too little is said, and tried again" sh -c 'journalctl -u segedge -o cat | grep -q oom-kill && [ "$(systemctl show -P NRestarts segedge)" -ge 1 ]'
else
  echo "skip  this container has no memory controller: the limit was taken and not enforced"
fi
rm -r $drop && systemctl daemon-reload; systemctl stop segedge

echo "-- a second agent, by the template"
small; printf 'agent: {name: second}\nhttp: {listen: 127.0.0.1:8081}\ncameras:\n- {name: camera, source: synthetic, width: 160, height: 120, fps: 4}\n' >/etc/segedge/second.yaml
chown segedge: /etc/segedge/second.yaml
systemctl start segedge segedge@second && ok "both started" || fail "start of two"
until_ 60 "the first runs" runs camera
until_ 60 "the second runs" sh -c 'curl -sf http://127.0.0.1:8081/api/v1/cameras/camera/state | grep -q "\"state\":\"running\""'
[ -e /var/lib/segedge-second/ids.json ] || [ -e /var/lib/segedge-second/lock ] && ok "its state is its own" || fail "its state is not in /var/lib/segedge-second"
systemctl stop segedge segedge@second

echo "-- a clock that starts in 1970 and jumps"
if [ -x /usr/local/lib/segedge-clock ]; then
  token=0123456789abcdef0123 # for this tree alone
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout /etc/segedge/key.pem -out /etc/segedge/cert.pem -days 2 -subj /CN=box 2>/dev/null
  chown segedge: /etc/segedge/*.pem
  small; printf 'http: {token: %s, cert: /etc/segedge/cert.pem, key: /etc/segedge/key.pem}\nmqtt: {broker: "tcp://127.0.0.1:9"}\n' $token >>$conf
  mkdir -p $drop && printf '[Service]\nExecStart=\nExecStart=/usr/local/lib/segedge-clock run --config %s\nEnvironment="TEST_CLOCK=86400:/run/right" SEGEDGE_ORT_LIB=/usr/lib/segedge/libonnxruntime.so.1\nWatchdogSec=20s\n' $conf >$drop/clock.conf
  systemctl daemon-reload; rm -f /run/right
  page=https://127.0.0.1:8080
  ask() { curl -sk -H "Authorization: Bearer $token" -H 'Content-Type: application/json' "$@"; }
  guess() { curl -sk -o /dev/null -w '%{http_code}' -H 'Authorization: Bearer wrong' https://127.0.0.1:8080/api/v1/info; }
  in_year() { objects | grep -q "\"captured\":\"$1"; }
  knows() { objects | grep -q "\"$1\""; }
  systemctl start segedge && ok "started in 1970, over HTTPS" || fail "start in 1970"
  until_ 60 "the camera runs" runs camera
  until_ 30 "frames are of 1970" in_year 1970
  id=$(prompt); until_ 30 "an object is followed" knows "$id"
  for _ in 1 2 3 4 5 6 7 8 9 10 11 12; do code=$(guess); done
  is "guessing tokens is slowed down" "$code" 429
  touch /run/right; sleep 1
  is "and still is after the jump" "$(guess)" 429
  until_ 120 "who knows the token is let in, and frames are of today" in_year "$(date +%Y)"
  sleep 25
  is "the watchdog did not bite" "$(show NRestarts)" 0
  until_ 30 "the camera runs" runs camera
  knows "$id" && ok "the object is still followed" || fail "the jump lost the object"
  said "has hung" && fail "something seemed to hang" || ok "nothing seemed to hang"
  rm /run/right; sleep 10 # back to 1970 while it runs
  is "nor when the clock goes back" "$(show NRestarts)" 0
  until_ 60 "frames are of 1970 again" in_year 1970
  knows "$id" && ok "the object is still followed" || fail "the jump back lost the object"
  systemctl stop segedge; touch /run/right; systemctl start segedge; until_ 60 "the object is known today" knows "$id"
  sleep 3; systemctl stop segedge; rm /run/right
  systemctl start segedge && ok "started in 1970 again, with a state of today" || fail "start with a state from the future"
  until_ 60 "the camera runs" runs camera
  until_ 60 "the object is known" knows "$id"
  higher "$(prompt)" "$id"
  systemctl stop segedge; rm -r $drop; systemctl daemon-reload
  plainly
  small
else
  echo "skip  there is no program with a clock of its own"
fi

echo "-- the package: over itself, removed, purged"
systemctl enable -q --now segedge; until_ 60 "the camera runs" runs camera
pid=$(show MainPID) ids=$(cat /var/lib/segedge/ids.json 2>/dev/null)
echo "# mine" >>$conf
package -i /var/tmp/segedge.deb && ok "installed over itself" || fail "install over itself"
until_ 60 "it was started again" sh -c "[ \"\$(systemctl show -P MainPID segedge)\" != $pid ] && systemctl is-active -q segedge"
grep -q "# mine" $conf && ok "the configuration was kept" || fail "the configuration was lost"
is "its owner" "$(stat -c '%a %U' $conf)" "640 segedge"
[ -n "$ids" ] && ok "the state was kept" || fail "there is no state"

echo "-- the package: over a configuration that is an administrator's, or wrong"
mv $conf /srv/mine.yaml; chown root: /srv/mine.yaml; chmod 644 /srv/mine.yaml; ln -s /srv/mine.yaml $conf
package -i /var/tmp/segedge.deb && ok "installed over a link to root's file" || fail "install over a link"
is "whose it still is" "$(stat -c '%a %U' /srv/mine.yaml) $(readlink $conf)" "644 root /srv/mine.yaml"
until_ 60 "the camera runs" runs camera
rm $conf; install -o root -g segedge -m 640 /srv/mine.yaml $conf
package -i /var/tmp/segedge.deb && is "who owns a file that the service may only read" "$(stat -c '%a %U %G' $conf)" "640 root segedge" || fail "install over root's file"
printf 'http:\n  lisen: x\n' >$conf
package -i /var/tmp/segedge.deb && ok "installed though the service then does not start" || fail "a wrong configuration leaves the package half installed"
is "the package is" "$(dpkg-query -W -f '${db:Status-Status}' segedge)" installed
grep -q "the new version is installed and does not start" /var/log/segedge-dpkg.log && ok "which is said" || fail "nothing was said"
cat /srv/mine.yaml >$conf; systemctl reset-failed segedge; systemctl start segedge; until_ 60 "the camera runs again" runs camera
id=$(prompt)

echo "-- the package: removed, installed again, purged"
systemctl enable -q segedge@second
package --remove segedge && ok "removed" || fail "remove"
is "the service" "$(systemctl is-active segedge)" inactive
[ -e $conf ] && [ -d /var/lib/segedge ] && ok "configuration and state are still there" || fail "removing took the state"
left=$(find /etc/systemd/system -name 'segedge.service' -o -name 'segedge@*.service')
[ -z "$left" ] && ok "nothing is left that would start it" || fail "links are left: $left"
package -i /var/tmp/segedge.deb && systemctl enable -q --now segedge && ok "installed again" || fail "install again"
until_ 60 "the camera runs" runs camera
higher "$(prompt)" "$id"
rm -rf /var/lib/segedge-second/{*,.[!.]*}; mount -t tmpfs tmpfs /var/lib/segedge-second && touch /var/lib/segedge-second/x # a disk of its own
package --purge segedge && ok "purged, with a state on a disk of its own" || fail "purge"
[ -z "$(ls -A /var/lib/segedge-second)" ] && ok "which is empty" || fail "the disk is not empty"
umount /var/lib/segedge-second && rmdir /var/lib/segedge-second
left=$(ls -d /etc/segedge /var/lib/segedge* /var/cache/segedge* /usr/bin/segedge /usr/lib/segedge /usr/share/segedge /usr/share/doc/segedge /usr/lib/systemd/system/segedge* 2>/dev/null)
[ -z "$left" ] && ok "nothing is left" || fail "purging left $left"
echo DONE
