#!/bin/sh
# What a GPU is worth here: for each model (the built-in one, those of `segedge models list` that are here, and the folders named) and each of
# CPU, CUDA, TensorRT in 16 and in 32 bits, the time of an encode, a decode and five, the masks' IoU with the plain CPU (0.97 is needed), frames
# a second with four objects, memory; for TensorRT also how long its engine took to build and how long a start takes with it.
#
#     scripts/gpu-report.sh [FOLDER…] > report.md
#
# STATE_DIRECTORY names the state folder that has the models (~/.local/state/segedge), SEGEDGE the program (bin/segedge), SECONDS_EACH how
# long each run lasts (20), BUILD_LIMIT how long an engine may take (1800).
# It runs to its end without a GPU, and says what is missing. It leaves nothing behind: state and engines are in a folder of its own.
set -u
segedge=${SEGEDGE:-bin/segedge}
each=${SECONDS_EACH:-20}
limit=${BUILD_LIMIT:-1800}
store=${STATE_DIRECTORY:-${XDG_STATE_HOME:-$HOME/.local/state}/segedge}
store=$(realpath -m "${store%%:*}")
work=$(mktemp -d)
agent=
trap 'if [ -n "$agent" ]; then kill "$agent" 2>/dev/null; wait "$agent"; fi; rm -rf "$work"' EXIT
trap 'exit 1' INT TERM
failed=0

# value KEY: of a line of JSON, the first number, word or sentence of this key
value() { sed -n "s/.*\"$1\":\"\{0,1\}\([^\",}]*\).*/\1/p" | head -n 1; }

# gpu_memory: MiB of the first GPU that are in use, or -
gpu_memory() { nvidia-smi --query-gpu=memory.used --format=csv,noheader,nounits 2>/dev/null | head -n 1 | grep . || echo -; }

# metric NAME: its value at the running agent, or nothing
metric() { curl -fs -m 5 "http://127.0.0.1:$port/metrics" 2>/dev/null | sed -n "s/^$1 //p"; }

# start MODEL PROVIDER STATE DURATION: an agent on the built-in scene
start() {
    port=$((20000 + $$ % 20000 + runs)); runs=$((runs + 1))
    "$segedge" run --source synthetic --listen "127.0.0.1:$port" --state "$3" --duration "$4s" --summary "$work/summary" \
        --set "model.name=$1" --set "model.provider=$2" --set mqtt.embedded=127.0.0.1:0 >"$work/out" 2>&1 &
    agent=$!
}
runs=0

stop() { kill "$agent" 2>/dev/null; wait "$agent"; agent=; }

# until_metric NAME LIMIT: seconds until it is 1, or nothing where that does not come
until_metric() {
    began=$(date +%s)
    while kill -0 "$agent" 2>/dev/null && [ $(($(date +%s) - began)) -lt "$2" ]; do
        if [ "$(metric "$1")" = 1 ]; then
            echo $(($(date +%s) - began))
            return
        fi
        sleep 1
    done
}

# row MODEL PROVIDER LABEL
row() {
    state=$work/state-$3; built=-; cached=-
    mkdir -p "$state"; ln -sfn "$store/models" "$state/models"
    if [ "$2" = tensorrt ] && [ "$trt" = yes ]; then
        start "$1" "$2" "$state" "$limit"
        built=$(until_metric 'segedge_model_provider{provider="tensorrt"}' "$limit"); stop
        start "$1" "$2" "$state" 120
        cached=$(until_metric 'segedge_model_provider{provider="tensorrt"}' 120); stop
        built=${built:-never}; cached=${cached:-never}
    fi
    check=$("$segedge" models check --json --set "agent.state=$state" --set "model.provider=$2" "$1" 2>"$work/err")
    runs_on=$(echo "$check" | value provider)
    if [ "$runs_on" != "$2" ]; then
        why=$(echo "$check" | sed -n 's/.*"why":"\([^"]*\)".*/\1/p')
        echo "| $1 | $3 | not run: ${why:-$(tail -n 1 "$work/err")} | | | | | | | | |"
        return
    fi
    iou=$(echo "$check" | value agreement_iou)
    word=; if awk "BEGIN { exit !($iou < 0.97) }"; then word=" **too little**"; failed=1; fi
    before=$(gpu_memory)
    start "$1" "$2" "$state" "$each"
    sleep $((each > 4 ? each - 4 : 1))
    after=$(gpu_memory); rss=$(awk '/^VmRSS/ { print int($2 / 1024) }' "/proc/$agent/status" 2>/dev/null)
    wait "$agent"; agent=
    fps=$(tr -d ' \n' <"$work/summary" 2>/dev/null | value fps); rm -f "$work/summary"
    used=-; if [ "$before" != - ] && [ "$after" != - ]; then used=$((after - before)); fi
    echo "| $1 | $3 | $(echo "$check" | value encode_ms) | $(echo "$check" | value decode_1_ms) | $(echo "$check" | value decode_5_ms) | $iou$word |" \
        "${fps:--} | ${rss:--} | $used | $built | $cached |"
}

echo "# GPU report"; echo
"$segedge" version
echo "$(uname -srm), $(nproc) processors"
nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader 2>/dev/null || echo "MISSING: nvidia-smi, so no driver, or a container without its GPU"
for lib in libcuda.so.1 libcudart.so.12 libcublas.so.12 libcudnn.so.9 libnvinfer.so.10; do
    ldconfig -p | grep -q "$lib" || echo "${LD_LIBRARY_PATH:-}" | tr : '\n' | while read -r d; do [ -e "$d/$lib" ] && echo found; done | grep -q found ||
        echo "MISSING: $lib"
done
trt=no; ldconfig -p | grep -q libnvinfer.so.10 && nvidia-smi >/dev/null 2>&1 && trt=yes
[ -n "${SEGEDGE_ORT_LIB:-}" ] || echo "MISSING: SEGEDGE_ORT_LIB names no ONNX Runtime for GPUs (docs/gpu.md, The library)"
echo; "$segedge" doctor --set "agent.state=$work/doctor" 2>&1 | grep -i model; echo
echo "| model | on | encode ms | a decode ms | five ms | IoU with the CPU | frames/s | RSS MiB | GPU MiB | engine built s | start with it s |"
echo "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
here=$("$segedge" models list --state "$store" 2>/dev/null | awk 'NR > 2 && $3 == "yes" { print $1 }')
for model in default $here "$@"; do
    row "$model" cpu cpu
    row "$model" cuda cuda
    row "$model" tensorrt "tensorrt-as-the-family-allows"
    SEGEDGE_TENSORRT_FP32=1; export SEGEDGE_TENSORRT_FP32
    row "$model" tensorrt tensorrt-32-bits
    unset SEGEDGE_TENSORRT_FP32
done
exit $failed
