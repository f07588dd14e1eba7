import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { freePort } from '../../support/process/freePort.ts';

test('ports are of the worker of tests alone, one after the other, and none that is taken is given', async () => {
  expect(Number(process.env.VITEST_POOL_ID)).toBeGreaterThan(0);
  const taken = await freePort();
  const server = createServer().listen(taken, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const all: number[] = [];
  // Once around.
  for (let count = 0; count < 2_000; count += 1) all.push(await freePort());
  expect(all).not.toContain(taken);
  // Where the kernel leaves them alone, as it usually does: those above are given to everybody.
  const lowestGiven = Number.parseInt(readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8'), 10);
  if (lowestGiven < 30_000) return;
  expect(new Set(all.slice(0, 1_000)).size).toBe(1_000);
  expect(Math.max(...all)).toBeLessThan(lowestGiven);
});
