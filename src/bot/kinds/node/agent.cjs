/**
 * Part of the launcher, of agents alone: answers the messages that come over descriptor 3, which stays open for that. Each is a line
 * of JSON; what becomes of a turn goes the other way (src/agent/links/handlerLink.ts).
 */
const { Socket } = require('node:net');
const { createInterface } = require('node:readline');

// biome-ignore lint/correctness/noUnusedVariables: the launcher, which follows, calls it.
const serveMessages = (loaded, launch, stopping) => {
  const onMessage = [loaded?.onMessage, loaded?.default?.onMessage].find(
    (found) => typeof found === 'function',
  );
  if (!onMessage) {
    console.error(`${launch.entrypoint} has no onMessage(text, context) to answer messages`);
    process.exit(78);
  }
  const socket = new Socket({ fd: 3, readable: true, writable: true });
  const turns = new Map();
  const write = (line) => void socket.write(`${JSON.stringify(line)}\n`);
  // Nothing more comes that a process would have to stay for.
  stopping.addEventListener('abort', () => socket.unref());
  // The supervisor is gone.
  socket.on('error', () => undefined);
  socket.on('close', () => process.exit(143));

  const contextOf = ({ id, conversation, text, parts, metadata }, cancelling) => {
    const say = (line) => write({ id, ...line });
    return {
      turn: id,
      conversation,
      text,
      parts: parts ?? [{ type: 'text', text }],
      metadata: metadata ?? {},
      config: JSON.parse(process.env.BOT_CONFIG || '{}'),
      stateDir: process.env.STATE_DIR,
      signal: cancelling.signal,
      get cancelled() {
        return cancelling.signal.aborted;
      },
      /** Of this turn: input, output, cacheRead, cacheWrite, reasoning, total. Several add up. */
      usage: ({ model, provider, usd, ...tokens }) =>
        say({
          type: 'usage',
          usage: { model, provider, usd, ...(Object.keys(tokens).length > 0 ? { tokens } : {}) },
        }),
      /** Another cost of this turn: cost('voice', 12.5, 'second'). */
      cost: (type, quantity, unit = type.split('.').at(-1), usd = null) =>
        say({ type: 'usage', usage: { costs: [{ type, quantity, unit, usd }] } }),
      thought: (text) => say({ type: 'thought', text }),
      tool: (tool, name, status) =>
        say({ type: 'tool', tool: String(tool), name: String(name), status: String(status) }),
    };
  };

  const tell = (id, piece) => {
    if (piece === undefined || piece === null || piece === '') return;
    if (typeof piece !== 'string')
      throw new TypeError(`onMessage gave a value of type ${typeof piece}, and not text`);
    write({ id, type: 'delta', text: piece });
  };

  const answer = async (message) => {
    const { id } = message;
    const cancelling = new AbortController();
    turns.set(id, cancelling);
    const { signal } = cancelling;
    try {
      const result = await onMessage(message.text, contextOf(message, cancelling));
      const isStream =
        typeof result === 'object' &&
        result !== null &&
        (result[Symbol.asyncIterator] || result[Symbol.iterator]);
      if (isStream) {
        for await (const piece of result) {
          tell(id, piece);
          if (signal.aborted) break;
        }
      } else tell(id, result);
      write({ id, type: 'end', stopReason: signal.aborted ? 'cancelled' : 'end' });
    } catch (error) {
      if (signal.aborted) return write({ id, type: 'end', stopReason: 'cancelled' });
      console.error(error);
      write({ id, type: 'error', message: String(error) });
    } finally {
      turns.delete(id);
    }
  };

  const hello = () => {
    // Whoever asks knows of no turn: what is under way was asked for by one that has died.
    for (const cancelling of turns.values()) cancelling.abort();
    const { capabilities, version } = { ...loaded?.default, ...loaded };
    write({
      type: 'hello',
      version: typeof version === 'string' ? version : '',
      capabilities: typeof capabilities === 'object' ? capabilities : {},
    });
  };

  createInterface({ input: socket, crlfDelay: Number.POSITIVE_INFINITY }).on('line', (line) => {
    const message = JSON.parse(line);
    if (message.type === 'message') void answer(message);
    else if (message.type === 'cancel') turns.get(message.id)?.abort();
    else if (message.type === 'hello') hello();
  });
};
