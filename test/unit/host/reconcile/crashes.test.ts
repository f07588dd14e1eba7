import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BotSpec } from '../../../../src/host/bots/botSpec.ts';
import { perform } from '../../../../src/host/reconcile/perform.ts';
import { reconcile } from '../../../../src/host/reconcile/reconcile.ts';
import type { Situation, Wanted } from '../../../../src/host/reconcile/situation.ts';
import type { Step } from '../../../../src/host/reconcile/step.ts';
import { parseSchedule } from '../../../../src/host/schedule/parseSchedule.ts';
import { aSpec, scheduled } from '../../../support/host/aSpec.ts';
import { createModelEngine, type Fault } from '../../../support/host/modelEngine.ts';
import { Killed, modelInstances, modelRecords } from '../../../support/host/modelHost.ts';
import { createModelRollbacks } from '../../../support/host/modelRollbacks.ts';

/** One thing that happens to a host and its bot. */
type Happening =
  | { type: 'time'; seconds: number }
  | { type: 'exit'; code: number | undefined }
  /** The engine fails one of its next calls. */
  | { type: 'fault'; fault: Fault; after: number }
  /** The host is killed at one of its next durable effects. */
  | { type: 'kill'; after: number }
  | { type: 'want'; variant: number }
  | { type: 'off' }
  | { type: 'absent' }
  | { type: 'unknown' }
  /** Its file is no longer that of a bot. */
  | { type: 'break' }
  | { type: 'drain'; on: boolean }
  /** An operator asks for an older snapshot, with the specification of `variant`. */
  | { type: 'rollback'; variant: number }
  /** Somebody kills and removes the newest container by hand. */
  | { type: 'vanish' };

const happening: fc.Arbitrary<Happening> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ type: fc.constant('time' as const), seconds: fc.integer({ min: 0, max: 900 }) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant('exit' as const),
      code: fc.constantFrom(0, 1, 69, 75, 78, 137, undefined),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ type: fc.constant('kill' as const), after: fc.integer({ min: 0, max: 8 }) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant('fault' as const),
      fault: fc.constantFrom('before' as const, 'after' as const),
      after: fc.integer({ min: 0, max: 6 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ type: fc.constant('want' as const), variant: fc.integer({ min: 0, max: 2 }) }),
  },
  { weight: 1, arbitrary: fc.constant({ type: 'off' as const }) },
  { weight: 1, arbitrary: fc.constant({ type: 'absent' as const }) },
  { weight: 1, arbitrary: fc.constant({ type: 'unknown' as const }) },
  { weight: 1, arbitrary: fc.constant({ type: 'break' as const }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('drain' as const), on: fc.boolean() }) },
  { weight: 1, arbitrary: fc.constant({ type: 'vanish' as const }) },
);

const withRollbacks = fc.oneof(
  { weight: 8, arbitrary: happening },
  {
    weight: 2,
    arbitrary: fc.record({ type: fc.constant('rollback' as const), variant: fc.integer({ min: 0, max: 2 }) }),
  },
);

const START = Date.UTC(2026, 5, 1, 12, 0, 30);

type Decide = (situation: Situation) => Step;

/** Plays a story against the model, the host being killed and its engine failing as told. */
async function play(
  make: (variant: number) => BotSpec,
  story: readonly Happening[],
  decide: Decide = reconcile,
) {
  let now = START;
  let killAfter: number | undefined;
  let faultAfter: { fault: Fault; after: number } | undefined;
  let draining = false;
  let wanted: { spec: BotSpec } | 'absent' | 'unknown' | 'broken' = { spec: make(0) };

  const effect = () => {
    if (killAfter === undefined) return;
    if (killAfter-- === 0) {
      killAfter = undefined;
      throw new Killed();
    }
  };
  const model = createModelEngine({
    now: () => now,
    fault: (call) => {
      if (!['list', 'inspect'].includes(call)) effect();
      if (faultAfter === undefined || faultAfter.after-- > 0) return 'none';
      const { fault } = faultAfter;
      faultAfter = undefined;
      return fault;
    },
  });
  const { records, kept, events, tell } = modelRecords(effect);
  const instances = modelInstances();
  /** What lived while a snapshot was published over it. */
  const publishedUnder: string[] = [];
  const rollbacks = createModelRollbacks({
    saved: ['first', 'second'],
    effect: (what) => {
      if (what === 'before publish') publishedUnder.push(...running().map(({ name }) => name));
      effect();
    },
    want: (spec) => {
      if (typeof wanted !== 'string') wanted = { spec };
    },
  });
  const asked: number[] = [];

  const wantedNow = (): Wanted => {
    if (wanted === 'absent' || wanted === 'unknown') return { type: wanted };
    const { good } = records.get('b');
    const problems = ['broken'];
    if (wanted === 'broken' && good === undefined) return { type: 'invalid', problems };
    const { spec } = wanted === 'broken' ? good! : wanted;
    const schedule = spec.schedule && parseSchedule({ ...spec.schedule, bot: spec.name }, now);
    if (typeof schedule === 'string') throw new Error(schedule);
    return {
      type: 'present',
      origin: 'b.yaml',
      spec,
      hash: instances.hash(spec),
      schedule,
      ...(wanted === 'broken' && { problems }),
    };
  };

  /** What the loop does, until nothing is left to do now. */
  async function settle() {
    for (let steps = 0; steps < 200; steps++) {
      let seen: Situation['instances'];
      try {
        seen = await model.engine.list(AbortSignal.timeout(1e6));
      } catch {
        seen = undefined;
      }
      const gates = { draining, start: undefined, replace: true };
      const situation = {
        bot: 'b',
        wanted: wantedNow(),
        instances: seen,
        recorded: records.get('b'),
        now,
        gates,
      };
      const chosen = decide(situation);
      if (chosen.action.type === 'nothing' && seen !== undefined) return;
      try {
        await perform(
          chosen,
          situation,
          { engine: model.engine, instances, records, rollbacks, tell },
          AbortSignal.timeout(1e6),
        );
      } catch (error) {
        // Killed: begins anew, having forgotten everything that is not on disk. Failed: backs off, and tries again.
        if (!(error instanceof Killed) && (error as { code?: string }).code !== 'unavailable') throw error;
        continue;
      }
      // The loop drops the bot.
      if (chosen.action.type === 'forget') return;
    }
    throw new Error('it does not settle');
  }

  const running = () => [...model.instances.values()].filter((one) => one.state === 'running');
  await settle();
  for (const what of [...story]) {
    if (what.type === 'time') now += what.seconds * 1_000;
    if (what.type === 'exit') for (const one of running()) model.end(one.name, what.code);
    if (what.type === 'kill') killAfter = what.after;
    if (what.type === 'fault') faultAfter = { ...what };
    if (what.type === 'want') wanted = { spec: make(what.variant) };
    if (what.type === 'off' && typeof wanted !== 'string')
      wanted = { spec: { ...wanted.spec, enabled: false } };
    if (what.type === 'absent' || what.type === 'unknown') wanted = what.type;
    if (what.type === 'break' && typeof wanted !== 'string') wanted = 'broken';
    if (what.type === 'drain') draining = what.on;
    if (what.type === 'rollback' && records.get('b').rollback === undefined && killAfter === undefined) {
      const rollback = { askedAt: ++now, sequence: 1, spec: make(what.variant) };
      asked.push(rollback.askedAt);
      await records.put('b', { ...records.get('b'), rollback });
    }
    if (what.type === 'vanish') {
      const last = [...model.instances.values()].at(-1);
      if (last !== undefined) {
        model.end(last.name, 137);
        model.instances.delete(last.name);
      }
    }
    await settle();
    // Bots that were asked to end do so after a while.
    for (const one of running()) if (one.asked && what.type === 'time') model.end(one.name, 143);
    await settle();
  }
  killAfter = undefined;
  faultAfter = undefined;
  return {
    ...model,
    events,
    kept,
    rollbacks,
    publishedUnder,
    asked,
    settle,
    now: () => now,
    quiet: {
      wanted: () => wanted,
      resume: () => {
        draining = false;
      },
    },
    later: (ms: number) => {
      now += ms;
    },
    breakFile: () => {
      wanted = 'broken';
    },
    want: (spec: BotSpec) => {
      wanted = { spec };
      draining = false;
    },
    running,
  };
}

/** No two lives of a bot overlap. */
function overlaps(lives: readonly { from: number; to?: number }[]): boolean {
  return lives.some((life, i) => i > 0 && (lives[i - 1]!.to === undefined || lives[i - 1]!.to! > life.from));
}

const realtime = (variant: number) => aSpec({ name: 'b', env: { VARIANT: String(variant) } });
const everyTenMinutes = (variant: number) =>
  scheduled('b', { missed: (['once', 'all', 'skip'] as const)[variant]! });

describe('a realtime bot through every crash', () => {
  it('never runs twice at the same time', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(happening, { maxLength: 30 }), async (story) => {
        const { lives } = await play(realtime, story);
        expect(overlaps(lives)).toBe(false);
      }),
      { numRuns: 400 },
    );
  });

  it('runs in the end as it is wanted', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(happening, { maxLength: 30 }), async (story) => {
        const played = await play(realtime, story);
        const spec = aSpec({ name: 'b', env: { VARIANT: 'last' } });
        played.want(spec);
        for (let i = 0; i < 4; i++) {
          played.later(400_000);
          await played.settle();
        }
        expect(played.running().map((one) => one.spec.hash)).toEqual([modelInstances().hash(spec)]);
      }),
      { numRuns: 300 },
    );
  });

  it('is started again by the last good specification when its file is broken', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(happening, { maxLength: 20 }), async (story) => {
        const played = await play(realtime, story);
        const spec = aSpec({ name: 'b', env: { VARIANT: 'last' } });
        played.want(spec);
        played.later(400_000);
        await played.settle();
        played.breakFile();
        await played.settle();
        for (let i = 0; i < 4; i++) {
          for (const { name } of played.running()) played.end(name, 1);
          await played.settle();
          played.later(400_000);
          await played.settle();
        }
        expect(played.running().map((one) => one.spec.hash)).toEqual([modelInstances().hash(spec)]);
      }),
      { numRuns: 200 },
    );
  });

  it('stays off when it was off before its file broke', async () => {
    const played = await play(realtime, [{ type: 'time', seconds: 10 }]);
    played.want({ ...realtime(0), enabled: false });
    await played.settle();
    for (const { name } of played.running()) played.end(name, 143);
    await played.settle();
    played.breakFile();
    played.later(400_000);
    await played.settle();
    expect(played.running()).toEqual([]);
    // Negative control: what it was last started with was on.
    expect(played.kept.get('b')?.current?.spec.enabled).toBe(true);
  });

  it('gets SIGTERM once, unless the host was killed in that moment', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          happening.filter((one) => one.type !== 'kill' && one.type !== 'fault'),
          { maxLength: 30 },
        ),
        async (story) => {
          const { signals, lives } = await play(realtime, story);
          const terms = signals.filter((one) => one.signal === 'SIGTERM').length;
          expect(terms).toBeLessThanOrEqual(lives.length);
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe('a rollback through every crash', () => {
  const stories = fc.array(withRollbacks, { maxLength: 30 });
  const bots = fc.constantFrom(realtime, everyTenMinutes);
  /** What a host gives up: a bot that another instance has taken over, one that is not wanted any more. */
  const excused = ({ events, quiet, asked }: Awaited<ReturnType<typeof play>>, story: readonly Happening[]) =>
    asked.length === 0 ||
    story.some(({ type }) => type === 'absent') ||
    typeof quiet.wanted() === 'string' ||
    events.some(({ message }) => message.startsWith('not rolled back'));

  it('publishes over nothing that lives, once for each that was asked, and takes no snapshot away', async () => {
    let through = 0;
    await fc.assert(
      fc.asyncProperty(stories, bots, async (story, make) => {
        const played = await play(make, story);
        expect(played.publishedUnder).toEqual([]);
        expect(overlaps(played.lives)).toBe(false);
        const { saved, published } = played.rollbacks;
        expect(new Set(published).size).toBe(published.length);
        expect(saved).toEqual(['first', 'second', ...published.map(() => 'first')]);
        if (excused(played, story)) return;
        played.quiet.resume();
        for (let i = 0; i < 4; i++) {
          played.later(400_000);
          await played.settle();
        }
        // One that waited for the end of a drain may be given up only now.
        if (excused(played, story)) return;
        expect(published).toEqual(played.asked);
        expect(played.kept.get('b')?.rollback).toBeUndefined();
        through++;
      }),
      { numRuns: 400 },
    );
    expect(through).toBeGreaterThan(20);
  });

  it('would publish over a bot that lives if it did not end it first', async () => {
    // The control: the same stories must find the fault.
    const careless: Decide = (situation) => {
      const { instances, recorded } = situation;
      const isDead = recorded.rollback === undefined || recorded.rollback.published;
      return reconcile(isDead || instances === undefined ? situation : { ...situation, instances: [] });
    };
    let found = 0;
    await fc.check(
      fc.asyncProperty(stories, async (story) => {
        if ((await play(realtime, story, careless)).publishedUnder.length > 0) found++;
      }),
      { numRuns: 200 },
    );
    expect(found).toBeGreaterThan(0);
  });

  it('would be lost with its host if it were forgotten before it is through', async () => {
    const careless: Decide = (situation) => {
      const { rollback, ...rest } = situation.recorded;
      const chosen = reconcile(situation);
      // Forgets it with its first step.
      return rollback === undefined || chosen.write === undefined ? chosen : { ...chosen, write: rest };
    };
    let lost = 0;
    await fc.check(
      fc.asyncProperty(stories, async (story) => {
        const { rollbacks, asked } = await play(realtime, story, careless);
        if (rollbacks.published.length < asked.length) lost++;
      }),
      { numRuns: 200 },
    );
    expect(lost).toBeGreaterThan(0);
  });
});

describe('a scheduled bot through every crash', () => {
  const runs = (lives: readonly { run: number | undefined }[]) => lives.map((life) => life.run!);

  it('runs each time at most once, one at a time', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(happening, { maxLength: 40 }), async (story) => {
        const { lives } = await play(everyTenMinutes, story);
        expect(overlaps(lives)).toBe(false);
        expect(new Set(runs(lives)).size).toBe(lives.length);
      }),
      { numRuns: 500 },
    );
  });

  it('says of each time that it ran, or why it did not', async () => {
    const harmless = happening.filter(
      (one) => !['off', 'absent', 'unknown', 'want', 'drain', 'vanish', 'break'].includes(one.type),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(harmless, { maxLength: 40 }),
        fc.integer({ min: 0, max: 2 }),
        async (story, variant) => {
          const played = await play(() => everyTenMinutes(variant), story);
          const ran = new Set(runs(played.lives));
          const told = (time: number) =>
            played.events.some(
              ({ type, facts }) =>
                ['missed', 'skipped', 'lost'].includes(type) &&
                (((facts.from as number) <= time && time <= (facts.to as number)) || facts.time === time),
            );
          const open = played.kept.get('b');
          for (let time = Date.UTC(2026, 5, 1, 12, 10); time <= played.now(); time += 600_000) {
            const pending =
              open?.claim?.time === time || open?.queued === time || (open?.schedule?.from ?? 0) < time;
            expect([time, ran.has(time) || told(time) || pending]).toEqual([time, true]);
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  it('would run a time twice if it were not recorded that its instance exists', async () => {
    // The control: the same stories must find the fault in a core that starts before it has written that down.
    const careless: Decide = (situation) => {
      const chosen = reconcile(situation);
      const claim = chosen.write?.claim;
      if (chosen.write === undefined || claim?.created !== true) return chosen;
      const unwritten = { ...chosen.write, claim: { ...claim, created: false } };
      // What would have been recorded is believed once, to go on, and not kept.
      return chosen.action.type === 'record'
        ? { ...reconcile({ ...situation, recorded: chosen.write }), write: unwritten }
        : { ...chosen, write: unwritten };
    };
    let repeated = 0;
    await fc.check(
      fc.asyncProperty(fc.array(happening, { maxLength: 40 }), async (story) => {
        const { lives } = await play(everyTenMinutes, story, careless);
        if (new Set(runs(lives)).size < lives.length) repeated++;
      }),
      { numRuns: 2_000 },
    );
    expect(repeated).toBeGreaterThan(0);
  });
});
