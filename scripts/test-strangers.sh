#!/bin/sh
# Two WebRTC stacks that are neither pion nor Chromium play 100 pictures each of a running agent: aiortc, from PyPI into a venv of its own
# (AIORTC is its version, PYTHON who makes the venv), and GStreamer's webrtcbin, with the system's Python. Not part of CI: a bare machine
# has neither.
set -eu
cd "$(dirname "$0")/.."
dir=build/strangers
version=${AIORTC:-1.16.0}
if ! "$dir/venv/bin/python" -c "import sys, aiortc; sys.exit(aiortc.__version__ != '$version')" 2>/dev/null; then
  "${PYTHON:-python3}" -m venv "$dir/venv"
  "$dir/venv/bin/pip" install -q "aiortc==$version" aiohttp
fi
address=$(hostname -I | cut -d' ' -f1) # libnice sends nothing over the loopback interface
token=strangers-are-welcome
rm -rf "$dir/state"
"${SEGEDGE:-bin/segedge}" run --state "$dir/state" --listen "$address:0" --token "$token" >"$dir/agent.log" 2>&1 &
agent=$!
trap 'kill $agent; wait $agent || true' EXIT
for _ in $(seq 120); do
  page=$(sed -nE 's|.*page: (http://[^/?]+).*|\1|p' "$dir/agent.log")
  [ -n "$page" ] && break
  kill -0 $agent 2>/dev/null || { cat "$dir/agent.log" >&2; trap - EXIT; exit 1; }
  sleep 1
done
failed=0
"$dir/venv/bin/python" scripts/whep_aiortc.py "$page/whep/camera" "$token" || failed=1
/usr/bin/python3 scripts/whep_gstreamer.py "$page/whep/camera" "$token" || failed=1
exit $failed
