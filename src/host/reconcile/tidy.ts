import { names } from '../bots/names.ts';
import type { Instance } from '../engine/engine.ts';
import type { Seen } from './situation.ts';
import { because, type Step, step, wait } from './step.ts';

const KEPT = 3;
const KEPT_FOR_MS = 3_600_000;

/** Instances that have ended and are written down stay for their logs: the last three, for an hour. */
export function tidy({ bot, instances, recorded, wanted, now }: Seen): Step {
  const ready = because('', '');
  // Whoever takes a sandbox away wants nothing of it left.
  const isTakenAway = wanted.type === 'absent' && recorded.current?.spec.sandbox !== undefined;
  const isCurrent = (one: Instance) =>
    one.name === names.bot(bot) || (one.run !== undefined && one.run === recorded.claim?.time);
  const old = instances
    .filter((one) => !isCurrent(one) && (one.state === 'ended' || one.state === 'created'))
    .sort((a, b) => endOf(b) - endOf(a));
  const gone = old.find(
    (one, index) =>
      isTakenAway ||
      one.state === 'created' ||
      index >= KEPT ||
      now >= endOf(one) + KEPT_FOR_MS ||
      // It only waits for us.
      one.takenAway !== undefined,
  );
  if (gone !== undefined) return step({ type: 'remove', name: gone.name }, ready);
  const oldest = old.at(-1);
  return wait(ready, oldest && endOf(oldest) + KEPT_FOR_MS);
}

function endOf(instance: Instance): number {
  return instance.endedAt ?? instance.createdAt;
}
