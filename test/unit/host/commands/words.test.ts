import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { HostApi } from '../../../../src/host/api/hostApi.ts';
import { startControl } from '../../../../src/host/control/startControl.ts';
import { invoke } from '../../../support/process/invoke.ts';

/** `runtime bots …` of a host of which only this is there. */
async function host(api: Partial<HostApi>) {
  const folder = mkdtempSync(join(tmpdir(), 'words-'));
  const socket = join(folder, 'host.sock');
  const server = await startControl(socket, api as HostApi);
  onTestFinished(async () => {
    await server.close().catch(() => undefined);
    rmSync(folder, { recursive: true, force: true });
  });
  return {
    bots: (...args: string[]) => invoke(['bots', ...args, '--socket', socket]),
    /** Until the signal. */
    watching: (hangup: AbortSignal, ...args: string[]) =>
      invoke(['bots', ...args, '--socket', socket], { hangup }),
    end: () => server.close(),
  };
}

const view = (state: string) => ({ name: 'b', state, conditions: [], failures: 0, instances: [] });

test('show --watch prints the bot again when something of it changes, and not for another', async () => {
  const states = ['starting', 'running', 'stopping'];
  let at = 0;
  let looks = 0;
  let changed = (_: string) => {};
  let listens = false;
  const { watching } = await host({
    bot: () => view(states[at]!) as never,
    // What it asks last.
    events: async () => {
      looks += 1;
      return [];
    },
    changes: (listener) => {
      changed = listener;
      listens = true;
      return () => undefined;
    },
  });
  const stop = new AbortController();
  const ended = watching(stop.signal, 'show', 'b', '--watch', '--json');
  await expect.poll(() => listens, { timeout: 20_000 }).toBe(true);
  const looked = (times: number) => expect.poll(() => looks, { timeout: 20_000 }).toBe(times);
  await looked(1);
  at = 1;
  changed('b');
  changed('b');
  await looked(2);
  at = 2;
  changed('b');
  await looked(3);
  // Long enough for what should not be told.
  changed('another');
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  stop.abort();
  const printed = (await ended).stdout.trim().split('\n');
  expect(printed.map((line) => (JSON.parse(line) as { state: string }).state)).toEqual(states);
});

test('a host that ends while it is watched is one that does not answer', async () => {
  let listens = false;
  const { watching, end } = await host({
    bot: () => view('running') as never,
    events: async () => [],
    changes: () => {
      listens = true;
      return () => undefined;
    },
  });
  const ended = watching(new AbortController().signal, 'show', 'b', '--watch');
  const failure = expect(ended).rejects.toMatchObject({ code: 'unavailable' });
  await expect.poll(() => listens, { timeout: 20_000 }).toBe(true);
  await end();
  await failure;
});

test('logs --json are an object a line, whole characters and whole lines, however they come', async () => {
  const text = Buffer.from('one\nzwölf "x"\nlast');
  const { bots } = await host({
    logs: async function* () {
      for (const byte of text) yield { stream: 'stdout' as const, bytes: Buffer.from([byte]) };
    },
  });
  const { stdout } = await bots('logs', 'b', '--json');
  expect(
    stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown),
  ).toEqual(['one', 'zwölf "x"', 'last'].map((line) => ({ bot: 'b', line })));
  expect((await bots('logs', 'b')).stdout).toBe(text.toString());
});

test('logs --watch follows', async () => {
  let followed: boolean | undefined;
  const { bots } = await host({
    logs: async function* (_, { follow }) {
      followed = follow;
      yield { stream: 'stdout' as const, bytes: Buffer.from('x\n') };
    },
  });
  await bots('logs', 'b', '--watch');
  expect(followed).toBe(true);
  await bots('logs', 'b');
  expect(followed).toBe(false);
});

test('what is asked of the whole host answers in JSON as well', async () => {
  const done = async () => undefined;
  const { bots } = await host({ drain: done, resume: done, allowMassDelete: done });
  const json = async (word: string) => JSON.parse((await bots(word, '--json')).stdout) as unknown;
  expect(await json('drain')).toEqual({ draining: true });
  expect(await json('resume')).toEqual({ draining: false });
  expect(await json('confirm')).toEqual({ confirmed: true });
});
