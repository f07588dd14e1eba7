#!/bin/sh
# Hermes keeps its configuration in its home. What the bot's code has as hermes.yaml takes its place at every start.
set -eu
mkdir -p "$HERMES_HOME"
if [ -e hermes.yaml ]; then cp hermes.yaml "$HERMES_HOME/config.yaml"; fi
exec hermes "$@"
