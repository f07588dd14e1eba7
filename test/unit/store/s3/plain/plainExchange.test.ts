import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Connections, openConnections } from '../../../../../src/store/s3/plain/connections.ts';
import type { PlainAnswer } from '../../../../../src/store/s3/plain/plainAnswer.ts';
import { type PlainRequest, plainExchange } from '../../../../../src/store/s3/plain/plainExchange.ts';

let server: Server;
let connections: Connections;
/** What the server does with each request, given all that has come of it. */
let answer: (socket: Socket, request: string) => void;
let sockets: Socket[];
let requests: string[];

beforeEach(async () => {
  sockets = [];
  requests = [];
  server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    let text = '';
    socket.on('data', (bytes) => {
      text += bytes.toString('latin1');
      const end = text.indexOf('\r\n\r\n');
      const length = Number(/content-length: (\d+)/.exec(text)?.[1] ?? 0);
      if (end < 0 || text.length < end + 4 + length) return;
      requests.push(text);
      const request = text;
      text = '';
      answer(socket, request);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  connections = openConnections({ host: '127.0.0.1', port, connectMs: 5000, keepMs: 5000 });
});

afterEach(() => {
  connections.close();
  for (const socket of sockets) socket.destroy();
  server.close();
});

const ask = (request: Partial<PlainRequest> = {}): Promise<PlainAnswer> =>
  plainExchange(connections, {
    method: 'GET',
    path: '/bucket/key',
    headers: { host: 'store' },
    body: undefined,
    idleMs: 20_000,
    signal: undefined,
    ...request,
  });

async function textOf(received: PlainAnswer): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of received) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('latin1');
}

const read = async (request?: Partial<PlainRequest>) => {
  const received = await ask(request);
  return { status: received.statusCode, headers: received.headers, text: await textOf(received) };
};

const answers: Record<string, string> = {
  'a length': 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nETag: "x"\r\n\r\nhello',
  chunks:
    'HTTP/1.1 200 OK\r\nETag: "x"\r\nTransfer-Encoding: chunked\r\n\r\n2;a=b\r\nhe\r\n3\r\nllo\r\n0\r\nx-sum: 1\r\n\r\n',
  'a 100 first':
    'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nETag: "x"\r\nContent-Length: 5\r\n\r\nhello',
  'bare line feeds': 'HTTP/1.1 200 OK\nContent-Length: 5\nETag: "x"\n\nhello',
  'no reason phrase': 'HTTP/1.1 200\r\nContent-Length:5\r\nETag:"x"\r\n\r\nhello',
};

test.each(Object.entries(answers))(
  'an answer with %s, whole and byte by byte, over one connection',
  async (_, text) => {
    answer = (socket) => socket.write(text);
    expect(await read()).toMatchObject({ status: 200, text: 'hello', headers: { etag: '"x"' } });
    answer = async (socket) => {
      for (const byte of text) {
        socket.write(byte, 'latin1');
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    expect(await read()).toMatchObject({ status: 200, text: 'hello', headers: { etag: '"x"' } });
    expect(sockets).toHaveLength(1);
  },
);

test('an answer without a length ends with the connection', async () => {
  answer = (socket) => socket.end('HTTP/1.1 200 OK\r\n\r\nhello');
  expect(await read()).toMatchObject({ status: 200, text: 'hello' });
  expect(await read()).toMatchObject({ status: 200, text: 'hello' });
  expect(sockets).toHaveLength(2);
});

test.each([
  ['HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n', 200],
  ['DELETE', 'HTTP/1.1 204 No Content\r\n\r\n', 204],
  ['GET', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n', 304],
])('the answer to %s has no body', async (method, text, status) => {
  answer = (socket) => socket.write(text);
  expect(await read({ method })).toMatchObject({ status, text: '' });
  expect(await read({ method })).toMatchObject({ status, text: '' });
  expect(sockets).toHaveLength(1);
});

test('sends the body with its head', async () => {
  answer = (socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
  await read({ method: 'PUT', headers: { host: 'store', 'content-length': '3' }, body: Buffer.from('abc') });
  await read({ method: 'PUT' });
  expect(requests).toEqual([
    'PUT /bucket/key HTTP/1.1\r\nhost: store\r\ncontent-length: 3\r\nconnection: keep-alive\r\n\r\nabc',
    'PUT /bucket/key HTTP/1.1\r\nhost: store\r\nconnection: keep-alive\r\ncontent-length: 0\r\n\r\n',
  ]);
});

test.each([
  ['Connection: close\r\n', ''],
  ['', 'more than the answer'],
])('a connection that is of no further use is not used again: %j %j', async (header, extra) => {
  answer = (socket) => socket.write(`HTTP/1.1 200 OK\r\n${header}Content-Length: 5\r\n\r\nhello${extra}`);
  expect((await read()).text).toBe('hello');
  expect((await read()).text).toBe('hello');
  expect(sockets).toHaveLength(2);
});

test('a kept connection that the server closes is not used again', async () => {
  answer = (socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
  await read();
  const closed = once(sockets[0]!, 'close');
  sockets[0]!.end();
  await closed;
  await read();
  expect(sockets).toHaveLength(2);
});

test.each([
  ['before the head', '', 'ECONNRESET'],
  ['within the head', 'HTTP/1.1 200 OK\r\nContent-', 'ECONNRESET'],
  ['no HTTP', 'SSH-2.0-OpenSSH\r\n\r\n', 'HPE_INVALID_CONSTANT'],
  ['a header that is none', 'HTTP/1.1 200 OK\r\nno header\r\n\r\n', 'HPE_INVALID_HEADER_TOKEN'],
  [
    'two lengths',
    'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab',
    'HPE_UNEXPECTED_CONTENT_LENGTH',
  ],
  [
    'a length, and chunks',
    'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
    'HPE_UNEXPECTED_CONTENT_LENGTH',
  ],
  ['a length that is none', 'HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n', 'HPE_INVALID_CONTENT_LENGTH'],
  ['a head without end', `HTTP/1.1 200 OK\r\nx: ${'y'.repeat(70_000)}`, 'HPE_HEADER_OVERFLOW'],
  ['another protocol', 'HTTP/1.1 101 Switching Protocols\r\n\r\n', 'HPE_INVALID_CONSTANT'],
])('no answer: %s', async (_, text, code) => {
  answer = (socket) => socket.end(text);
  await expect(ask()).rejects.toMatchObject({ code });
});

test.each([
  ['by length', 'Content-Length: 10\r\n\r\nhello', 'ECONNRESET'],
  ['in chunks', 'Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n', 'ECONNRESET'],
  ['in damaged chunks', 'Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nxyz\r\n', 'HPE_INVALID_CHUNK_SIZE'],
])('a body %s that breaks off is an error of the body', async (_, text, code) => {
  answer = (socket) => socket.end(`HTTP/1.1 200 OK\r\n${text}`);
  // The head and the break may come as one.
  await expect(ask().then(textOf)).rejects.toMatchObject({ code });
});

test('a port where nobody listens', async () => {
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  const nobody = openConnections({ host: '127.0.0.1', port, connectMs: 5000, keepMs: 5000 });
  const request = { method: 'GET', path: '/', headers: {}, body: undefined, idleMs: 5000, signal: undefined };
  await expect(plainExchange(nobody, request)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
});

test('silence: before the answer, and in its body', async () => {
  answer = () => undefined;
  await expect(ask({ idleMs: 50 })).rejects.toMatchObject({ code: 'ETIMEDOUT' });
  answer = (socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello');
  await expect(ask({ idleMs: 50 }).then(textOf)).rejects.toMatchObject({ code: 'ETIMEDOUT' });
});

test('a reader that takes its time is no silence, and gets all, while little waits in memory', async () => {
  const size = 8 * 1024 * 1024;
  answer = (socket) => {
    socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`);
    socket.write(Buffer.alloc(size, 'a'));
  };
  const received = await ask({ idleMs: 2000 });
  await once(received, 'readable');
  await new Promise((resolve) => setTimeout(resolve, 2500));
  expect(received.readableLength).toBeLessThan(1024 * 1024);
  expect(await textOf(received)).toHaveLength(size);
});

test('an abort ends the request, and the body', async () => {
  const aborted = new AbortController();
  answer = () => aborted.abort(new Error('enough'));
  await expect(ask({ signal: aborted.signal })).rejects.toThrow('enough');
  const later = new AbortController();
  answer = (socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello');
  const received = await ask({ signal: later.signal });
  later.abort(new Error('enough'));
  await expect(textOf(received)).rejects.toThrow('enough');
  await expect(ask({ signal: later.signal })).rejects.toThrow('enough');
});

test('a reader that gives up closes the connection', async () => {
  answer = (socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello');
  const received = await ask();
  const closed = once(sockets[0]!, 'close');
  received.destroy();
  await closed;
});

test('more requests than connections wait for one, and an abort while they wait takes none', async () => {
  const held: Socket[] = [];
  const reply = (socket: Socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
  const allHere = Promise.withResolvers<void>();
  answer = (socket) => {
    held.push(socket);
    if (held.length === 8) allHere.resolve();
  };
  const first = Array.from({ length: 8 }, () => read());
  await allHere.promise;
  const impatient = new AbortController();
  const waiting = [read({ signal: impatient.signal }), read(), read(), read()];
  const refused = expect(waiting.shift()).rejects.toThrow('enough');
  impatient.abort(new Error('enough'));
  await refused;
  expect(sockets).toHaveLength(8);
  answer = reply;
  for (const socket of held) reply(socket);
  for (const { text } of await Promise.all([...first, ...waiting])) expect(text).toBe('ok');
  expect(sockets).toHaveLength(8);
});

test('a body is put where it is to lie, and what was not asked for is not', async () => {
  const into = Buffer.alloc(200_000);
  const body = 'x'.repeat(150_000);
  answer = (socket, request) => {
    socket.write(`HTTP/1.1 ${request.includes('/part') ? 206 : 200} OK\r\nContent-Length: 150000\r\n\r\n`);
    for (let at = 0; at < body.length; at += 10_000) socket.write(body.slice(at, at + 10_000));
  };
  for (const [path, headers, isPut] of [
    ['/whole', {}, true],
    ['/part', { range: 'bytes=0-149999' }, true],
    ['/whole-for-a-part', { range: 'bytes=0-149999' }, false],
  ] as const) {
    into.fill(0);
    const received = await ask({ path, headers, into: () => into });
    let length = 0;
    for await (const chunk of received as AsyncIterable<Buffer>) {
      if (isPut) expect([chunk.buffer, chunk.byteOffset]).toEqual([into.buffer, into.byteOffset + length]);
      expect(chunk.every((byte) => byte === 120)).toBe(true);
      length += chunk.length;
    }
    expect(length).toBe(150_000);
    expect(into.indexOf(0)).toBe(isPut ? 150_000 : 0);
  }
  expect(sockets).toHaveLength(1);
});

test('what would become a header of its own is not sent', async () => {
  await expect(ask({ headers: { 'if-match': '"a"\r\nx-other: 1' } })).rejects.toThrow('control characters');
  expect(requests).toEqual([]);
});

test.each([307, 403, 412, 503])(
  'who refuses a request with a body by %i may have read its head only: the body is never taken for the next request',
  async (status) => {
    const put = {
      method: 'PUT',
      headers: { host: 'store', 'content-length': '3' },
      body: Buffer.from('abc'),
    };
    answer = (socket) => socket.write(`HTTP/1.1 ${status} No\r\nContent-Length: 2\r\n\r\nno`);
    expect(await read(put)).toMatchObject({ status, text: 'no' });
    answer = (socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    expect((await read()).text).toBe('ok');
    expect(sockets).toHaveLength(2);
    // A refusal without a body, and a body that was taken, leave nothing behind.
    answer = (socket) => socket.write('HTTP/1.1 404 No\r\nContent-Length: 2\r\n\r\nno');
    expect((await read()).status).toBe(404);
    answer = (socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    expect((await read(put)).text).toBe('ok');
    expect((await read()).text).toBe('ok');
    expect(sockets).toHaveLength(2);
  },
);

test('what is left of an earlier answer is not said to be another protocol: another try may do', async () => {
  answer = (socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
  await read();
  answer = (socket) => socket.write('what is left\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno');
  await expect(ask()).rejects.toMatchObject({ code: 'EBADMSG' });
  answer = (socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
  expect((await read()).text).toBe('ok');
  expect(sockets).toHaveLength(2);
});

test('where one kept connection says nothing, no other that is as old is used again', async () => {
  const held: Socket[] = [];
  const both = Promise.withResolvers<void>();
  answer = (socket) => void (held.push(socket) === 2 && both.resolve());
  const first = [read(), read()];
  await both.promise;
  const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
  for (const socket of held) socket.write(ok);
  await Promise.all(first);
  answer = () => undefined;
  await expect(ask({ idleMs: 50 })).rejects.toMatchObject({ code: 'ETIMEDOUT' });
  answer = (socket) => socket.write(ok);
  expect((await read()).text).toBe('ok');
  expect(sockets).toHaveLength(3);
});
