import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openEventBus } from '../../../../../src/protocol/tangle/events/eventBus.ts';
import { type EventLog, openEventLog } from '../../../../../src/protocol/tangle/events/eventLog.ts';
import { readLog } from '../../../../../src/protocol/tangle/events/readLog.ts';
import { temporaryDirectory } from '../../../../support/files/temporary.ts';

const root = join(import.meta.dirname, '../../../../..');
const tick = (n: number) => ({ type: 'tick', data: { n } });

async function all(log: EventLog, cursor = 0): Promise<number[]> {
  const reader = readLog(log, cursor);
  const ids: number[] = [];
  for (let frames = await reader.next(); frames.length > 0; frames = await reader.next())
    ids.push(...frames.map(({ id }) => id));
  return ids;
}

test('a writer that is killed has lost nothing that it said was kept, and no number is used again', async () => {
  const folder = await temporaryDirectory();
  let kept = 0;
  for (let life = 1; life <= 3; life += 1) {
    const child = spawn(
      join(root, 'scripts/node'),
      [join(root, 'test/support/serve/eventWriter.ts'), folder],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      if (said.length > 3000) child.kill('SIGKILL');
    });
    await once(child, 'close');
    const numbers = said.split('\n').slice(0, -1).map(Number);
    // It went on where the one before it was; a few more may be kept than it could say.
    expect(numbers[0]).toBeGreaterThan(kept);
    const log = openEventLog(folder, Date.now);
    expect(log.lastId).toBeGreaterThanOrEqual(numbers.at(-1)!);
    expect(await all(log)).toEqual(Array.from({ length: log.lastId }, (_, at) => at + 1));
    kept = log.lastId;
  }
});

test('half a line at the end of a file was told to nobody: it is taken away, and its number is used', async () => {
  const folder = await temporaryDirectory();
  openEventLog(folder, Date.now).append([tick(1), tick(2)]);
  const [name] = readdirSync(folder);
  appendFileSync(join(folder, name!), '{"id":3,"type":"tick","da');
  const log = openEventLog(folder, Date.now);
  expect(log.lastId).toBe(2);
  log.append([tick(3)]);
  expect(await all(log)).toEqual([1, 2, 3]);
  expect(
    openEventLog(folder, Date.now)
      .newest()
      .map(({ data }) => data.n),
  ).toEqual([1, 2, 3]);
});

test('what the disk does not take is an error, and is told to the readers as soon as it takes one again', async () => {
  const folder = join(await temporaryDirectory(), 'log');
  const log = openEventLog(folder, Date.now);
  log.append([tick(1)]);
  rmSync(folder, { recursive: true });
  expect(() => log.append([tick(2), tick(3)])).toThrow('events cannot be kept');
  log.missed(2);
  expect(log.lastId).toBe(1);
  mkdirSync(folder);
  log.append([tick(4)]);
  expect(log.ring.slice(1).map(({ text }) => text)).toEqual([
    expect.stringContaining('event: gap\ndata: {"reason":"disk","lost":2,'),
    expect.stringContaining('"n":4'),
  ]);
  expect(log.lastId).toBe(3);
});

test('an event that clients would refuse is refused here', async () => {
  const log = openEventLog(await temporaryDirectory(), Date.now);
  expect(() => log.append([{ type: 'x', data: { text: 'x'.repeat(70_000) } }])).toThrow('more than');
  expect(log.lastId).toBe(0);
});

test('there is one log of a name, and a name is no path', async () => {
  const folder = await temporaryDirectory();
  const bus = openEventBus({ folder, instance: 'i', now: Date.now });
  bus.of('sandboxes', 'sb-1').append([tick(1)]);
  expect(bus.of('sandboxes', 'sb-1').lastId).toBe(1);
  expect(bus.of('sessions', 'sb-1').lastId).toBe(0);
  for (const name of ['', '.', '..', '../sessions/x', 'a/b', 'x'.repeat(129)])
    expect(() => bus.of('sandboxes', name)).toThrow('there is no stream');
  bus.remove('sandboxes', 'sb-1');
  expect(bus.of('sandboxes', 'sb-1').lastId).toBe(0);
});
