import { closeSync, openSync, readdirSync, readFileSync, rmSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolders } from '../../base/makeFolders.ts';
import type { EventQuery, HostEvent, Journal } from './event.ts';

/**
 * The room of what has happened and what is true: `event` and `condition` are the shapes, `openJournal` keeps events on disk, numbers
 * them and streams them to whoever follows. Losing one loses history, never a bot: decisions rest on records (`host/loop`).
 */

const SEGMENT_BYTES = 8 * 2 ** 20;
const SEGMENTS = 8;
const NAME = /^(\d{12})\.ndjson$/;
const USUAL_LIMIT = 1_000;

/**
 * Events as lines of JSON in files of 8 MiB, of which the last eight are kept: 64 MiB. A line is in the kernel's hands when
 * `write` returns, so a host that is killed loses none.
 */
export function openJournal(folder: string, now: () => number): Journal & { close(): void } {
  makeFolders(folder, 0o700);
  const listeners = new Set<(event: HostEvent) => void>();
  const segments = () =>
    readdirSync(folder)
      .filter((name) => NAME.test(name))
      .sort();
  let nextId = lastId(folder, segments()) + 1;
  let current = open(folder, nextId);

  function rotate(): void {
    closeSync(current.fd);
    current = open(folder, nextId);
    for (const name of segments().slice(0, -SEGMENTS)) rmSync(join(folder, name), { force: true });
  }

  return {
    write: (event) => {
      const kept: HostEvent = { id: nextId++, at: now(), ...event };
      const line = Buffer.from(`${JSON.stringify(kept)}\n`);
      writeSync(current.fd, line);
      current.bytes += line.length;
      if (current.bytes >= SEGMENT_BYTES) rotate();
      for (const listener of listeners) listener(kept);
    },
    read: async (query) => select(folder, segments(), query),
    subscribe: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    close: () => closeSync(current.fd),
  };
}

function open(folder: string, firstId: number): { fd: number; bytes: number } {
  const names = readdirSync(folder)
    .filter((name) => NAME.test(name))
    .sort();
  const last = names.at(-1);
  const bytes = last === undefined ? 0 : statSync(join(folder, last)).size;
  const goesOn = last !== undefined && bytes < SEGMENT_BYTES;
  const name = goesOn ? last : `${String(firstId).padStart(12, '0')}.ndjson`;
  return { fd: openSync(join(folder, name), 'a', 0o600), bytes: goesOn ? bytes : 0 };
}

function lastId(folder: string, names: readonly string[]): number {
  const newest = names.findLast((name) => statSync(join(folder, name)).size > 0);
  const first = names.at(-1);
  const fromName = first === undefined ? 0 : Number(NAME.exec(first)![1]) - 1;
  if (newest === undefined) return fromName;
  return Math.max(fromName, ...parse(readFileSync(join(folder, newest), 'utf8')).map(({ id }) => id));
}

function select(folder: string, names: readonly string[], query: EventQuery): HostEvent[] {
  const { bot, afterId = 0, limit = USUAL_LIMIT } = query;
  let found: HostEvent[] = [];
  for (const name of names.toReversed()) {
    const events = parse(readFileSync(join(folder, name), 'utf8')).filter(
      (event) => event.id > afterId && (bot === undefined || event.bot === bot),
    );
    found = [...events, ...found];
    const first = Number(NAME.exec(name)![1]);
    if (found.length >= limit || first <= afterId) break;
  }
  return found.slice(-limit);
}

/** A line that a crash of the machine has cut is left out. */
function parse(text: string): HostEvent[] {
  return text.split('\n').flatMap((line) => {
    try {
      return line === '' ? [] : [JSON.parse(line) as HostEvent];
    } catch {
      return [];
    }
  });
}
