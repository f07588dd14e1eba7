import { readdirSync, statSync } from 'node:fs';
import { rm, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { systemClock } from '../../../../src/base/clock.ts';
import { LogSpace } from '../../../../src/box/output/logSpace.ts';
import { OutputLog } from '../../../../src/box/output/outputLog.ts';
import { readLog } from '../../../../src/box/output/readLog.ts';
import { collect } from '../../../support/collect.ts';
import { temporaryDirectory } from '../../../support/files/temporary.ts';
import { parseEvents } from '../../../support/sandboxClient.ts';

const MIB = 1024 * 1024;
const { signal } = new AbortController();

async function read(log: OutputLog, after = 0) {
  const stream = ReadableStream.from(
    (async function* () {
      for await (const piece of readLog(log, { after, clock: systemClock, signal })) yield Buffer.from(piece);
    })(),
  );
  return await collect(parseEvents(new Response(stream)));
}

const line = (log: OutputLog, number: number, bytes = 1000) =>
  log.append('stdout', { number, data: 'x'.repeat(bytes) }, bytes);

const size = (folder: string) =>
  readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);

test('of too much the oldest goes, the disk is not filled, and a reader is told how much it misses', async () => {
  const folder = join(await temporaryDirectory(), 'log');
  const log = new OutputLog(folder, new LogSpace(8 * MIB));
  for (let number = 0; number < 20_000; number++) line(log, number);
  expect(size(folder)).toBeLessThan(6.1 * MIB);
  log.finish('exit', { code: 0 });
  const [gap, first, ...rest] = await read(log);
  expect(gap).toMatchObject({ type: 'gap', data: { reason: 'limit', from: 1 } });
  expect(gap!.data.bytes).toBe(log.start);
  expect(first!.id).toBe(String(log.start + 1));
  expect(rest.at(-2)!.data.number).toBe(19_999);
  expect(rest.at(-1)!.type).toBe('exit');
  // Nothing is missing after the gap.
  const numbers = [first!, ...rest.slice(0, -1)].map(({ data }) => data.number as number);
  expect(numbers).toEqual(numbers.map((_, index) => numbers[0]! + index));
});

test('logs of what has ended make room for those of what runs, the oldest first', async () => {
  const folder = await temporaryDirectory();
  const space = new LogSpace(8 * MIB);
  const [old, young, running] = ['old', 'young', 'running'].map(
    (name) => new OutputLog(join(folder, name), space),
  );
  for (const log of [old!, young!]) {
    for (let number = 0; number < 2000; number++) line(log, number);
    log.finish('exit', { code: 0 });
  }
  for (let number = 0; number < 5000; number++) line(running!, number);
  expect(size(`${folder}/old`) + size(`${folder}/young`) + size(`${folder}/running`)).toBeLessThan(8.1 * MIB);
  expect(old!.start).toBeGreaterThan(0);
  expect(running!.start).toBe(0);
  expect((await read(young!)).at(-1)!.type).toBe('exit');
  old!.remove();
  young!.remove();
  running!.remove();
  expect(readdirSync(folder)).toEqual([]);
});

test('a reader that is at it keeps what it reads, though the log has dropped it', async () => {
  const log = new OutputLog(join(await temporaryDirectory(), 'log'), new LogSpace(8 * MIB));
  for (let number = 0; number < 1000; number++) line(log, number);
  const reader = readLog(log, { after: 0, clock: systemClock, signal });
  let text = '';
  for (const _ of [1, 2, 3]) text += (await reader.next()).value;
  for (let number = 1000; number < 20_000; number++) line(log, number);
  log.finish('exit', {});
  for await (const piece of reader) text += piece;
  const numbers = [...text.matchAll(/"number":(\d+)/g)].map(([, number]) => Number(number));
  expect(numbers.slice(0, 900)).toEqual(Array.from({ length: 900 }, (_, index) => index));
  expect(text).toContain('event: gap');
  expect(text.endsWith('\nevent: exit\ndata: {}\n\n')).toBe(true);
});

test('files that somebody cuts short or takes away are gaps, and never an endless loop', async () => {
  const folder = join(await temporaryDirectory(), 'log');
  const log = new OutputLog(folder, new LogSpace(8 * MIB));
  for (let number = 0; number < 3000; number++) line(log, number);
  const [first] = readdirSync(folder).sort((a, b) => Number(a) - Number(b));
  await truncate(join(folder, first!), 0);
  expect((await read2(log))[0]!.type).toBe('gap');
  await rm(folder, { recursive: true });
  for (let number = 0; number < 3; number++) line(log, number);
  log.finish('exit', { code: 3 });
  const types = (await read(log)).map(({ type }) => type);
  expect(new Set(types)).toContain('gap');
  expect(types.at(-1)).toBe('exit');

  async function read2(open: OutputLog) {
    const over = new AbortController();
    const pieces: Buffer[] = [];
    for await (const piece of readLog(open, { after: 0, clock: systemClock, signal: over.signal })) {
      pieces.push(Buffer.from(piece));
      if (Buffer.concat(pieces).includes('"number":2999')) break;
    }
    return await collect(parseEvents(new Response(Buffer.concat(pieces))));
  }
});

test('where nothing can be written, the end comes all the same, and how much is missing', async () => {
  const folder = await temporaryDirectory();
  // A file where the folder should be: as with a full disk, no event can be written.
  const log = new OutputLog('/proc/self/nowhere', new LogSpace(8 * MIB));
  line(log, 1);
  line(log, 2);
  log.finish('exit', { code: 1 });
  expect(await read(log)).toEqual([
    { type: 'gap', data: { reason: 'disk', bytes: 2000 }, id: undefined },
    { type: 'exit', data: { code: 1 }, id: '1' },
  ]);
  const late = new OutputLog(join(folder, 'a', 'b'), new LogSpace(8 * MIB));
  line(late, 1);
  late.finish('exit', { code: 0 });
  expect((await read(late)).map(({ type }) => type)).toEqual(['stdout', 'exit']);
});
