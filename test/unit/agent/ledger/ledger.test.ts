import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, onTestFinished, test } from 'vitest';
import { listSegments } from '../../../../src/agent/ledger/journal.ts';
import { openLedger } from '../../../../src/agent/ledger/openLedger.ts';
import { createUsageShipper } from '../../../../src/agent/ledger/shipUsage.ts';
import { systemClock } from '../../../../src/base/clock.ts';
import { RuntimeError } from '../../../../src/base/errors.ts';
import { openFileStore } from '../../../../src/store/file/file.ts';
import type { ObjectStore } from '../../../../src/store/objectStore.ts';
import { ledgerLine } from '../../../support/agent/ledgerLine.ts';
import { temporaryDirectory } from '../../../support/files/temporary.ts';

const root = join(import.meta.dirname, '../../../..');
const today = new Date().toISOString();
const day = today.slice(0, 10).replaceAll('-', '');

async function fixture() {
  const folder = await temporaryDirectory();
  const store = openFileStore(folder, 'bot-logs', { createBucket: true, clock: systemClock });
  const dir = join(folder, 'usage');
  const shipper = (other: ObjectStore = store, at = dir) =>
    createUsageShipper({ store: other, bot: 'b', dir: at });
  const open = async (at = dir) => {
    const ledger = await openLedger({ dir: at, clock: systemClock });
    onTestFinished(() => ledger.close().catch(() => undefined));
    return ledger;
  };
  const ids = async (of = day) => {
    const stored = await store.get(`usage/b/${of}.ndjson`).catch(() => undefined);
    const lines = stored ? (await text(stored.body)).trimEnd().split('\n') : [];
    return lines.map((line) => (JSON.parse(line) as { requestId: string }).requestId);
  };
  return { folder, store, dir, shipper, open, ids };
}

test('turns are summed up, by time and conversation, and by model', async () => {
  const { open, shipper } = await fixture();
  const ledger = await open();
  await shipper().ship();
  await ledger.record(ledgerLine('msg_1', { at: '2026-11-26T23:59:59.000Z', model: 'a' }));
  await ledger.record(
    ledgerLine('msg_2', { at: '2026-11-27T00:00:00.000Z', conversation: 'd', status: 'failed' }),
  );
  const usd = [{ type: 'voice', unit: 'second', quantity: 2.5, usd: 0.5 }];
  await ledger.record(
    ledgerLine('msg_3', {
      at: '2026-11-27T10:00:00.000Z',
      status: 'cancelled',
      costs: usd,
      source: 'estimated',
    }),
  );
  expect(await ledger.totals({})).toMatchObject({
    from: '2026-11-26T23:59:59.000Z',
    turns: { completed: 1, failed: 1, cancelled: 1 },
    tokens: { input: 30, output: 15, total: 45 },
    costs: [
      { type: 'llm.tokens', unit: 'token', quantity: 30, usd: null },
      { type: 'voice', unit: 'second', quantity: 2.5, usd: 0.5 },
    ],
    byModel: [
      { model: 'a', provider: null, turns: 1 },
      { model: 'm', provider: null, turns: 2 },
    ],
    source: 'estimated',
  });
  const turns = async (query: object) => (await ledger.totals(query)).turns;
  expect(await turns({ since: Date.parse('2026-11-27T00:00:00Z') })).toEqual({
    completed: 0,
    failed: 1,
    cancelled: 1,
  });
  expect(await turns({ until: Date.parse('2026-11-27T00:00:00Z') })).toEqual({
    completed: 1,
    failed: 0,
    cancelled: 0,
  });
  expect(await turns({ conversation: 'd' })).toEqual({ completed: 0, failed: 1, cancelled: 0 });
  // The same once they are in the store.
  const before = await ledger.totals({ until: Date.parse('2026-11-28T00:00:00Z') });
  await shipper().ship();
  expect(await ledger.totals({ until: Date.parse('2026-11-28T00:00:00Z') })).toEqual(before);
  expect(await turns({ since: Date.parse('2026-11-27T00:00:00Z') })).toEqual({
    completed: 0,
    failed: 1,
    cancelled: 1,
  });
});

test('a turn that is told of again counts once: here, after a restart, and in a new container', async () => {
  const { open, shipper, ids, folder } = await fixture();
  const first = await open();
  await first.record(ledgerLine('msg_1'));
  await first.record(ledgerLine('msg_1', { status: 'failed' }));
  await first.close();
  const second = await open();
  await second.record(ledgerLine('msg_1', { status: 'failed' }));
  await shipper().ship();
  await second.record(ledgerLine('msg_1', { status: 'failed' }));
  await shipper().ship();
  expect(await ids()).toEqual(['msg_1']);
  // Another container, another disk: what is there is in the store; the state that came with it knows of no end of the turn.
  const elsewhere = join(folder, 'elsewhere');
  const third = await open(elsewhere);
  await third.record(ledgerLine('msg_1', { status: 'failed' }));
  await third.record(ledgerLine('msg_2'));
  const other = shipper(undefined, elsewhere);
  await other.ship();
  expect(await ids()).toEqual(['msg_1', 'msg_2']);
  expect((await third.totals({})).turns).toEqual({ completed: 2, failed: 0, cancelled: 0 });
  await third.record(ledgerLine('msg_1', { status: 'failed' }));
  await other.ship();
  expect((await third.totals({})).turns.failed).toBe(0);
});

test('two containers at once lose nothing of each other', async () => {
  const { open, shipper, ids, folder } = await fixture();
  const [a, b] = [await open(), await open(join(folder, 'b'))];
  const [shipA, shipB] = [shipper(), shipper(undefined, join(folder, 'b'))];
  for (let i = 0; i < 5; i++) {
    await a.record(ledgerLine(`msg_a${i}`));
    await b.record(ledgerLine(`msg_b${i}`));
    await Promise.all([shipA.ship(), shipB.ship()]);
  }
  expect((await ids()).sort()).toEqual(
    ['a', 'b'].flatMap((who) => [0, 1, 2, 3, 4].map((i) => `msg_${who}${i}`)),
  );
  // A volume that has waited learns of the other's at the next start.
  await shipper().ship();
  expect((await a.totals({})).turns.completed).toBe(10);
});

test('days are shipped apart', async () => {
  const { open, shipper, ids } = await fixture();
  const ledger = await open();
  for (const at of ['2026-11-25T01:00:00Z', '2026-11-26T01:00:00Z', '2026-11-26T02:00:00Z']) {
    await ledger.record(ledgerLine(`msg_${at}`, { at }));
  }
  await shipper().ship();
  expect(await ids('20261125')).toHaveLength(1);
  expect(await ids('20261126')).toHaveLength(2);
});

/** A store whose answers get lost: before a write, or after it. */
function losing(store: ObjectStore, random: () => number): ObjectStore {
  const away = () => new RuntimeError('unavailable', 'the network is cut');
  return {
    ...store,
    name: store.name,
    get: (...args) => store.get(...args),
    head: (...args) => store.head(...args),
    list: (...args) => store.list(...args),
    append: (...args) => store.append(...args),
    copy: (...args) => store.copy(...args),
    delete: (...args) => store.delete(...args),
    now: (...args) => store.now(...args),
    close: () => store.close(),
    put: async (...args) => {
      const luck = random();
      if (luck < 0.3) throw away();
      const result = await store.put(...args);
      if (luck < 0.6) throw away();
      return result;
    },
  };
}

test('every line is in the store once, and in the totals once, whatever answers get lost and whoever dies in between', async () => {
  const { open, shipper, store, ids, dir } = await fixture();
  let seed = 7;
  const random = () => {
    seed = (seed * 1103515245 + 12345) % 2 ** 31;
    return seed / 2 ** 31;
  };
  const ledger = await open();
  const flaky = losing(store, random);
  let current = shipper(flaky);
  let lost = 0;
  for (let i = 0; i < 60; i++) {
    await ledger.record(ledgerLine(`msg_${i}`));
    // A new one: the old one was killed after what it did last.
    if (random() < 0.4) current = shipper(flaky);
    await current.ship().catch(() => {
      lost += 1;
    });
    expect((await ledger.totals({})).turns.completed).toBe(i + 1);
  }
  expect(lost).toBeGreaterThan(10);
  await shipper().ship();
  expect(await ids()).toEqual(Array.from({ length: 60 }, (_, i) => `msg_${i}`));
  expect(listSegments(dir)).toHaveLength(1);
});

test('what a process that was killed has told of is there, and only once', { timeout: 120_000 }, async () => {
  const { dir, open, shipper, ids } = await fixture();
  const kept: string[] = [];
  for (let life = 0; life < 6; life++) {
    const argv = [join(root, 'test/support/agent/ledgerWriter.ts'), dir, String(life)];
    const child = spawn(join(root, 'scripts/node'), argv, { stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    const enough = 20 + life * 17;
    await new Promise<void>((resolve) => {
      child.stdout.setEncoding('utf8').on('data', (piece: string) => {
        output += piece;
        if (output.split('\n').length > enough) {
          child.kill('SIGKILL');
          resolve();
        }
      });
    });
    await once(child, 'close');
    kept.push(...output.split('\n').slice(0, -1));
    // What a power cut leaves of a line.
    const [last] = listSegments(dir).slice(-1);
    appendFileSync(last?.path ?? '', '{"requestId":"msg_torn","at":"2026-');
    if (life % 2 === 0) await shipper().ship();
  }
  const ledger = await open();
  await shipper().ship();
  const stored = await ids();
  expect(new Set(stored).size).toBe(stored.length);
  expect(stored).toEqual(expect.arrayContaining(kept));
  // One may have been kept and not told of, each life.
  expect(stored.length - kept.length).toBeLessThanOrEqual(6);
  expect((await ledger.totals({})).turns.completed).toBe(stored.length);
});

describe('negative controls', () => {
  test('without what was shipped before, totals would be too low', async () => {
    const { open, shipper, folder } = await fixture();
    const first = await open();
    await first.record(ledgerLine('msg_1'));
    await shipper().ship();
    const elsewhere = join(folder, 'elsewhere');
    await shipper(undefined, elsewhere).ship();
    rmSync(join(elsewhere, 'days'), { recursive: true });
    const broken = await open(elsewhere);
    await expect(broken.totals({})).rejects.toThrow('ENOENT');
  });

  test('a ledger is out of reach of whoever else is on the machine', async () => {
    const { open, dir } = await fixture();
    const ledger = await open();
    await ledger.record(ledgerLine('msg_1'));
    expect(statSync(dir).mode & 0o007).toBe(0);
  });
});
