# Counts its own runs. What it writes under STATE_DIR is there again the next time.
set -eu
mkdir -p "$STATE_DIR"
file=$STATE_DIR/runs.json
runs=$(cat "$file" 2>/dev/null || echo 0)
runs=$((runs + 1))
# Renamed into place: a reader never sees half a file.
echo "$runs" >"$file.new"
mv "$file.new" "$file"
echo "$BOT_ID: run number $runs"
