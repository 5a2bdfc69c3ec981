#!/bin/sh
# Trains, resumes, exports and evaluates a few steps on made-up pictures, and runs the unit tests: under two minutes on one core.
# Says so and succeeds where PyTorch, onnx or onnxruntime is absent (SEGEDGE_SMOKE_REQUIRED=1 makes that a failure).
cd "$(dirname "$0")" || exit 1
for PYTHON in ${PYTHON:-python3 /usr/bin/python3}; do
    "$PYTHON" -c 'import torch, PIL, onnx, onnxruntime' 2>/dev/null && exec "$PYTHON" -m unittest -v test_training
done
echo "training/smoke.sh: SKIPPED: no Python here has torch, pillow, onnx and onnxruntime (Debian: python3-torch python3-pil; PyPI: onnx onnxruntime)" >&2
[ -z "$SEGEDGE_SMOKE_REQUIRED" ]
