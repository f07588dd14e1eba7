import { expect, test } from 'vitest';
import { Refusal } from '../../../../src/agent/turns/refusal.ts';
import { showTurn, type TurnRecord } from '../../../../src/agent/turns/turn.ts';
import { died, type Model, newDisk, openModel, settle, text } from './turnModel.ts';

const free = () => undefined;
const never = new AbortController().signal;

function submit({ turns }: Model, conversation: string, words = 'hello', key?: string): TurnRecord {
  const keyed = key === undefined ? undefined : { key, hash: words };
  return turns.submit({ conversation, message: text(words), metadata: {}, keyed }, free).record;
}

function refusalOf(work: () => unknown): Pick<Refusal, 'status' | 'code'> {
  try {
    work();
  } catch (error) {
    if (error instanceof Refusal) return { status: error.status, code: error.code };
    throw error;
  }
  throw new Error('it was not refused');
}

test('turns of one conversation run one after the other in their order, those of others beside them', async () => {
  const model = await openModel({ concurrency: 2 });
  const [a1, a2, b1, c1] = ['a', 'a', 'b', 'c'].map((conversation) => submit(model, conversation));
  const running = () => model.sent.map(({ request }) => request.id);
  expect(running()).toEqual([a1!.id, b1!.id]);
  model.sent[0]!.end();
  await settle();
  // One place was free, and `a` came first.
  expect(running()).toEqual([a1!.id, b1!.id, a2!.id]);
  model.sent[1]!.end();
  await settle();
  expect(running()).toEqual([a1!.id, b1!.id, a2!.id, c1!.id]);
});

test('the seventeenth that waits in a conversation is refused, and no other conversation is', async () => {
  const model = await openModel();
  for (let i = 0; i < 17; i += 1) submit(model, 'a');
  expect(refusalOf(() => submit(model, 'a'))).toEqual({ status: 429, code: 'too_many' });
  expect(submit(model, 'b').status).toBe('running');
});

test('a key gives the same turn again, while it runs and afterwards, and refuses another request', async () => {
  const model = await openModel();
  const first = submit(model, 'a', 'hello', 'k');
  expect(submit(model, 'a', 'hello', 'k')).toBe(first);
  model.sent[0]!.tell({ type: 'delta', text: 'hi' });
  model.sent[0]!.end();
  await model.turns.whenEnded(first, never);
  expect(submit(model, 'a', 'hello', 'k').log.reply).toBe('hi');
  expect(model.sent).toHaveLength(1);
  expect(refusalOf(() => submit(model, 'a', 'other', 'k'))).toEqual({
    status: 409,
    code: 'idempotency_conflict',
  });
});

test('a key is forgotten after 24 hours, and not before', async () => {
  const model = await openModel();
  const first = submit(model, 'a', 'hello', 'k');
  model.sent[0]!.end();
  await settle();
  await model.clock.advance(24 * 3_600_000 - 1000);
  expect(submit(model, 'a', 'hello', 'k')).toBe(first);
  await model.clock.advance(2000);
  expect(submit(model, 'a', 'hello', 'k')).not.toBe(first);
});

test('a turn beyond a thousand goes, and its key refuses what it cannot give any more', async () => {
  const model = await openModel();
  for (let i = 0; i < 1002; i += 1) {
    submit(model, 'a', 'hello', `k${i}`);
    model.sent.at(-1)!.end();
    await settle();
  }
  expect(model.turns.book.turns()).toHaveLength(1000);
  expect(refusalOf(() => submit(model, 'a', 'hello', 'k0'))).toEqual({
    status: 409,
    code: 'idempotency_conflict',
  });
  expect(model.sent).toHaveLength(1002);
});

test('a waiting turn is cancelled at once, a running one when the agent lets go; both count', async () => {
  const model = await openModel();
  const [running, waiting] = [submit(model, 'a'), submit(model, 'a')];
  model.turns.cancel(waiting);
  await settle();
  expect(showTurn(waiting)).toMatchObject({ status: 'cancelled', stopReason: 'cancelled', startedAt: null });
  model.sent[0]!.tell({ type: 'delta', text: 'so f' });
  model.turns.cancel(running);
  expect(running.status).toBe('running');
  expect(model.sent[0]!.signal.aborted).toBe(true);
  model.sent[0]!.end();
  await settle();
  expect(showTurn(running)).toMatchObject({ status: 'cancelled', reply: 'so f' });
  expect(model.disk.written.map(({ status }) => status)).toEqual(['cancelled', 'cancelled']);
  expect(model.sent).toHaveLength(1);
});

test.each([
  [
    'that takes too long',
    'timeout',
    (model: Model) => model.clock.advance(2000).then(() => model.sent[0]!.end()),
  ],
  ['whose agent dies', 'agent_died', async (model: Model) => model.sent[0]!.fail(died())],
  [
    'that is refused without a word',
    'agent_refused',
    async (model: Model) => model.sent[0]!.end({ stopReason: 'refusal' }),
  ],
  [
    'that the handler breaks off',
    'agent_failed',
    async (model: Model) => model.sent[0]!.fail(new Error('no')),
  ],
  [
    'that says too much',
    'agent_failed',
    async (model: Model) => {
      for (let i = 0; i < 5; i += 1) model.sent[0]!.tell({ type: 'delta', text: 'x'.repeat(1_000_000) });
      model.sent[0]!.fail(new Error('aborted'));
    },
  ],
] as const)('a turn %s has failed: %s', async (_what, code, happen) => {
  const model = await openModel({ timeoutMs: 1000 });
  const record = submit(model, 'a');
  await happen(model);
  await settle();
  expect(showTurn(record)).toMatchObject({ status: 'failed', error: { code } });
  expect(model.turns.lastFailure).toContain('the last turn failed');
  submit(model, 'a');
  model.sent[1]!.end();
  await settle();
  expect(model.turns.lastFailure).toBeUndefined();
});

test('usage that is told several times adds up; where nothing is told of tokens they are estimated', async () => {
  const model = await openModel();
  const told = submit(model, 'a');
  model.sent[0]!.tell({ type: 'usage', usage: { model: 'm', tokens: { input: 10, output: 1 }, usd: 0.5 } });
  model.sent[0]!.tell({ type: 'tool', id: 't1', name: 'search', status: 'running' });
  model.sent[0]!.tell({ type: 'tool', id: 't1', name: 'search', status: 'completed' });
  model.sent[0]!.end({
    usage: {
      tokens: { input: 5, cacheRead: 2 },
      costs: [{ type: 'voice', unit: 'second', quantity: 3, usd: 0.1 }],
    },
  });
  await settle();
  expect(told.usage).toEqual({
    model: 'm',
    provider: null,
    tokens: { input: 15, output: 1, cacheRead: 2, cacheWrite: 0, reasoning: 0, total: 16 },
    source: 'reported',
    usd: 0.5,
  });
  expect(model.disk.written[0]).toMatchObject({
    usd: 0.6,
    costs: [
      { type: 'llm.tokens', quantity: 16, usd: 0.5 },
      { type: 'voice', quantity: 3, usd: 0.1 },
      { type: 'tool.calls', quantity: 1, usd: null },
    ],
  });
  const silent = submit(model, 'a', 'eight by');
  model.sent[1]!.tell({ type: 'delta', text: 'four' });
  model.sent[1]!.end();
  await settle();
  expect(silent.usage).toMatchObject({ source: 'estimated', tokens: { input: 2, output: 1, total: 3 } });
});

test('amounts that are none count as nothing', async () => {
  const model = await openModel();
  const record = submit(model, 'a');
  model.sent[0]!.end({
    usage: { tokens: { input: -5, output: Number.NaN, total: Number.POSITIVE_INFINITY }, usd: -1 },
  });
  await settle();
  expect(record.usage).toMatchObject({ tokens: { input: 0, output: 0, total: 0 }, usd: 0 });
});

test('the session that a turn ends with is given to the next of its conversation, also after a restart', async () => {
  const disk = newDisk();
  const model = await openModel({ disk });
  submit(model, 'a');
  expect(model.sent[0]!.request.session).toBeUndefined();
  model.sent[0]!.end({ session: 's1' });
  await settle();
  submit(model, 'a');
  expect(model.sent[1]!.request.session).toBe('s1');
  const again = await openModel({ disk });
  submit(again, 'a');
  submit(again, 'b');
  expect(again.sent.map(({ request }) => request.session)).toEqual(['s1', undefined]);
});

test('while it is held nothing is sent; afterwards everything that waits', async () => {
  const model = await openModel();
  model.hold(true);
  submit(model, 'a');
  submit(model, 'b');
  expect(model.sent).toEqual([]);
  model.hold(false);
  expect(model.sent).toHaveLength(2);
});

test('an end that cannot be kept is tried again, and not told before', async () => {
  const model = await openModel({ writesLeft: 2 });
  const record = submit(model, 'a');
  model.sent[0]!.end();
  await settle();
  expect(record.status).toBe('running');
  expect(model.turns.trouble).toContain('dead');
});
