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
