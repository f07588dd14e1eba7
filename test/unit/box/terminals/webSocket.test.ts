import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { startBox, type TestBox } from '../../../support/box/startBox.ts';

let box: TestBox;
beforeAll(async () => {
  box = await startBox({ shared: true });
});
afterAll(() => box.end());

const patience = { timeout: 30_000, interval: 50 };

/** A client of sandbox-ui's: what it is told as text, and what it shows. */
async function connect(id: string, init: object | string = { type: 'init', cols: 90, rows: 20 }) {
  const headers = { authorization: 'Bearer token-of-the-box' };
  const socket = new WebSocket(`${box.url.replace('http', 'ws')}/terminals/${id}/ws`, { headers });
  const told: Record<string, unknown>[] = [];
  let screen = '';
  let end: number | undefined;
  socket.on('message', (data: Buffer, isBinary) => {
    if (isBinary) screen += data.toString();
    else told.push(JSON.parse(data.toString()));
  });
  socket.on('close', (code) => {
    end = code;
  });
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  const say = (message: object) => socket.send(JSON.stringify(message));
  socket.send(typeof init === 'string' ? init : JSON.stringify(init));
  return {
    socket,
    say,
    told,
    shows: (text: string) => vi.waitFor(() => expect(screen).toContain(text), patience),
    tells: (type: string) =>
      vi.waitFor(() => expect(told.map((each) => each.type)).toContain(type), patience),
    ends: () => vi.waitFor(() => expect(end).toBeDefined(), patience).then(() => end),
  };
}

test('a terminal by a connection: its size, what is typed as text or bytes, another size, its end', async () => {
  const one = await connect('connection-1');
  await one.tells('ready');
  const [ready] = one.told;
  expect(ready).toEqual({
    type: 'ready',
    connectionId: 'connection-1',
    sessionId: expect.stringMatching(/^term_/),
    restored: false,
    detachTimeoutMs: expect.any(Number),
  });
  one.say({ type: 'input', data: 'stty size; echo "fi""rst"\n' });
  await one.shows('first');
  await one.shows('20 90');
  one.say({ type: 'resize', cols: 132, rows: 50 });
  one.socket.send(Buffer.from('stty size; echo "sec""ond"\n'));
  await one.shows('50 132');
  const { data } = await box.client.json('GET', `/terminals/${ready!.sessionId}`);
  // What a client that attaches asks for next, and needs all of.
  expect(data).toMatchObject({
    connectionId: 'connection-1',
    name: expect.stringMatching(/./),
    shell: '/bin/bash',
    cwd: box.workspace,
    cols: 132,
    rows: 50,
    isRunning: true,
  });
  expect(Date.parse(data.lastActivityAt)).toBeGreaterThanOrEqual(Date.parse(data.createdAt));
  one.say({ type: 'input', data: 'exit 3\n' });
  await one.tells('exit');
  expect(one.told.at(-1)).toEqual({ type: 'exit', exitCode: 3 });
  expect(await one.ends()).toBe(1000);
  expect((await box.client.json('GET', `/terminals/${ready!.sessionId}`)).data).toMatchObject({
    isRunning: false,
    exitCode: 3,
  });
});

test('whoever comes back with its id finds its terminal and what it showed; two at once share it', async () => {
  const one = await connect('again');
  one.say({ type: 'input', data: 'X=kept; echo "be""fore"\n' });
  await one.shows('before');
  one.socket.terminate();
  const [two, three] = await Promise.all([connect('again'), connect('again')]);
  await two.shows('before');
  expect(two.told[0]).toMatchObject({ restored: true, sessionId: one.told[0]!.sessionId });
  two.say({ type: 'input', data: 'echo "$X-""it"\n' });
  await two.shows('kept-it');
  await three.shows('kept-it');
  const all = (await box.client.json('GET', '/terminals')).data as { connectionId?: string }[];
  expect(all.filter(({ connectionId }) => connectionId === 'again')).toHaveLength(1);
  // One that was made by a POST is attached to by its own id.
  const { sessionId } = (await box.client.json('POST', '/terminals', {})).data;
  const other = await connect(sessionId);
  await other.tells('ready');
  expect(other.told[0]).toMatchObject({ sessionId, restored: true });
  await box.client.json('DELETE', `/terminals/${sessionId}`);
  await other.ends();
});

test('a command in the place of a shell, and where it runs', async () => {
  const one = await connect('with-command', { type: 'init', command: `echo "it's $PWD"`, cwd: '/' });
  await one.shows("it's /");
  await one.tells('exit');
  expect(one.told.at(-1)).toEqual({ type: 'exit', exitCode: 0 });
});

test('what is no init, and what is no WebSocket, is told so', async () => {
  const early = await connect('early', { type: 'input', data: 'x' });
  await early.tells('error');
  expect(await early.ends()).toBe(1008);
  const none = await connect('none', 'no JSON');
  await none.tells('error');
  expect(await none.ends()).toBe(1008);
  // Later it ends nothing.
  const one = await connect('later');
  await one.tells('ready');
  one.socket.send('no JSON');
  await one.tells('error');
  one.say({ type: 'resize', cols: 0 });
  one.say({ type: 'unknown' });
  one.say({ type: 'input', data: 'echo "still ""here"\n' });
  await one.shows('still here');
  expect(await box.ask('GET', '/terminals/later/ws')).toMatchObject({
    status: 426,
    body: { code: 'UPGRADE_REQUIRED' },
  });
  const refused = new WebSocket(`${box.url.replace('http', 'ws')}/terminals/x/ws`);
  const status = await new Promise((resolve) => {
    refused.once('unexpected-response', (_, response) => resolve(response.statusCode));
    refused.once('error', () => undefined);
  });
  expect(status).toBe(401);
});
