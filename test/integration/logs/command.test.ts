import { PassThrough } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { dispatch } from '../../../src/base/command/dispatch.ts';
import { createShipper } from '../../../src/bot/logs/ship/createShipper.ts';
import { explain } from '../../../src/operator/explain.ts';
import { commands } from '../../../src/programs/commands.ts';
import { openFileStore } from '../../../src/store/file/file.ts';
import { temporaryDirectory } from '../../support/files/temporary.ts';
import { journalOf } from '../../support/store/journal.ts';

const midnight = Date.UTC(2026, 2, 22);

/** A bot that has written at these times, and `runtime logs` as an operator starts it. */
async function shippedBot() {
  const root = await temporaryDirectory();
  const dir = await temporaryDirectory();
  let now = midnight;
  const journal = journalOf(dir, { now: () => now });
  const shipper = createShipper({ store: openFileStore(root, 'bot-logs'), bot: 'bot', dir });
  return {
    write: async (time: number, text: string, stream?: 'stderr') => {
      now = time;
      journal.write(text, stream);
      await shipper.ship();
    },
    logs: (...argv: string[]) => {
      const stdout = new PassThrough();
      const hangup = new AbortController();
      let text = '';
      stdout.on('data', (chunk: Buffer) => {
        text += chunk;
      });
      const exit = dispatch(
        commands,
        ['logs', ...argv],
        {
          env: { STORE_URL: `file://${root}` },
          cwd: '/',
          stdin: new PassThrough(),
          stdout,
          stderr: new PassThrough(),
          hangup: hangup.signal,
          abandonStalled: () => undefined,
        },
        explain,
      );
      return { exit, hangup: () => hangup.abort(), printed: () => text };
    },
  };
}

test('prints time, stream and message of every day, the oldest first', async () => {
  const { write, logs } = await shippedBot();
  await write(midnight - 1, 'yesterday\n');
  await write(midnight, 'today\n', 'stderr');
  const { exit, printed } = logs('bot');
  expect(await exit).toBe(0);
  expect(printed()).toBe(
    '2026-03-21T23:59:59.999Z stdout yesterday\n2026-03-22T00:00:00.000Z stderr today\n',
  );
});

test('--json prints the lines as they are kept, and those of the bot as it wrote them', async () => {
  const { write, logs } = await shippedBot();
  await write(midnight, 'plain\n{"timestamp":"then",  "level":3}\n{"level":3}\n');
  const { exit, printed } = logs('bot', '--json');
  expect(await exit).toBe(0);
  expect(printed().split('\n')).toEqual([
    '{"timestamp":"2026-03-22T00:00:00.000Z","stream":"stdout","message":"plain"}',
    '{"timestamp":"then",  "level":3}',
    '{"timestamp":"2026-03-22T00:00:00.000Z","stream":"stdout","message":"{\\"level\\":3}"}',
    '',
  ]);
});

test.each([
  ['2026-03-22T00:00:00Z', ['b', 'c']],
  ['2026-03-22T01:00:00+01:00', ['b', 'c']],
  ['2026-03-21T23:59:59.999Z', ['a', 'b', 'c']],
  ['2026-03-22T00:00:00.001Z', ['c']],
  ['1h', []],
])('--since %s', async (since, expected) => {
  const { write, logs } = await shippedBot();
  await write(midnight - 1, 'a\n');
  await write(midnight, 'b\n');
  await write(midnight + 1, 'c\n');
  const { exit, printed } = logs('bot', '--since', since);
  expect(await exit).toBe(0);
  expect(printed().match(/\w$/gm) ?? []).toEqual(expected);
});

test('--follow prints what comes later, also on the next day, and ends when nobody reads any more', async () => {
  const { write, logs } = await shippedBot();
  await write(midnight - 1, 'a\n');
  const { exit, hangup, printed } = logs('bot', '--follow');
  while (!printed().includes('a\n')) await sleep(10);
  await write(midnight - 1, 'b\n');
  await write(midnight, 'c\n');
  while (!printed().includes('c\n')) await sleep(10);
  hangup();
  expect(await exit).toBe(0);
  expect(printed().match(/\w$/gm)).toEqual(['a', 'b', 'c']);
});

test('a bot without logs is not found, and a wrong time is a wrong command line', async () => {
  const { write, logs } = await shippedBot();
  await expect(logs('bot').exit).rejects.toMatchObject({ exitCode: 66, hint: expect.stringMatching(/name/) });
  await write(midnight, 'a\n');
  await expect(logs('bo').exit).rejects.toMatchObject({ exitCode: 66 });
  await expect(logs('../bot').exit).rejects.toMatchObject({ exitCode: 64 });
  await expect(logs('bot', '--since', 'tuesday').exit).rejects.toMatchObject({ exitCode: 64 });
});

test('what a bot prints cannot act on a terminal', async () => {
  const { write, logs } = await shippedBot();
  await write(midnight, 'red \u001b[31m\ttab \u009b2J\n');
  const { exit, printed } = logs('bot');
  await exit;
  expect(printed()).toContain('red \\u001b[31m\ttab ');
  expect(/\p{Cc}/u.test(printed().replaceAll(/[\t\n]/g, ''))).toBe(false);
});
