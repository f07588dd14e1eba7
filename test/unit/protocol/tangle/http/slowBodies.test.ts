import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { SlowBodies } from '../../../../../src/protocol/tangle/http/slowBodies.ts';

/** A server that takes each body until it is through, for the key in its path; what is done with it is the test's. */
async function server(most: number, take: (body: import('node:http').IncomingMessage) => void) {
  const slow = new SlowBodies({ most, bytesPerSecond: 100_000, lookMs: 50 });
  const listening = createServer((asked, response) => {
    asked.on('error', () => undefined);
    slow.watch(asked, asked.url ?? '');
    take(asked);
    asked.on('end', () => response.end());
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => listening.once('listening', resolve));
  onTestFinished(() => {
    listening.closeAllConnections();
    listening.close();
  });
  const { port } = listening.address() as AddressInfo;
  return (path: string) => {
    const call = request({ port, host: '127.0.0.1', path, method: 'POST' });
    const state = { isCut: false };
    call.on('error', () => {
      state.isCut = true;
    });
    call.write('x');
    onTestFinished(() => void call.destroy());
    return { call, state };
  };
}

test("of bodies that hardly come a key has only so many: its oldest are cut, and no other key's", async () => {
  const ask = await server(2, (body) => body.resume());
  const other = [ask('/b'), ask('/b')];
  const calls = Array.from({ length: 5 }, () => ask('/a'));
  await expect.poll(() => calls.filter(({ state }) => state.isCut).length, { timeout: 30_000 }).toBe(3);
  expect(other.map(({ state }) => state.isCut)).toEqual([false, false]);
});

test('a body that waits because nobody takes it is not slow', async () => {
  const ask = await server(0, (body) => body.pause());
  const { call, state } = ask('/a');
  for (let at = 0; at < 64; at++) call.write(Buffer.alloc(64 * 1024));
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(state.isCut).toBe(false);
});
