import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { reconcile } from '../../../../src/host/reconcile/reconcile.ts';
import { aSpec, scheduled } from '../../../support/host/aSpec.ts';
import { modelInstances } from '../../../support/host/modelHost.ts';
import {
  type Decide,
  type Happening,
  happening,
  happeningOrRollback,
  overlaps,
  playStory,
} from '../../../support/host/playStory.ts';

const realtime = (variant: number) => aSpec({ name: 'b', env: { VARIANT: String(variant) } });
const everyTenMinutes = (variant: number) =>
  scheduled('b', { missed: (['once', 'all', 'skip'] as const)[variant]! });

describe('a realtime bot through every crash', () => {
  it('never runs twice at the same time', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(happening, { maxLength: 30 }), async (story) => {
        const { lives } = await playStory(realtime, story);
        expect(overlaps(lives)).toBe(false);
      }),
      { numRuns: 400 },
    );
  });

  it('runs in the end as it is wanted', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(happening, { maxLength: 30 }), async (story) => {
        const played = await playStory(realtime, story);
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
        const played = await playStory(realtime, story);
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
    const played = await playStory(realtime, [{ type: 'time', seconds: 10 }]);
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
          const { signals, lives } = await playStory(realtime, story);
          const terms = signals.filter((one) => one.signal === 'SIGTERM').length;
          expect(terms).toBeLessThanOrEqual(lives.length);
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe('a rollback through every crash', () => {
  const stories = fc.array(happeningOrRollback, { maxLength: 30 });
  const bots = fc.constantFrom(realtime, everyTenMinutes);
  /** What a host gives up: a bot that another instance has taken over, one that is not wanted any more. */
  const excused = (
    { events, quiet, asked }: Awaited<ReturnType<typeof playStory>>,
    story: readonly Happening[],
  ) =>
    asked.length === 0 ||
    story.some(({ type }) => type === 'absent') ||
    typeof quiet.wanted() === 'string' ||
    events.some(({ message }) => message.startsWith('not rolled back'));

  it('publishes over nothing that lives, once for each that was asked, and takes no snapshot away', async () => {
    let through = 0;
    await fc.assert(
      fc.asyncProperty(stories, bots, async (story, make) => {
        const played = await playStory(make, story);
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
        if ((await playStory(realtime, story, careless)).publishedUnder.length > 0) found++;
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
        const { rollbacks, asked } = await playStory(realtime, story, careless);
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
        const { lives } = await playStory(everyTenMinutes, story);
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
          const played = await playStory(() => everyTenMinutes(variant), story);
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
        const { lives } = await playStory(everyTenMinutes, story, careless);
        if (new Set(runs(lives)).size < lives.length) repeated++;
        return repeated === 0;
      }),
      { numRuns: 2_000, endOnFailure: true },
    );
    expect(repeated).toBeGreaterThan(0);
  });
});
