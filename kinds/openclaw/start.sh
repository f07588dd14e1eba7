#!/bin/sh
# OpenClaw writes to its configuration, so it gets a copy, anew at every start: openclaw.json of the bot's code.
set -eu
mkdir -p "$OPENCLAW_STATE_DIR"
if [ -e openclaw.json ]; then cp openclaw.json "$OPENCLAW_CONFIG_PATH"; fi
exec openclaw "$@"
