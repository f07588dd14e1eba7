import type { IncomingMessage } from 'node:http';
import type { EngineWatch } from '../engine.ts';
import { hostLabel } from './containers/labels.ts';
import type { DockerContext } from './dockerContext.ts';

/** An engine that hangs leaves the stream open and silent: it is asked whether it lives. Milliseconds. */
const ASK_EVERY_MS = 20_000;
/** The engine throws events away for a reader that is this far behind (100 ms and 1,024 events). Milliseconds. */
const LATE_MS = 1_000;
const BEAT_MS = 500;
/** A line is some 1 KiB. */
const LONGEST_LINE = 1024 * 1024;
/** An exec has events as well, and nothing of the instance has changed. */
const actions = ['create', 'start', 'die', 'oom', 'kill', 'pause', 'unpause', 'rename', 'destroy'];

/** Subscribes to what happens to this host's containers; resolves once the engine has taken the subscription. */
export async function watchEvents(
  context: DockerContext,
  changed: (name: string | undefined) => void,
  signal: AbortSignal,
): Promise<EngineWatch> {
  const { client, host } = context;
  const filters = { type: ['container'], label: [`${hostLabel}=${host}`], event: actions };
  const stream = await client.stream({
    op: 'engine.watch',
    subject: 'events',
    method: 'GET',
    path: '/events',
    query: { filters: JSON.stringify(filters) },
    signal,
  });
  const over = new AbortController();
  const until = AbortSignal.any([signal, over.signal]);
  const ended = readEvents(stream, changed).finally(() => over.abort());
  void tellWhenLate(context, () => changed(undefined), until);
  void endWhenDead(context, stream, until);
  return { ended };
}

async function readEvents(
  stream: IncomingMessage,
  changed: (name: string | undefined) => void,
): Promise<void> {
  let held = '';
  try {
    for await (const chunk of stream) {
      const lines = (held + chunk).split('\n');
      held = lines.pop() ?? '';
      if (held.length > LONGEST_LINE) return;
      for (const line of lines) if (line.trim() !== '') tell(line, changed);
    }
  } catch {
    // However it is over, whoever watches lists again.
  } finally {
    stream.destroy();
  }
}

function tell(line: string, changed: (name: string | undefined) => void): void {
  const names = namesIn(line);
  if (names.length === 0) changed(undefined);
  for (const name of names) changed(name);
}

/** Of a rename, the old name too. */
function namesIn(line: string): string[] {
  try {
    const { Actor } = JSON.parse(line) as { Actor?: { Attributes?: Record<string, string> } };
    const { name, oldName } = Actor?.Attributes ?? {};
    return [name, oldName?.replace(/^\//, '')].filter((text) => text !== undefined);
  } catch {
    return [];
  }
}

/** Our own process stood still: the engine may have thrown events away, and says nothing of it. */
async function tellWhenLate({ clock }: DockerContext, late: () => void, signal: AbortSignal): Promise<void> {
  try {
    for (let last = clock.now(); ; ) {
      await clock.sleep(BEAT_MS, signal);
      const now = clock.now();
      if (now - last > BEAT_MS + LATE_MS) late();
      last = now;
    }
  } catch {
    // The watch is over.
  }
}

async function endWhenDead(
  { client, clock }: DockerContext,
  stream: IncomingMessage,
  signal: AbortSignal,
): Promise<void> {
  try {
    for (;;) {
      await clock.sleep(ASK_EVERY_MS, signal);
      await client.call({ op: 'engine.ping', subject: 'engine', method: 'HEAD', path: '/_ping', signal });
    }
  } catch {
    stream.destroy();
  }
}
