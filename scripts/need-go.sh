#!/bin/sh
# Says what to do when there is no Go.
command -v go >/dev/null && exit 0
echo "Go is needed (https://go.dev/dl): put its bin folder on your PATH and try again" >&2
exit 1
