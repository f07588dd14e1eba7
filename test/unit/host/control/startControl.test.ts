import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { HostApi } from '../../../../src/host/api/hostApi.ts';
import { createControlClient } from '../../../../src/host/control/client.ts';
import { startControl } from '../../../../src/host/control/startControl.ts';
import type { HostEvent } from '../../../../src/host/journal/event.ts';
import { openJournal } from '../../../../src/host/journal/openJournal.ts';
import { invoke } from '../../../support/process/invoke.ts';

/** The operator's socket over a real journal; of the host, only what is asked here. */
async function control(api: (journal: ReturnType<typeof openJournal>) => Partial<HostApi>) {
  const folder = mkdtempSync(join(tmpdir(), 'control-'));
  const journal = openJournal(join(folder, 'journal'), Date.now);
  const server = await startControl(join(folder, 'host.sock'), api(journal) as HostApi);
  onTestFinished(async () => {
    await server.close();
    journal.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const tell = (message: string, bot = 'b') => journal.write({ type: 'started', bot, message, facts: {} });
  return { client: createControlClient(join(folder, 'host.sock')), tell };
}

async function take(events: AsyncIterable<HostEvent>, count: number): Promise<string[]> {
  const messages: string[] = [];
  for await (const { message } of events) if (messages.push(message) === count) break;
  return messages;
}

test('a socket that another host listens on is left to it; one of a dead host is not', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'control-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'host.sock');
  const api = (version: string) => ({ status: () => ({ version }) }) as unknown as HostApi;
  const version = () => createControlClient(path).get('/status');
  const first = await startControl(path, api('first'));
  await expect(startControl(path, api('second'))).rejects.toMatchObject({ code: 'config' });
  expect(await version()).toEqual({ version: 'first' });
  await first.close();
  writeFileSync(path, 'left behind');
  const third = await startControl(path, api('third'));
  // The client may still hold a connection to the first.
  await vi.waitFor(async () => expect(await version()).toEqual({ version: 'third' }), { timeout: 10_000 });
  await third.close();
  await expect(startControl('/proc/nothing/here.sock', api('x'))).rejects.toMatchObject({ code: 'config' });
});

test('ls shows what is gone only when it is asked for', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'control-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const socket = join(folder, 'host.sock');
  const view = (name: string, state: string) => ({ name, state, conditions: [], failures: 0, instances: [] });
  const api = {
    status: () => ({ engine: { answers: true }, source: { answers: true }, heldDeletes: 0 }),
    bots: () => [view('gone-one', 'gone'), view('here', 'running')],
  };
  const server = await startControl(socket, api as unknown as HostApi);
  const ls = async (...flags: string[]) =>
    (await invoke(['bots', 'ls', '--socket', socket, ...flags])).stdout;
  expect(await ls()).toMatch(/^BOT\tTYPE\t[^\n]*\nhere\t[^\n]*\n$/);
  expect(await ls('--all')).toContain('gone-one');
  expect(await ls('--state', 'gone')).toMatch(/^BOT\t[^\n]*\ngone-one\t[^\n]*\n$/);
  expect((JSON.parse(await ls('--json')) as unknown[]).length).toBe(1);
  await server.close();
});

test('ls says why there is nothing to be seen, and prints it where no program reads', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'control-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const socket = join(folder, 'host.sock');
  let elsewhere = 0;
  const api = {
    status: () => ({
      ...{ engine: { answers: true }, source: { answers: true, label: 'dir:/b' }, heldDeletes: 0, elsewhere },
    }),
    bots: () => [],
  };
  const server = await startControl(socket, api as unknown as HostApi);
  const ls = (...flags: string[]) => invoke(['bots', 'ls', '--socket', socket, ...flags]);
  expect(await ls()).toMatchObject({ stdout: '', stderr: 'no bots in dir:/b\n' });
  elsewhere = 3;
  expect(await ls()).toMatchObject({ stderr: expect.stringMatching(/none of the 3 in dir:\/b .*--only/) });
  expect(await ls('--state', 'held')).toMatchObject({ stdout: '', stderr: 'no bot is held\n' });
  expect(await ls('--json')).toMatchObject({ stdout: '[]\n', stderr: '' });
  await server.close();
});

test('ls says what keeps bots waiting for the store', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'control-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const socket = join(folder, 'host.sock');
  const both = { engine: { answers: true }, source: { answers: true, label: 'dir:/b' }, heldDeletes: 0 };
  let owners: object = { askingStore: 2, ownersProblem: 'it refuses. Use another' };
  const api = { status: () => ({ ...both, ...owners }), bots: () => [] };
  const server = await startControl(socket, api as unknown as HostApi);
  const ls = async () => (await invoke(['bots', 'ls', '--socket', socket])).stderr;
  expect(await ls()).toContain('2 bots wait for the store: it refuses. Use another\n');
  owners = { askingStore: 0, ownersProblem: 'it is away' };
  expect(await ls()).toMatch(/^it is away$/m);
  owners = { askingStore: 2 };
  expect(await ls()).toBe('no bots in dir:/b\n');
  await server.close();
});

test('an event that happens while the earlier ones are read is told, and once', async () => {
  let reads = 0;
  const { client, tell } = await control((journal) => ({
    watchEvents: (listener) => journal.subscribe(listener),
    events: async (query) => {
      reads++;
      tell('meanwhile, and read');
      const found = await journal.read(query);
      tell('meanwhile, and not read');
      await pause(50);
      return found;
    },
  }));
  tell('before');
  tell('of another', 'c');
  const stop = new AbortController();
  const watched = take(client.lines<HostEvent>('/events?follow=1&bot=b', stop.signal), 4);
  await expect.poll(() => reads).toBe(1);
  await pause(150);
  tell('of another', 'c');
  tell('after');
  expect(await watched).toEqual(['before', 'meanwhile, and read', 'meanwhile, and not read', 'after']);
});

test('a journal that cannot be read is an error of the call, and leaves no listener', async () => {
  let listeners = 0;
  const { client } = await control(() => ({
    watchEvents: () => {
      listeners++;
      return () => void listeners--;
    },
    events: () => Promise.reject(new Error('the disk is gone')),
  }));
  await expect(take(client.lines('/events?follow=1', AbortSignal.timeout(5_000)), 1)).rejects.toThrow(/disk/);
  expect(listeners).toBe(0);
});

test('logs are followed as they come, and left when the caller goes', async () => {
  let asked: unknown;
  let left = false;
  const { client } = await control(() => ({
    logs: async function* (_, options, signal) {
      asked = options;
      try {
        yield { stream: 'stdout', bytes: Buffer.from('one\n') };
        await pause(50);
        yield { stream: 'stdout', bytes: Buffer.from('two\n') };
        await pause(60_000, undefined, { signal }).catch(() => undefined);
      } finally {
        left = true;
      }
    },
  }));
  const stop = new AbortController();
  let text = '';
  for await (const bytes of client.stream('/bots/b/logs?follow=1&tail=5', stop.signal)) {
    text += Buffer.from(bytes);
    if (text.includes('two')) stop.abort();
  }
  expect(text).toBe('one\ntwo\n');
  expect(asked).toEqual({ follow: true, tail: 5 });
  await expect.poll(() => left).toBe(true);
});
