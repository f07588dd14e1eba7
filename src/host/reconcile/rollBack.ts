import { isSameSpec } from '../bots/isSameSpec.ts';
import { endAll } from './endAll.ts';
import { without } from './recorded.ts';
import type { Rollback } from './rollbacks.ts';
import type { SeenPresent } from './situation.ts';
import { because, record, type Step, step, wait } from './step.ts';

/** A source that does not show what was written to it is not waited for any longer. */
const SHOWN_WITHIN_MS = 30_000;

/**
 * An older snapshot with the specification of its time: everything of the bot is ended in order, the snapshot is published anew, the
 * specification is written to the source and seen there, and only then is the bot started. Each step is recorded once it is done and
 * may be repeated; what cannot be done is given up by the first one, with nothing changed.
 */
export function rollBack(seen: SeenPresent, rollback: Rollback): Step {
  const { instances, recorded, wanted, now } = seen;
  const { sequence, spec, published, writtenAt } = rollback;
  const ready = because('RollingBack', `its state is rolled back to snapshot ${sequence}`);
  const ending = endAll(seen, 'its state is rolled back');
  const isLive = instances.some(({ state }) => state === 'running' || state === 'leaving');
  if (isLive || ending.action.type !== 'nothing') return { ...ending, ready };
  if (recorded.held?.reason === 'Fenced')
    return record(without(recorded, 'rollback'), ready, {
      type: 'failed',
      message: 'not rolled back: another instance has taken over',
      facts: { sequence },
    });
  if (published === undefined)
    return step({ type: 'publish-again', rollback }, ready, {
      write: { ...recorded, rollback: { ...rollback, published: true } },
    });
  if (spec !== undefined && writtenAt === undefined)
    return step({ type: 'want', spec }, ready, {
      write: { ...recorded, rollback: { ...rollback, writtenAt: now } },
    });
  if (spec !== undefined && writtenAt !== undefined && !isSameSpec(wanted.spec, spec)) {
    const until = writtenAt + SHOWN_WITHIN_MS;
    if (now < until) return wait(ready, until);
  }
  const done = { ...without(recorded, 'rollback', 'held', 'retryAt'), failures: 0 };
  return record(done, ready, {
    type: 'rolled-back',
    message: `snapshot ${sequence} of its state is the newest again`,
    facts: { sequence },
  });
}
