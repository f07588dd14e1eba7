import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { openLedger } from '../../../../src/agent/ledger/openLedger.ts';
import { createUsageShipper } from '../../../../src/agent/ledger/shipUsage.ts';
import { readPosition, type TelemetryPosition } from '../../../../src/agent/ledger/telemetry/position.ts';
import { startTelemetry } from '../../../../src/agent/ledger/telemetry/telemetry.ts';
import type { TelemetryFormat } from '../../../../src/agent/ledger/telemetry/toldLine.ts';
import { freePort } from '../../../../src/agent/process/freePort.ts';
import { type Clock, systemClock } from '../../../../src/base/clock.ts';
import { openFileStore } from '../../../../src/store/file/file.ts';
import { ledgerLine } from '../../../support/agent/ledgerLine.ts';
import { temporaryDirectory } from '../../../support/files/temporary.ts';
import { memoryLog } from '../../../support/memoryLog.ts';

/** An address that nobody listens on. */
async function nobody(): Promise<string> {
  return `http://127.0.0.1:${await freePort()}/events`;
}

/** Waits are short, and are kept. */
function hastyClock(): Clock & { readonly waits: number[] } {
  const waits: number[] = [];
  return {
    waits,
    now: Date.now,
    elapsed: systemClock.elapsed,
    sleep: (ms, signal) => {
      waits.push(ms);
      return systemClock.sleep(Math.min(ms, 20), signal);
    },
  };
}

interface Event {
  readonly requestId: string;
  readonly request_id: string;
}

/** A receiver that answers what it is told to; 200 by itself. */
async function receiver() {
  const batches: Event[][] = [];
  const tokens: (string | undefined)[] = [];
  const answers: number[] = [];
  let refuses = (_: Event): boolean => false;
  const server = createServer(async (request, response) => {
    const { events } = JSON.parse(await text(request)) as { events: Event[] };
    tokens.push(request.headers.authorization);
    const status = answers.shift() ?? (events.some((event) => refuses(event)) ? 422 : 200);
    if (status === 200) batches.push(events);
    response.writeHead(status).end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/events`,
    batches,
    tokens,
    answers,
    ids: () => batches.flat().map((event) => event.requestId),
    refuse: (what: typeof refuses) => {
      refuses = what;
    },
  };
}

async function fixture() {
  const folder = await temporaryDirectory();
  const store = openFileStore(folder, 'bot-logs', { createBucket: true, clock: systemClock });
  const to = await receiver();
  const volume = async (name: string, put?: (...args: never[]) => Promise<never>) => {
    const dir = join(folder, name);
    const ledger = await openLedger({ dir, clock: systemClock });
    onTestFinished(() => ledger.close().catch(() => undefined));
    const days = { store, bot: 'b', dir };
    await createUsageShipper(days).ship();
    const { log, lines } = memoryLog();
    const clock = hastyClock();
    const kept = put ? ({ get: store.get.bind(store), put } as unknown as typeof store) : store;
    const start = (format: TelemetryFormat = 'runtime', url = to.url) => {
      const telemetry = startTelemetry({
        ...days,
        store: kept,
        receiver: { url, token: 't' },
        format,
        clock,
        log,
      });
      onTestFinished(() => telemetry.close().catch(() => undefined));
      return telemetry;
    };
    const ship = () => createUsageShipper(days).ship();
    return { ledger, start, ship, lines, clock, position: () => readPosition(dir) };
  };
  return { to, volume };
}

/** However busy the machine is. */
const soon = <T>(look: () => T) => expect.poll(look, { timeout: 30_000 });

/** The receiver has a turn before its answer is here: what is ended in between is told again. */
const toldUpTo = (id: string, position: () => TelemetryPosition | undefined) =>
  soon(() => position()?.last?.requestId).toBe(id);

const some = (count: number, prefix = 'msg') => Array.from({ length: count }, (_, i) => `${prefix}_${i}`);

test('turns are told of in order, at most a hundred at once, with a token, and each once over restarts of whoever tells', async () => {
  const { to, volume } = await fixture();
  const { ledger, start, position } = await volume('a');
  for (const id of some(250)) await ledger.record(ledgerLine(id));
  const first = start();
  await soon(() => to.ids().length).toBe(250);
  await toldUpTo('msg_249', position);
  await first.close();
  await ledger.record(ledgerLine('msg_later'));
  start();
  await soon(() => to.ids().length).toBe(251);
  expect(to.ids()).toEqual([...some(250), 'msg_later']);
  expect(to.batches.map(({ length }) => length)).toEqual([100, 100, 50, 1]);
  expect(new Set(to.tokens)).toEqual(new Set(['Bearer t']));
});

test('an event has these fields and no other; under the platform’s names on request', async () => {
  const { to, volume } = await fixture();
  const { ledger, start, position } = await volume('a');
  const line = ledgerLine('msg_1');
  // A line of a newer version, with what is nobody's business.
  await ledger.record({ ...line, reply: 'canary' } as typeof line);
  const telling = start();
  await soon(() => to.batches.length).toBe(1);
  const { usd: _, ...told } = line;
  expect(to.batches[0]).toEqual([told]);
  await toldUpTo('msg_1', position);
  await telling.close();
  await ledger.record(ledgerLine('msg_2'));
  start('hydracore');
  await soon(() => to.batches.length).toBe(2);
  expect(to.batches[1]).toEqual([
    {
      request_id: 'msg_2',
      event_ts: expect.any(String),
      provider: null,
      model: 'm',
      key_source: 'platform',
      estimated_tokens_in: 10,
      estimated_tokens_out: 5,
    },
  ]);
});

test('a receiver that cannot now is asked again, more and more seldom, and the agent’s health says so', async () => {
  const { to, volume } = await fixture();
  const { ledger, start, clock } = await volume('a');
  to.answers.push(500, 503, 429, 408, 401, 403, 500, 500);
  await ledger.record(ledgerLine('msg_1'));
  start();
  await soon(() => ledger.trouble()).toMatch(/^telemetry is held up: the receiver answered \d+/);
  await soon(() => to.ids()).toEqual(['msg_1']);
  await soon(() => ledger.trouble()).toBeUndefined();
  expect(clock.waits.filter((ms) => ms !== 3000).slice(0, 8)).toEqual([
    1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000,
  ]);
});

test('what a receiver will never take is found by halving, told of in the log, and skipped; all others arrive in order', async () => {
  const { to, volume } = await fixture();
  const { ledger, start, lines, position } = await volume('a');
  to.refuse((event) => event.requestId === 'msg_5' || event.requestId === 'msg_41');
  for (const id of some(60)) await ledger.record(ledgerLine(id));
  start();
  await soon(() => to.ids().length).toBe(58);
  expect(to.ids()).toEqual(some(60).filter((id) => id !== 'msg_5' && id !== 'msg_41'));
  await toldUpTo('msg_59', position);
  expect(position()?.rejected).toBe(2);
  expect(lines.join('')).toContain('"msg_41"');
});

test('what is older than a day is skipped and counted', async () => {
  const { to, volume } = await fixture();
  const { ledger, start, position, lines } = await volume('a');
  const old = new Date(Date.now() - 25 * 3600 * 1000).toISOString();
  for (const id of some(3, 'old')) await ledger.record(ledgerLine(id, { at: old }));
  await ledger.record(ledgerLine('msg_1'));
  start();
  await soon(() => to.ids()).toEqual(['msg_1']);
  await toldUpTo('msg_1', position);
  expect(position()?.skipped).toBe(3);
  expect(lines.join('')).toMatch(/more than 24 hours ago are skipped by telemetry turns=3/);
});

test('another container, on an empty disk, goes on where the one before it has ended', async () => {
  const { to, volume } = await fixture();
  const first = await volume('a');
  for (const id of some(5)) await first.ledger.record(ledgerLine(id));
  const telling = first.start();
  await soon(() => to.ids().length).toBe(5);
  await toldUpTo('msg_4', first.position);
  await telling.close();
  // Not told of by the first one, but shipped.
  await first.ledger.record(ledgerLine('msg_last'));
  await first.ship();
  const second = await volume('b');
  await second.ledger.record(ledgerLine('msg_new'));
  second.start();
  await soon(() => to.ids()).toEqual([...some(5), 'msg_last', 'msg_new']);
});

test('a store that hangs holds up neither what is told nor the end', async () => {
  const { to, volume } = await fixture();
  const hangs = (_key: string, _body: unknown, { signal }: { signal?: AbortSignal } = {}) =>
    new Promise<never>((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)));
  const { ledger, start, lines } = await volume('a', hangs);
  await ledger.record(ledgerLine('msg_1'));
  const telling = start();
  await soon(() => to.ids()).toEqual(['msg_1']);
  await telling.close();
  expect(lines.join('')).toContain('telemetry goes on with the next start');
});

test('a receiver that is not there holds nothing else up, and hears of all when it is', async () => {
  const { to, volume } = await fixture();
  const { ledger, start, position } = await volume('a');
  await ledger.record(ledgerLine('msg_1'));
  const telling = start('runtime', await nobody());
  await soon(() => position()?.trouble).toBe('ECONNREFUSED');
  await telling.close();
  start();
  await soon(() => to.ids()).toEqual(['msg_1']);
});
