import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import type { StreamEvent } from '../../support/agent/agentClient.ts';
import { runHandler, samples } from '../../support/agent/handlers.ts';
import { collect } from '../../support/collect.ts';
import { residentBytes } from '../../support/process/residentBytes.ts';
import { waitForRole } from '../../support/process/waitForRole.ts';

const SLOW = 64;

/** Asks for a turn's events and then reads nothing. */
async function slowReader(port: string, id: string): Promise<Socket> {
  const socket = connect({ port: Number(port), host: '127.0.0.1' });
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  socket.pause();
  socket.write(`GET /_runtime/agent/messages/${id}/events HTTP/1.1\r\nhost: x\r\n\r\n`);
  return socket;
}

test('64 readers that read nothing cost little, and a fast one beside them gets everything', async () => {
  const agent = await runHandler(samples[1]!);
  const { client } = agent;
  // 3 MB in 300 pieces: much more than a socket's buffers hold.
  const events = client.stream({ message: 'much 300', conversation: 'a' });
  const start = (await events.next()).value as StreamEvent;
  const id = start.data.id as string;
  const pid = await waitForRole(agent.runtime().child.pid!, 'query');
  const before = residentBytes(pid);
  const readers = await Promise.all(Array.from({ length: SLOW }, () => slowReader(agent.port, id)));
  const rest = await collect(events);
  expect(rest.at(-1)).toMatchObject({ type: 'end', data: { status: 'completed' } });
  expect(rest.filter(({ type }) => type === 'delta')).toHaveLength(300);
  // A copy of stream and turn for each of them would be 380 MB more.
  expect(residentBytes(pid) - before).toBeLessThan(190 * 1024 * 1024);
  // Others are answered at once, and whoever stood still goes on where he was.
  expect((await client.send({ message: 'beside', conversation: 'b' })).body.reply).toBe('beside');
  const [reader] = readers as [Socket];
  let text = '';
  reader.setEncoding('utf8').on('data', (piece: string) => {
    text += piece;
  });
  reader.resume();
  await expect.poll(() => text.includes('event: end'), { timeout: 30_000 }).toBe(true);
  expect(text.match(/^event: delta$/gm)).toHaveLength(300);
  await agent.stop();
});
