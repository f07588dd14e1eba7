import { expect, test } from 'vitest';
import { EventBuffer } from '../../../../src/bot/events/eventBuffer.ts';

const event = (n: number) => ({ type: 'file.changed' as const, at: '2026-01-01T00:00:00.000Z', data: { n } });

function filled(capacity: number, count: number): EventBuffer {
  const buffer = new EventBuffer(capacity, 1000);
  for (let n = 1; n <= count; n += 1) buffer.append(event(n));
  return buffer;
}

test('gives exactly what followed an id', () => {
  const { events, missed, last } = filled(10, 5).after(1003);
  expect(events.map(({ id }) => id)).toEqual([1004, 1005]);
  expect(missed).toBe(0);
  expect(last).toBe(1005);
});

test('has nothing for who has seen everything', () => {
  expect(filled(10, 5).after(1005)).toEqual({ events: [], missed: 0, last: 1005 });
});

test('keeps the last events and counts what a reader has missed', () => {
  const { events, missed } = filled(3, 10).after(1002);
  expect(events.map(({ id }) => id)).toEqual([1008, 1009, 1010]);
  expect(missed).toBe(5);
});

test('a reader exactly at the edge of the buffer has missed nothing', () => {
  expect(filled(3, 10).after(1007).missed).toBe(0);
});

test('a new reader gets everything kept and has missed nothing', () => {
  const { events, missed } = filled(3, 10).after(0);
  expect(events).toHaveLength(3);
  expect(missed).toBe(0);
});

test('an id of an earlier process replays everything and says that something may be missing', () => {
  const { events, missed } = filled(10, 2).after(17);
  expect(events).toHaveLength(2);
  expect(missed).toBeNull();
});

test('wakes who waits for the next event', async () => {
  const buffer = filled(3, 1);
  const waiting = buffer.changed(new AbortController().signal);
  buffer.append(event(2));
  await waiting;
});

test('takes over the ids of another process, each event once', () => {
  const buffer = new EventBuffer(10, 1000);
  for (const id of [57, 58, 59, 58, 59]) buffer.append(event(id), id);
  expect(buffer.after(57).events.map(({ id }) => id)).toEqual([58, 59]);
  expect(buffer.after(56).missed).toBe(0);
  expect(buffer.after(55).missed).toBeNull();
});

test('after a gap nobody is told that nothing is missing', () => {
  const buffer = new EventBuffer(10, 0);
  for (const id of [57, 58, 80]) buffer.append(event(id), id);
  expect(buffer.after(58)).toMatchObject({ missed: null, events: [{ id: 80 }] });
});
