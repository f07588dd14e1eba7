import { expect, test } from 'vitest';
import type { Clock } from '../../../../src/base/clock.ts';
import { EventBuffer } from '../../../../src/bot/events/eventBuffer.ts';
import { eventStream, parseLastEventId } from '../../../../src/bot/events/eventStream.ts';

const event = (n: number) => ({ type: 'file.changed' as const, at: '2026-01-01T00:00:00.000Z', data: { n } });

/** A clock whose sleeps end when the test says so. */
function manualClock(): Clock & { tick(): void } {
  const sleeping: (() => void)[] = [];
  return {
    now: () => 0,
    elapsed: () => 0,
    sleep: (_ms, signal) =>
      new Promise((resolve, reject) => {
        sleeping.push(resolve);
        signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
      }),
    tick: () => sleeping.shift()?.(),
  };
}

function open(buffer: EventBuffer, lastId = 0) {
  const clock = manualClock();
  const stop = new AbortController();
  const stream = eventStream(buffer, lastId, clock, stop.signal);
  return { clock, stop, read: async () => (await stream.next()).value ?? 'end' };
}

test('greets, replays, follows, and ends when aborted', async () => {
  const buffer = new EventBuffer(10, 100);
  buffer.append(event(1));
  const { read, stop } = open(buffer);
  expect(await read()).toBe(': runtime events\n\n');
  expect(await read()).toBe(`id: 101\nevent: file.changed\ndata: ${JSON.stringify(event(1))}\n\n`);
  const next = read();
  buffer.append(event(2));
  expect(await next).toContain('id: 102\n');
  const end = read();
  stop.abort();
  expect(await end).toBe('end');
});

test('sends a comment line whenever the heartbeat is due', async () => {
  const { read, clock, stop } = open(new EventBuffer(10, 100));
  await read();
  for (let n = 0; n < 3; n += 1) {
    const beat = read();
    clock.tick();
    expect(await beat).toBe(': alive\n\n');
  }
  stop.abort();
});

test('a reader that was slow is told how many it missed and goes on from there', async () => {
  const buffer = new EventBuffer(2, 100);
  buffer.append(event(1));
  const { read, stop } = open(buffer);
  await read();
  await read();
  for (let n = 2; n <= 6; n += 1) buffer.append(event(n));
  expect(await read()).toBe('event: missed\ndata: {"count":3}\n\n');
  const rest = await read();
  expect(rest.match(/^id: \d+$/gm)).toEqual(['id: 105', 'id: 106']);
  stop.abort();
});

test('an id that no server of ours gave asks for everything', () => {
  expect(parseLastEventId(undefined)).toBe(0);
  expect(parseLastEventId('abc')).toBe(0);
  expect(parseLastEventId('-4')).toBe(0);
  expect(parseLastEventId('1e400')).toBe(0);
  expect(parseLastEventId('105')).toBe(105);
});
