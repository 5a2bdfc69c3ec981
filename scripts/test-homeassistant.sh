#!/bin/sh
# The agent in a real Home Assistant core: what its users see, from the first start to the last retained topic. Not part of CI: it needs a
# Python that the core takes (PYTHON, 3.13 or later), and the core from PyPI. HOMEASSISTANT names its version.
set -eu
cd "$(dirname "$0")/.."
dir=build/homeassistant
python=${PYTHON:-python3.13}
version=${HOMEASSISTANT:-2025.4.4}
command -v mosquitto >/dev/null || PATH=$PATH:/usr/sbin
command -v mosquitto >/dev/null || { echo "mosquitto is needed: apt-get install mosquitto" >&2; exit 1; }
if ! "$dir/venv/bin/python" -c "import sys, homeassistant.const as c; sys.exit(c.__version__ != '$version')" 2>/dev/null; then
  "$python" -m venv "$dir/venv"
  "$dir/venv/bin/pip" install -q uv
  "$dir/venv/bin/uv" pip install -q --python "$dir/venv/bin/python" "homeassistant==$version" paho-mqtt==2.1.0
fi
exec "$dir/venv/bin/python" scripts/test_homeassistant.py "${SEGEDGE:-bin/segedge}"
