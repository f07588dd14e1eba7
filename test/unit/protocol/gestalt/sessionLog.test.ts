import { expect, test } from 'vitest';
import { systemClock } from '../../../../src/base/clock.ts';
import type { LogHost } from '../../../../src/protocol/gestalt/logHost.ts';
import type { LogEntry } from '../../../../src/protocol/gestalt/messages.ts';
import { fitMessage } from '../../../../src/protocol/gestalt/rpcError.ts';
import { openSessionLog } from '../../../../src/protocol/gestalt/sessionLog.ts';

/** A log host in memory; it refuses while `isAway`. */
function memoryHost() {
  const batches: (readonly LogEntry[])[] = [];
  const state = { isAway: false };
  const host: LogHost = {
    append: async (_session, entries) => {
      if (state.isAway) throw new Error('away');
      batches.push(entries);
    },
    close: () => undefined,
  };
  return { host, batches, state };
}

test('no batch is above the 4 MiB of gRPC, however short its lines are', async () => {
  const { host, batches } = memoryHost();
  const log = openSessionLog('s', host, systemClock);
  // Each with 30 bytes of other fields: by their messages alone all of them would go in one batch.
  for (let line = 0; line < 60_000; line += 1) log.write('stdout', 'x');
  await log.flush(10_000);
  expect(batches.flat()).toHaveLength(60_000);
  for (const batch of batches) expect(batch.length).toBeLessThan(20_000);
});

test('a line that was cut within a character is still UTF-8', async () => {
  const { host, batches } = memoryHost();
  const log = openSessionLog('s', host, systemClock);
  log.write('stdout', `half ${'😀'.slice(0, 1)}`);
  await log.flush(1000);
  expect(batches.flat()[0]!.message.isWellFormed()).toBe(true);
});

test('the writer waits for a log host that is away, goes on when it is back, and never waits for ever', async () => {
  const { host, batches, state } = memoryHost();
  const log = openSessionLog('s', host, systemClock);
  const { signal } = new AbortController();
  await log.room(signal);
  state.isAway = true;
  for (let line = 0; line < 30; line += 1) log.write('stdout', 'x'.repeat(100_000));
  let hasRoom = false;
  const room = log.room(signal).then(() => (hasRoom = true));
  await systemClock.sleep(100, signal);
  expect(hasRoom).toBe(false);
  state.isAway = false;
  await room;
  await log.flush(10_000);
  expect(batches.flat()).toHaveLength(30);
  expect(batches.flat().map(({ sourceSeq }) => sourceSeq)).toEqual(
    Array.from({ length: 30 }, (_, at) => at + 1),
  );
});

test('the words of an error fit into a header', () => {
  expect(fitMessage('short')).toBe('short');
  for (const character of ['x', '\n', '漢', '😀']) {
    const fitting = fitMessage(`why: ${character.repeat(100_000)} last`);
    expect(encodeURIComponent(fitting).length).toBeLessThanOrEqual(6000);
    expect(fitting).toMatch(/^why: [\s\S]* last$/);
  }
});
