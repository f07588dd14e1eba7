import fc from 'fast-check';
import type { BotSpec } from '../../../src/host/bots/botSpec.ts';
import { perform } from '../../../src/host/reconcile/perform.ts';
import { reconcile } from '../../../src/host/reconcile/reconcile.ts';
import type { Situation, Wanted } from '../../../src/host/reconcile/situation.ts';
import type { Step } from '../../../src/host/reconcile/step.ts';
import { parseSchedule } from '../../../src/host/schedule/parseSchedule.ts';
import { createModelEngine, type Fault } from './modelEngine.ts';
import { Killed, modelInstances, modelRecords } from './modelHost.ts';
import { createModelRollbacks } from './modelRollbacks.ts';

/** One thing that happens to a host and its bot. */
export type Happening =
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

export const happening: fc.Arbitrary<Happening> = fc.oneof(
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

export const happeningOrRollback: fc.Arbitrary<Happening> = fc.oneof(
  { weight: 8, arbitrary: happening },
  {
    weight: 2,
    arbitrary: fc.record({ type: fc.constant('rollback' as const), variant: fc.integer({ min: 0, max: 2 }) }),
  },
);

const START = Date.UTC(2026, 5, 1, 12, 0, 30);

export type Decide = (situation: Situation) => Step;

/** Plays a story against the model, the host being killed and its engine failing as told. */
export async function playStory(
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

/** Whether two lives of a bot overlap. */
export function overlaps(lives: readonly { from: number; to?: number }[]): boolean {
  return lives.some((life, i) => i > 0 && (lives[i - 1]!.to === undefined || lives[i - 1]!.to! > life.from));
}
