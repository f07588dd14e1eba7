import type { BotSpec } from '../bots/botSpec.ts';
import { isSameSpec } from '../bots/isSameSpec.ts';
import { endAll } from './endAll.ts';
import { keepRunning } from './keepRunning.ts';
import { type Recorded, without } from './recorded.ts';
import { rollBack } from './rollBack.ts';
import { runOnTime } from './runOnTime.ts';
import type { Seen, Situation, Wanted } from './situation.ts';
import { because, record, type Step, wait } from './step.ts';
import { tidy } from './tidy.ts';

/*
 * The room of the decision about one bot. Nothing in it has a clock, a timer or a connection, but for `perform`.
 *
 *   situation, recorded     what a decision depends on; of that, what the host has written down
 *   reconcile               the decision: one of the files below
 *   keepRunning, runOnTime  of a realtime bot; of a scheduled one (`setClock`: what is due, `givenOut`: what is late, `runResult`)
 *   endAll, endInstance     what is to end, in order
 *   countEnd                what an end means, and how long until the next start
 *   rollBack                an older snapshot, in steps
 *   tidy                    what else may go, when there is nothing more urgent
 *   step, perform           what was decided; and the only file here that does anything
 */

/**
 * What to do about one bot now, and when to look again: a pure function of what is wanted, seen, recorded and the time. It may be
 * killed between any two steps and asked again: each step leaves a situation from which the next one goes on. That holds because
 * (1) what must not happen twice is recorded before it is done, (2) an instance's name is unique in the engine, and (3) nothing is
 * started while another instance of the bot lives.
 */
export function reconcile(situation: Situation): Step {
  const { wanted, instances } = situation;
  if (wanted.type === 'unknown')
    return wait(because('SourceUnknown', 'the source has not answered yet; nothing is changed'));
  if (instances === undefined)
    return wait(because('EngineUnknown', 'the engine does not answer; nothing is changed'));
  const seen = { ...situation, instances };
  const main = withWanted(decide(seen), seen);
  if (main.action.type !== 'nothing') return main;
  const extra = tidy(seen);
  const lookAt = earliest(main.lookAt, extra.lookAt);
  return extra.action.type === 'nothing' ? { ...main, lookAt } : { ...extra, ready: main.ready };
}

function decide(seen: Seen): Step {
  const { wanted, gates } = seen;
  if (wanted.type === 'absent') return endAll(seen, 'it is no longer wanted');
  // Also what is not known to be a bot any more: it runs.
  if (gates.draining) return endAll(seen, 'the host is being drained');
  if (wanted.type !== 'present') {
    const problems = wanted.type === 'invalid' ? wanted.problems : [];
    return wait(because('Invalid', `not a bot: ${problems.join('; ')}; what runs is left as it is`));
  }
  const present = { ...seen, wanted };
  const { rollback } = seen.recorded;
  // It would take the state of what runs elsewhere.
  if (rollback !== undefined && gates.owner === undefined) return rollBack(present, rollback);
  return wanted.spec.type === 'realtime' ? keepRunning(present) : runOnTime(present);
}

/** What the source wants, or no longer does, is recorded: with what is written anyway, else by itself. */
function withWanted(main: Step, { wanted, recorded, now }: Seen): Step {
  const more = wantedNow(wanted, recorded, now);
  if (more === undefined) return main;
  const written = (before: Recorded) =>
    without({ ...before, ...more }, ...(more.good ? (['goneSince'] as const) : []));
  if (main.write !== undefined) return { ...main, write: written(main.write) };
  return main.action.type === 'nothing' ? record(written(recorded), main.ready) : main;
}

/** Undefined: it is recorded. */
function wantedNow(
  wanted: Wanted,
  recorded: Recorded,
  now: number,
): Pick<Recorded, 'good' | 'goneSince'> | undefined {
  if (wanted.type === 'absent') {
    const isKnown = recorded.schedule !== undefined || recorded.good !== undefined;
    return isKnown && recorded.goneSince === undefined ? { goneSince: now } : undefined;
  }
  if (wanted.type !== 'present' || wanted.problems !== undefined) return undefined;
  const { origin, spec } = wanted;
  return isGood(recorded, origin, spec) && recorded.goneSince === undefined
    ? undefined
    : { good: { origin, spec } };
}

function isGood({ good }: Recorded, origin: string, spec: BotSpec): boolean {
  if (good === undefined || good.origin !== origin) return false;
  return isSameSpec(good.spec, spec);
}

function earliest(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined ? b : b === undefined ? a : Math.min(a, b);
}
