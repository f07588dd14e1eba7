/**
 * The bot of the soak, a shell script: counts on from its state, says each number on stdout, and writes it where the state
 * is saved only after it has been said. `GAP` seconds between two numbers.
 */
export const soakBot = `
cd "$(dirname "$STATE_DIR")" || exit 9
trap 'exit 0' TERM
n=$(cat count 2>/dev/null || echo 0)
echo "begin $n"
while :; do
  n=$((n + 1))
  echo "line $LIFE $n"
  echo $n > count.new && mv count.new count
  head -c $((n % 7 * 9000)) /dev/urandom > "data.$((n % 5))"
  sleep "$GAP"
done
`;

/** Its query program: answers with the number as it is now. */
export const soakQuery = `exec "$NODE" -e '
const fs = require("node:fs"), path = require("node:path");
const file = path.join(path.dirname(process.env.STATE_DIR), "count");
const answer = () => JSON.stringify({ status: "ok", data: Number(fs.readFileSync(file, "utf8")) });
require("node:http").createServer((_, to) => to.end(answer())).listen(process.env.THE0_QUERY_PORT, "127.0.0.1");
'`;
