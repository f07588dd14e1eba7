import { names } from '../bots/names.ts';
import type { Instance } from '../engine/engine.ts';
import { countEnd } from './countEnd.ts';
import { endInstance } from './endInstance.ts';
import { without } from './recorded.ts';
import { finishRun } from './runResult.ts';
import type { Seen } from './situation.ts';
import { because, record, type Step, step, wait } from './step.ts';

const never = { policy: 'on-failure', firstMs: 1_000, longestMs: 300_000, resetMs: 600_000 } as const;

/** Everything of the bot is stopped in order and written down; nothing is started. */
export function endAll(seen: Seen, why: string): Step {
  const { bot, instances, recorded, wanted } = seen;
  const run = instances.find((one) => one.run !== undefined && one.run === recorded.claim?.time);
  // A run that has been given out and not begun is still to be run, once the drain is over.
  const keepsRun =
    wanted.type === 'present' && (run?.state === 'created' || (!run && !recorded.claim?.created));
  const live = instances.find((one) => one.state !== 'ended' && !(one === run && keepsRun));
  if (live !== undefined) return endInstance(seen, live, why);
  if (recorded.claim !== undefined && !keepsRun) return finishRun(seen, recorded.claim, run);
  const instance = instances.find((one) => one.name === names.bot(bot));
  if (instance !== undefined) return afterEnd(seen, instance);
  const ready = because(whyNot(seen), `not running: ${why}`);
  if (recorded.stopping !== undefined) return record(without(recorded, 'stopping'), ready);
  if (wanted.type === 'absent' && instances.length === 0) return step({ type: 'forget' }, ready);
  return wait(ready);
}

function whyNot({ wanted, recorded }: Seen): string {
  if (wanted.type === 'absent') return 'NotWanted';
  // It would not run without the drain either, so another host may have it meanwhile.
  if (wanted.type === 'present' && !wanted.spec.enabled && recorded.claim === undefined) return 'Disabled';
  return 'Draining';
}

function afterEnd(seen: Seen, instance: Instance): Step {
  const { bot, recorded, now } = seen;
  const ready = because('Ended', 'ended');
  if (recorded.ended?.id !== instance.id) {
    const { write, events } = countEnd(
      recorded,
      instance,
      recorded.current?.spec.restart ?? never,
      now,
      seen.toldToEnd,
    );
    return record(write, ready, ...events);
  }
  return step({ type: 'retire', name: instance.name, to: names.ended(bot, instance.endedAt ?? now) }, ready);
}
