import type { Sample } from './sample.ts';
import { settings } from './settings.ts';

export const command: Sample = (name) => ({
  ...settings({ name, kind: 'command', bot: 'sh main.sh', query: 'sh query.sh' }),
  'main.sh': bot,
  'query.sh': query,
});

const bot = `# Counts its runs; as a realtime bot, one every ten seconds until it is stopped.
set -eu
mkdir -p "$STATE_DIR"
file=$STATE_DIR/runs.json
while
  runs=$(cat "$file" 2>/dev/null || echo 0)
  runs=$((runs + 1))
  echo "Hello from $BOT_ID, run $runs"
  echo "$runs" > "$file"
  [ "\${BOT_TYPE-}" = realtime ]
do
  sleep 10
done
`;

const query = `# Answers one query, into /query/result.json.
set -eu
case $QUERY_PATH in
/status)
  runs=$(cat "$STATE_DIR/runs.json" 2>/dev/null || echo 0)
  printf '{"status":"ok","data":{"runs":%d}}\n' "$runs" > /query/result.json
  ;;
*)
  printf '{"status":"error","error":"no such query"}\n' > /query/result.json
  ;;
esac
`;
