import { connect } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startBox, type TestBox } from '../../../support/box/startBox.ts';

let box: TestBox;
beforeAll(async () => {
  box = await startBox({ shared: true });
});
afterAll(() => box.end());

test('no token is 401, a wrong one 403, and health is open', async () => {
  const ask = async (path: string, authorization?: string) => {
    const response = await fetch(`${box.url}${path}`, authorization ? { headers: { authorization } } : {});
    return [response.status, await response.json()];
  };
  expect(await ask('/health')).toEqual([200, expect.objectContaining({ status: 'ok' })]);
  expect(await ask('/health/detailed')).toEqual([401, expect.objectContaining({ code: 'UNAUTHORIZED' })]);
  expect(await ask('/health/detailed', 'Bearer wrong')).toEqual([
    403,
    expect.objectContaining({ code: 'FORBIDDEN' }),
  ]);
  expect((await box.ask('GET', '/health/detailed')).body).toMatchObject({ status: 'healthy' });
  // Nobody learns what there is.
  expect(await ask('/nowhere')).toEqual([401, expect.objectContaining({ code: 'UNAUTHORIZED' })]);
});

test('an unknown path, another method, a body that is none: all are JSON, and the connection lives on', async () => {
  expect(await box.ask('GET', '/nowhere')).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } });
  expect(await box.ask('GET', '/search')).toMatchObject({
    status: 405,
    body: { code: 'METHOD_NOT_ALLOWED' },
  });
  expect((await box.fetch('/search')).headers.get('allow')).toBe('POST');
  for (const body of ['{', '[]', '"a"', 'null', '\xff']) {
    const response = await box.fetch('/terminals/commands', {
      method: 'POST',
      body: Buffer.from(body, 'latin1'),
    });
    expect([response.status, ((await response.json()) as { code: string }).code]).toEqual([
      400,
      'VALIDATION_ERROR',
    ]);
  }
  const large = Buffer.alloc(65 * 1024 * 1024, 0x20);
  const response = await box.fetch('/terminals/commands', { method: 'POST', body: large });
  expect([response.status, ((await response.json()) as { code: string }).code]).toEqual([
    413,
    'PAYLOAD_TOO_LARGE',
  ]);
  expect((await box.exec('echo still here')).stdout).toBe('still here\n');
});

test('what is no request is answered, and cut off, though its sender stays', async () => {
  const { port } = new URL(box.url);
  for (const text of ['\x00\x01garbage\r\n\r\n', `GET / HTTP/1.1\r\nX: ${'a'.repeat(100_000)}\r\n\r\n`]) {
    const socket = connect({ port: Number(port), host: '127.0.0.1', allowHalfOpen: true });
    socket.on('error', () => undefined);
    socket.write(text);
    let answer = '';
    socket.on('data', (bytes) => {
      answer += bytes;
    });
    // Each byte that is sent to a connection that is gone ends it here as well.
    const nudge = setInterval(() => socket.write('x'), 200);
    await new Promise((resolve) => socket.once('close', resolve));
    clearInterval(nudge);
    expect(answer).toMatch(/^HTTP\/1\.1 4(00|31) /);
  }
  expect((await box.exec('echo well')).stdout).toBe('well\n');
});
