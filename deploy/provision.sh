#!/bin/sh
# Names, certificates and configurations for many boxes: provision.sh FOLDER BROKER-HOST NAME... makes, or completes, a CA, and for each name
# FOLDER/NAME/{segedge.yaml,box.crt,box.key,ca.crt}, to be laid into /etc/segedge of that box. A box that is there already is left as it is.
#   seq -f 'box-%04.0f' 1 1000 | xargs deploy/provision.sh boxes broker.example
set -eu
[ $# -ge 3 ] || { echo "usage: $0 FOLDER BROKER-HOST NAME..." >&2; exit 2; }
out=$1 broker=$2
shift 2
umask 077
mkdir -p "$out/ca"
if [ ! -e "$out/ca/ca.crt" ]; then
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 7300 -subj "/CN=segedge fleet" -keyout "$out/ca/ca.key" -out "$out/ca/ca.crt" 2>/dev/null
fi
made=0
for name; do
  case $name in
    all|''|[._-]*|*[!A-Za-z0-9_.-]*) echo "$name: letters, digits, '_', '.' and '-', and not all" >&2; exit 1 ;;
  esac
  [ -e "$out/$name/box.crt" ] && continue
  mkdir -p "$out/$name"
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$name" -keyout "$out/$name/box.key" -out "$out/$name/box.csr" 2>/dev/null
  openssl x509 -req -in "$out/$name/box.csr" -CA "$out/ca/ca.crt" -CAkey "$out/ca/ca.key" -days 3650 -out "$out/$name/box.crt" 2>/dev/null
  rm "$out/$name/box.csr"
  cp "$out/ca/ca.crt" "$out/$name/ca.crt"
  cat > "$out/$name/segedge.yaml" <<EOF
agent: {name: $name}
cameras:
  - {name: camera, source: /dev/video0}
mqtt:
  broker: tls://$broker:8883
  ca: /etc/segedge/ca.crt
  cert: /etc/segedge/box.crt
  key: /etc/segedge/box.key
  group: true
EOF
  made=$((made + 1))
done
echo "$made boxes made, $(find "$out" -name box.crt | wc -l) in $out"
