import { afterAll, beforeAll, expect, test } from 'vitest';
import { startBox, type TestBox } from '../../../support/box/startBox.ts';
import { isRunning } from '../../../support/process/isRunning.ts';
import { parseEvents } from '../../../support/sandboxClient.ts';

let box: TestBox;
beforeAll(async () => {
  box = await startBox({ shared: true });
});
afterAll(() => box.end());

const open = async (body: object = {}) => (await box.client.json('POST', '/terminals', body)).data;
const type = (id: string, data: string) => box.client.json('POST', `/terminals/${id}/input`, { data });

/** What is on it until `text` comes, or until its end. */
async function readUntil(id: string, text: string | undefined): Promise<string> {
  const cut = new AbortController();
  const response = await box.client.fetch(`/terminals/${id}/stream`, { signal: cut.signal });
  let all = '';
  for await (const { data } of parseEvents(response)) {
    if (data.type === 'terminal.exited') return `${all}<${data.properties.exitCode}>`;
    all += data.properties.text;
    if (text !== undefined && all.includes(text)) break;
  }
  cut.abort();
  return all;
}

test('a shell on a real terminal: what is typed runs there, Ctrl-C reaches who is in front', async () => {
  const { sessionId: id, ...view } = await open({ name: 'mine', cwd: '/' });
  expect(view).toMatchObject({
    name: 'mine',
    cwd: '/',
    isRunning: true,
    streamUrl: `/terminals/${id}/stream`,
  });
  await type(id, 'test -t 0 && test -t 1 && echo "a ter""minal in $PWD"\n');
  expect(await readUntil(id, 'a terminal in /')).toContain('a terminal in /');
  // In front, before it is interrupted: what was typed until then is forgotten with Ctrl-C.
  await type(id, 'echo "sleep""ing"; sleep 1000\n');
  await readUntil(id, 'sleeping');
  await type(id, '\x03');
  await readUntil(id, '^C');
  await type(id, 'echo "af""ter"\n');
  await readUntil(id, 'after');
  await type(id, 'exit 3\n');
  expect(await readUntil(id, undefined)).toContain('<3>');
  expect((await box.client.json('GET', `/terminals/${id}`)).data.isRunning).toBe(false);
  const late = await box.ask('POST', `/terminals/${id}/input`, { data: 'x' });
  expect([late.status, late.body.code]).toEqual([409, 'SESSION_NOT_RUNNING']);
});

test('its size is what it is told to be, and whoever runs there is told of another', async () => {
  const { sessionId: id } = await open({ cols: 100, rows: 30 });
  await type(id, 'stty size; trap "stty size; echo chan""ged" WINCH; echo rea""dy\n');
  expect(await readUntil(id, 'ready')).toContain('30 100');
  expect((await box.ask('PATCH', `/terminals/${id}`, { cols: 132, rows: 50 })).body.data).toMatchObject({
    cols: 132,
    rows: 50,
  });
  await type(id, '\n');
  // Rows and columns are two changes to whoever is told of them.
  await readUntil(id, '50 132');
  for (const size of [{ cols: 0 }, { rows: 1.5 }, { cols: 'wide' }, { rows: 100_000 }]) {
    expect((await box.ask('PATCH', `/terminals/${id}`, size)).status).toBe(400);
  }
  await box.client.json('DELETE', `/terminals/${id}`);
});

test('whoever comes later sees all that there was; closing it ends all that runs on it', async () => {
  const { sessionId: id } = await open();
  await type(id, 'trap "" HUP; (trap "" HUP; sleep 1000) & echo "pid=$!;"\n');
  const seen = await readUntil(id, ';\r\n');
  expect(await readUntil(id, ';\r\n')).toBe(seen);
  const pid = Number(/pid=(\d+)/.exec(seen)![1]);
  expect(
    (await box.client.json('GET', '/terminals')).data.map((one: { sessionId: string }) => one.sessionId),
  ).toContain(id);
  await box.client.json('DELETE', `/terminals/${id}`);
  expect(isRunning(pid)).toBe(false);
  for (const [method, path] of [
    ['GET', ''],
    ['DELETE', ''],
    ['PATCH', ''],
    ['POST', '/input'],
    ['GET', '/stream'],
  ] as const) {
    const answer = await box.ask(
      method,
      `/terminals/${id}${path}`,
      method === 'POST' ? { data: '' } : undefined,
    );
    expect([answer.status, answer.body.code]).toEqual([404, 'SESSION_NOT_FOUND']);
  }
});

test('a terminal that is open does not hold the end of the box', async () => {
  const own = await startBox();
  const { sessionId: id } = (await own.client.json('POST', '/terminals', {})).data;
  await own.client.json('POST', `/terminals/${id}/input`, { data: 'trap "" TERM; echo "rea""dy"\n' });
  const response = await own.client.fetch(`/terminals/${id}/stream`);
  let text = '';
  for await (const { data } of parseEvents(response)) {
    text += data.properties?.text ?? '';
    if (text.includes('ready')) break;
  }
  expect(await own.stop()).toBe(0);
});
