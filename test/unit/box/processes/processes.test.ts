import { afterAll, beforeAll, expect, test } from 'vitest';
import { startBox, type TestBox } from '../../../support/box/startBox.ts';
import { collect } from '../../../support/collect.ts';
import { isRunning } from '../../../support/process/isRunning.ts';
import { parseEvents } from '../../../support/sandboxClient.ts';

let box: TestBox;
beforeAll(async () => {
  box = await startBox({ shared: true });
});
afterAll(() => box.end());

async function untilGone(...pids: readonly number[]): Promise<void> {
  while (pids.some(isRunning)) await new Promise((resolve) => setTimeout(resolve, 20));
}

test('a process answers at once, is listed, and tells how it has ended', async () => {
  const { client } = box;
  const pid = await client.spawn('echo hello; echo bad >&2; exit 5');
  expect(await client.wait(pid)).toBe(5);
  expect(await client.process(pid)).toEqual({
    pid,
    command: 'echo hello; echo bad >&2; exit 5',
    cwd: box.workspace,
    running: false,
    exitCode: 5,
    startedAt: expect.stringMatching(/^\d{4}-.*Z$/),
    exitedAt: expect.stringMatching(/^\d{4}-.*Z$/),
  });
  expect((await client.processes()).map((process) => process.pid)).toContain(pid);
  const logs = await collect(client.logs(pid));
  expect(logs.map(({ type, data }) => [type, data]).sort()).toEqual([
    ['stderr', 'bad\n'],
    ['stdout', 'hello\n'],
  ]);
});

test('logs are there from the beginning, then live, and end with the process', async () => {
  const { client } = box;
  const pid = await client.spawn(
    'echo first; read line < go; echo "$line"; printf "\\342\\202"; sleep 0.2; printf "\\254"',
    {},
  );
  // Nobody has made it yet: the shell fails at once without it.
  expect(await client.wait(pid)).toBe(0);
  await box.exec('mkfifo go');
  const second = await client.spawn(
    'echo first; read line < go; echo "$line"; printf "\\342\\202"; sleep 0.2; printf "\\254"',
  );
  const came: string[] = [];
  for await (const { data } of client.logs(second)) {
    came.push(data);
    if (came.join('') === 'first\n') await box.exec('echo told > go');
  }
  // A character in two writes is one all the same.
  expect(came.join('')).toBe('first\ntold\n€');
});

test('a stream that is cut goes on where it was, with nothing missing and nothing twice', async () => {
  const { client } = box;
  const pid = await client.spawn('for i in $(seq 1 400); do echo line $i; done');
  await client.wait(pid);
  let [text, last] = ['', ''];
  for (let isOver = false; !isOver; ) {
    const cut = new AbortController();
    const response = await client.fetch(`/process/${pid}/logs`, {
      signal: cut.signal,
      headers: { 'last-event-id': last },
    });
    let taken = 0;
    for await (const { type, data, id } of parseEvents(response)) {
      isOver = type === 'exit';
      if (isOver) break;
      text += data.data;
      last = id!;
      if (++taken === 20) break;
    }
    cut.abort();
  }
  expect(text).toBe(`${Array.from({ length: 400 }, (_, i) => `line ${i + 1}`).join('\n')}\n`);
  // Whoever has all gets the end; who names an event that there is not is told so and gets everything; by the query as well.
  const after = async (query: string) =>
    (await collect(parseEvents(await client.fetch(`/process/${pid}/logs${query}`)))).map(({ type }) => type);
  expect(await after(`?lastEventId=${last}`)).toEqual(['exit']);
  const unknown = await after('?lastEventId=3');
  expect([unknown[0], unknown.slice(1)]).toEqual(['gap', await after('')]);
  expect(await after('?since=0')).toEqual(await after(''));
});

test('a slow reader of much gets all of it, while a fast one and the process are not held', async () => {
  const { client } = box;
  const bytes = 20_000_000;
  const pid = await client.spawn(`head -c ${bytes} /dev/zero | tr '\\0' a; echo; echo END`);
  const count = async (pauseMs: number) => {
    let length = 0;
    let last = '';
    for await (const { data } of client.logs(pid)) {
      length += data.length;
      last = (last + data).slice(-5);
      if (pauseMs > 0 && length < 3_000_000) await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
    return { length, last };
  };
  const slow = count(5);
  expect(await client.wait(pid)).toBe(0);
  expect(await count(0)).toEqual({ length: bytes + 5, last: '\nEND\n' });
  expect(await slow).toEqual({ length: bytes + 5, last: '\nEND\n' });
});

test('a kill ends all that it has started, wherever that has gone', async () => {
  const { client } = box;
  const script = 'trap "" HUP; sleep 1000 & echo $!; setsid sh -c "echo \\$\\$; exec sleep 1000" & wait';
  for (const signal of ['SIGTERM', 'SIGKILL']) {
    const pid = await client.spawn(script);
    const pids: number[] = [];
    for await (const { data } of client.logs(pid)) {
      pids.push(...data.trim().split('\n').map(Number));
      if (pids.length === 2) break;
    }
    await client.kill(pid, signal);
    expect(await client.wait(pid)).toBe(null);
    expect(await client.process(pid)).toMatchObject({ running: false, exitSignal: signal });
    await untilGone(...pids);
  }
});

test('what ignores SIGTERM lives on until SIGKILL, and a stranger is 404', async () => {
  const { client } = box;
  const pid = await client.spawn('trap "echo caught" TERM; echo ready; while :; do sleep 0.05; done');
  const logs = client.logs(pid);
  expect((await logs.next()).value.data).toBe('ready\n');
  await client.kill(pid);
  let text = '';
  while (!text.includes('caught')) text += (await logs.next()).value.data;
  await logs.return(undefined);
  expect(isRunning(pid)).toBe(true);
  await client.kill(pid, 'SIGKILL');
  await client.wait(pid);
  expect((await box.ask('DELETE', '/process/999999', { signal: 'SIGKILL' })).status).toBe(404);
  expect((await box.ask('DELETE', '/process/1', { signal: 'SIGKILL' })).status).toBe(404);
  expect((await box.ask('GET', '/process/abc')).status).toBe(404);
  expect((await box.ask('DELETE', `/process/${pid}`, { signal: 'SIGNOT' })).status).toBe(400);
});

test('past its time a process is ended with all its descendants, and says so', async () => {
  const { client } = box;
  const pid = await client.spawn('sleep 1000 & sleep 1000', { timeoutMs: 200 });
  await client.wait(pid);
  expect(await client.process(pid)).toMatchObject({
    exitCode: null,
    exitSignal: 'SIGKILL',
    reason: 'timeout',
  });
});

test('a program with its arguments, without a shell, with what it reads and its own environment', async () => {
  const { client } = box;
  const spawn = async (body: unknown) =>
    (await client.json('POST', '/process/spawn', body)).data.pid as number;
  const pid = await spawn({ executable: 'cat', args: ['-', '/dev/null'], stdin: '$HOME `x`' });
  expect((await collect(client.logs(pid))).map(({ data }) => data).join('')).toBe('$HOME `x`');
  const bare = await spawn({ executable: '/usr/bin/env', inheritEnv: false, env: { A: '1' } });
  expect((await collect(client.logs(bare))).map(({ data }) => data).join('')).toMatch(
    /^(A=1|RUNTIME_COMMAND=[\w.-]+)\n(A=1|RUNTIME_COMMAND=[\w.-]+)\n$/,
  );
  expect((await box.ask('POST', '/process/spawn', { executable: '/no/such' })).status).toBe(400);
  expect((await box.ask('POST', '/process/spawn', { executable: '/bin/true', args: [1] })).status).toBe(400);
  expect((await box.ask('POST', '/process/spawn', {})).status).toBe(400);
});
