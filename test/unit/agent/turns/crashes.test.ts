import fc from 'fast-check';
import { expect, test } from 'vitest';
import { hasEnded } from '../../../../src/agent/turns/turn.ts';
import { scaled } from '../../../support/scale.ts';
import { type Disk, died, type Model, newDisk, openModel, settle, text } from './turnModel.ts';

type Step =
  | { readonly type: 'submit'; readonly conversation: string; readonly key: string | undefined }
  | { readonly type: 'say' | 'end' | 'fail' | 'cancel'; readonly at: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    type: fc.constant('submit' as const),
    conversation: fc.constantFrom('a', 'b'),
    key: fc.option(fc.constantFrom('k1', 'k2', 'k3'), { nil: undefined }),
  }),
  fc.record({ type: fc.constantFrom('say', 'end', 'fail', 'cancel'), at: fc.nat(5) }),
);

/** Lives of a process: what happens in each, and after how many writes it is killed. */
const lives = fc.array(fc.record({ steps: fc.array(step, { maxLength: 12 }), writes: fc.nat(14) }), {
  minLength: 1,
  maxLength: 4,
});

/** What clients were told, and what the agent was sent, over all lives. */
interface Seen {
  readonly accepted: Set<string>;
  readonly ended: Map<string, string>;
  readonly sent: string[];
  readonly byKey: Map<string, string>;
}

async function live(model: Model, steps: readonly Step[], seen: Seen): Promise<void> {
  for (const now of steps) {
    if (model.isDead()) break;
    if (now.type === 'submit') submit(model, now, seen);
    else act(model, now.type, now.at);
    await settle();
    if (!model.isDead()) note(model, seen);
  }
  for (const { request } of model.sent) seen.sent.push(request.id);
}

function submit(model: Model, { conversation, key }: Step & { type: 'submit' }, seen: Seen): void {
  const keyed = key === undefined ? undefined : { key, hash: key };
  try {
    const { record } = model.turns.submit(
      { conversation, message: text('x'), metadata: {}, keyed },
      () => undefined,
    );
    seen.accepted.add(record.id);
    if (key === undefined) return;
    expect(seen.byKey.get(key) ?? record.id, 'a key gives the same turn in every life').toBe(record.id);
    seen.byKey.set(key, record.id);
  } catch (error) {
    if ((error as { status?: number }).status === undefined) throw error;
  }
}

function act({ turns, sent }: Model, type: 'say' | 'end' | 'fail' | 'cancel', at: number): void {
  const one = sent[at % Math.max(1, sent.length)];
  if (!one) return;
  if (type === 'say') one.tell({ type: 'delta', text: 'y' });
  else if (type === 'end') one.end({ session: 's' });
  else if (type === 'fail') one.fail(died());
  else {
    const record = turns.book.turn(one.request.id);
    if (record && !hasEnded(record)) turns.cancel(record);
    one.end();
  }
}

/** Whatever a client is told of an end stays true. */
function note({ turns, disk }: Model, { ended }: Seen): void {
  for (const record of turns.book.turns().filter(hasEnded)) {
    const told = JSON.stringify([record.status, record.log.reply, record.error]);
    expect(ended.get(record.id) ?? told, 'an end is never taken back').toBe(told);
    ended.set(record.id, told);
    expect(disk.lines.has(record.id), 'what has ended is in the ledger').toBe(true);
  }
}

async function run(
  all: readonly { steps: readonly Step[]; writes: number }[],
  forgetful = false,
): Promise<Disk> {
  const disk = newDisk();
  const seen: Seen = { accepted: new Set(), ended: new Map(), sent: [], byKey: new Map() };
  for (const { steps, writes } of all) {
    const opening = openModel({ disk, writesLeft: writes, concurrency: 2, forgetful });
    // One that is killed while it reads what the one before has left never answers.
    const model = await Promise.race([opening.catch(() => undefined), settle().then(() => undefined)]);
    if (model) await live(model, steps, seen);
  }
  const last = await openModel({ disk, forgetful });
  note(last, seen);
  for (const id of seen.accepted) {
    expect(hasEnded(last.turns.book.turn(id)!), 'no turn is lost: it has ended, one way or another').toBe(
      true,
    );
  }
  expect(new Set(seen.sent).size, 'no turn is sent twice').toBe(seen.sent.length);
  expect(new Set(disk.written.map(({ requestId }) => requestId)).size, 'none is charged twice').toBe(
    disk.written.length,
  );
  return disk;
}

test('killed after any write, in any life: no turn is lost, none runs twice, none is charged twice', async () => {
  await fc.assert(
    fc.asyncProperty(lives, async (all) => {
      await run(all);
    }),
    { numRuns: scaled(300) },
  );
});

test('negative control: a ledger that forgets what it has charges a turn twice', async () => {
  const property = fc.asyncProperty(lives, async (all) => {
    await run(all, true);
  });
  const found = await fc.check(property, { numRuns: 2000, seed: 7 });
  expect(found.failed).toBe(true);
  expect(String(found.errorInstance)).toContain('none is charged twice');
});
