# Answers one query, into /query/result.json. Asked to listen, it does not: the runtime then runs it for each query.
set -eu
[ -n "${QUERY_PATH-}" ] || exit 0
case $QUERY_PATH in
/status)
  runs=$(cat "$STATE_DIR/runs.json" 2>/dev/null || echo 0)
  printf '{"status":"ok","data":{"runs":%d}}\n' "$runs" >/query/result.json
  ;;
*)
  printf '{"status":"error","error":"ask /status"}\n' >/query/result.json
  ;;
esac
