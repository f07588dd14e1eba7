import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { createServer } from '../../../../../src/protocol/tangle/http/createServer.ts';

const LINGER_MS = 20;

test('a body that does not come after its answer does not hold its connection; one that has come may ask again', async () => {
  const server = createServer(LINGER_MS).listen(0, '127.0.0.1');
  server.on('request', (request, response) => {
    request.on('error', () => undefined);
    response.writeHead(401, { 'content-length': 0 }).end();
    request.resume();
  });
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const open = () => {
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    onTestFinished(() => void socket.destroy());
    const seen = { text: '', isClosed: false };
    socket.on('data', (piece) => {
      seen.text += String(piece);
    });
    socket.on('error', () => undefined);
    socket.once('close', () => {
      seen.isClosed = true;
    });
    return { socket, seen };
  };
  const answers = (text: string) => text.split('HTTP/1.1 401').length - 1;
  const ask = 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n';

  const whole = open();
  whole.socket.write(`${ask}body`);
  await expect.poll(() => answers(whole.seen.text)).toBe(1);
  const slow = open();
  slow.socket.write(`${ask}b`);
  await expect.poll(() => slow.seen.isClosed, { timeout: 20_000 }).toBe(true);
  expect(answers(slow.seen.text)).toBe(1);
  expect(whole.seen.isClosed).toBe(false);
  whole.socket.write(`${ask}body`);
  await expect.poll(() => answers(whole.seen.text)).toBe(2);
});
