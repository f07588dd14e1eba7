import { once } from 'node:events';
import type { Readable } from 'node:stream';
import type { Invocation } from '../../base/command/command.ts';
import { overlay } from '../../base/command/overlay.ts';
import { RuntimeError } from '../../base/errors.ts';

/** A bot's configuration is in it. */
const LONGEST_BYTES = 4 * 1024 * 1024;

/**
 * A query server that waits for its bot, everything loaded: the bot comes on stdin, its variables as one line of JSON. There is only
 * one: whatever comes after it, and the end of stdin, is the end of this process (SIGTERM to ourselves). So nothing answers for two
 * bots, and nothing outlives the host that holds the other end. Throws `unavailable` when the end comes first, `usage` for
 * a line that is none.
 */
export async function awaitBot(invocation: Invocation): Promise<Invocation> {
  const { stdin } = invocation;
  const line = firstLine(stdin);
  await loadAhead();
  const variables = parse(await line);
  const end = () => process.kill(process.pid, 'SIGTERM');
  for (const event of ['data', 'end', 'close', 'error'] as const) stdin.once(event, end);
  return overlay(invocation, { env: { ...invocation.env, ...variables } });
}

/** What a first query needs anyway, and what takes longest in it. */
async function loadAhead(): Promise<void> {
  await Promise.all([
    import('../../bot/kinds/registry.ts'),
    import('../../store/s3/s3.ts'),
    import('../query/server/ownRoutes.ts'),
    import('../query/server/runQueryServer.ts'),
    import('./openBotStores.ts'),
    import('./pullForQueries.ts'),
  ]);
}

/** The first line that comes; the stream goes on flowing. */
async function firstLine(stdin: Readable): Promise<string> {
  const pieces: Buffer[] = [];
  let size = 0;
  const take = (piece: Buffer) => {
    size += piece.length;
    pieces.push(piece);
    if (piece.at(-1) === NEWLINE || size > LONGEST_BYTES) whole.abort();
  };
  const whole = new AbortController();
  stdin.on('data', take);
  await Promise.race([once(whole.signal, 'abort'), once(stdin, 'end')]);
  stdin.off('data', take);
  if (!whole.signal.aborted) throw new RuntimeError('unavailable', 'stdin has ended before a bot came on it');
  // Without a listener it would go on losing what comes; with the next one it flows again.
  return Buffer.concat(pieces).toString();
}

const NEWLINE = 10;

function parse(line: string): Record<string, string> {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    // Not the error's own words: they quote it, and it holds secrets.
    value = undefined;
  }
  const isWhole =
    typeof value === 'object' &&
    value !== null &&
    Object.values(value).every((text) => typeof text === 'string');
  if (isWhole) return value as Record<string, string>;
  throw new RuntimeError('usage', 'what came on stdin is not one line of JSON with the variables of a bot');
}
