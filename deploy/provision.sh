#!/bin/sh
# Names, certificates and configurations for many boxes and their broker: provision.sh FOLDER BROKER-HOST NAME... makes, or completes, a CA
# (FOLDER/ca, which stays where it is safe), FOLDER/broker/{server.crt,server.key,ca.crt} for /etc/mosquitto/certs, and for each name
# FOLDER/NAME/{segedge.yaml,box.crt,box.key,ca.crt}, to be laid into /etc/segedge of that box. What is there already is left as it is.
# Needs OpenSSL 3.
#   seq -f 'box-%04.0f' 1 1000 | xargs deploy/provision.sh boxes broker.example
set -eu
[ $# -ge 3 ] || { echo "usage: $0 FOLDER BROKER-HOST NAME..." >&2; exit 2; }
out=$1 host=$2
shift 2
umask 077
mkdir -p "$out/ca"
if [ ! -e "$out/ca/ca.crt" ]; then
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 7300 -subj "/CN=segedge fleet" -keyout "$out/ca/ca.key" -out "$out/ca/ca.crt" 2>/dev/null
fi

# sign FOLDER FILE NAME EXTENSIONS: a key and a certificate of the CA, which comes last, so that what was broken off is made again.
sign() {
  mkdir -p "$1"
  cp "$out/ca/ca.crt" "$1/ca.crt"
  printf '[req]\ndistinguished_name=dn\n[dn]\n[ext]\nbasicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n%s\n' "$4" > "$1/request"
  openssl req -x509 -CA "$out/ca/ca.crt" -CAkey "$out/ca/ca.key" -config "$1/request" -extensions ext -newkey ec -pkeyopt ec_paramgen_curve:P-256 \
    -nodes -days 3650 -subj "/CN=$3" -keyout "$1/$2.key" -out "$1/$2.new" 2>/dev/null
  rm "$1/request"
  mv "$1/$2.new" "$1/$2.crt"
}

if [ ! -e "$out/broker/server.crt" ]; then
  case $host in *[!0-9.]*) kind=DNS ;; *) kind=IP ;; esac
  sign "$out/broker" server "$host" "extendedKeyUsage=serverAuth
subjectAltName=$kind:$host"
fi
made=0
for name; do
  case $name in
    all|ca|broker|''|[._-]*|*[!A-Za-z0-9_.-]*) echo "$name: letters, digits, '_', '.' and '-', and not all, ca or broker" >&2; exit 1 ;;
  esac
  [ -e "$out/$name/box.crt" ] && continue
  mkdir -p "$out/$name"
  cat > "$out/$name/segedge.yaml" <<EOF
agent: {name: $name}
cameras:
  - {name: camera, source: /dev/video0}
mqtt:
  broker: tls://$host:8883
  ca: /etc/segedge/ca.crt
  cert: /etc/segedge/box.crt
  key: /etc/segedge/box.key
  group: true
EOF
  sign "$out/$name" box "$name" extendedKeyUsage=clientAuth
  made=$((made + 1))
done
echo "$made boxes made, $(find "$out" -name box.crt | wc -l) in $out"
