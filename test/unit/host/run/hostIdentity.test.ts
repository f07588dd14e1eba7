import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { expect, onTestFinished, test } from 'vitest';

const source = join(import.meta.dirname, '../../../../src/host/run/hostIdentity.ts');
const begin = `
const { workerData, parentPort } = require('node:worker_threads');
import(workerData.source).then(({ hostIdentity }) => {
  const go = new Int32Array(workerData.go);
  parentPort.postMessage('ready');
  Atomics.wait(go, 0, 0);
  parentPort.postMessage(hostIdentity({ data: workerData.data }, workerData.data).id);
});`;

test('hosts that begin at the same time on one folder have one name, and never half of one', async () => {
  for (let round = 0; round < 5; round++) {
    const data = mkdtempSync(join(tmpdir(), 'identity-'));
    onTestFinished(() => rmSync(data, { recursive: true, force: true }));
    const go = new SharedArrayBuffer(4);
    const ids = Array.from({ length: 4 }, () => {
      const worker = new Worker(begin, { eval: true, workerData: { source, data, go }, execArgv: [] });
      const messages: string[] = [];
      let ready = () => {};
      const isReady = new Promise<void>((resolve) => {
        ready = resolve;
      });
      const id = new Promise<string>((resolve, reject) => {
        worker.on('error', reject);
        worker.on('message', (message: string) => {
          messages.push(message);
          if (messages.length === 1) ready();
          else resolve(message);
        });
      });
      return { isReady, id };
    });
    await Promise.all(ids.map(({ isReady }) => isReady));
    Atomics.store(new Int32Array(go), 0, 1);
    Atomics.notify(new Int32Array(go), 0);
    const all = await Promise.all(ids.map(({ id }) => id));
    expect(all[0]).toMatch(/^[0-9a-f]{12}$/);
    expect(new Set(all).size).toBe(1);
    expect(readdirSync(data).toSorted()).toEqual(['host-id', 'token-key']);
  }
});
