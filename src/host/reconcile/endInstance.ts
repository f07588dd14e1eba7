import type { Instance } from '../engine/engine.ts';
import type { Seen } from './situation.ts';
import { because, record, type Step, step, wait } from './step.ts';

/** For a bot of which nothing is known any more. */
const USUAL_GRACE_MS = 30_000;
/** The agent ends its bot within the bot's grace; the engine's own margin comes on top. */
const MARGIN_MS = 5_000;
const KILL_AGAIN_MS = 5_000;

/**
 * The next step of ending an instance in order: write down that it is being stopped, SIGTERM once, SIGKILL when its time is up.
 * The time counts from the first request, however often the host is killed meanwhile.
 */
export function endInstance(seen: Seen, instance: Instance, why: string): Step {
  const { recorded, now } = seen;
  const ready = because('Stopping', `being stopped: ${why}`);
  if (instance.state === 'created') return step({ type: 'remove', name: instance.name }, ready);
  if (instance.state === 'leaving') return wait(ready, now + 1_000);
  const stopping = recorded.stopping?.id === instance.id ? recorded.stopping : undefined;
  if (stopping === undefined) {
    const graceMs = grace(seen);
    const begun = { id: instance.id, since: now, graceMs, asked: false, why };
    return record({ ...recorded, stopping: begun }, ready, {
      type: 'stopping',
      message: `${instance.name} is being stopped: ${why}`,
      facts: { instance: instance.name, graceMs },
    });
  }
  // The clock was set back: its time begins anew.
  if (now < stopping.since) return record({ ...recorded, stopping: { ...stopping, since: now } }, ready);
  const killAt = stopping.since + stopping.graceMs + MARGIN_MS;
  if (!stopping.asked) {
    const write = { ...recorded, stopping: { ...stopping, asked: true } };
    return step({ type: 'stop', name: instance.name, graceMs: stopping.graceMs }, ready, { write });
  }
  if (now < killAt) return wait(ready, killAt);
  return step({ type: 'kill', name: instance.name }, ready, { lookAt: now + KILL_AGAIN_MS });
}

function grace({ wanted, recorded }: Seen): number {
  const spec = wanted.type === 'present' ? wanted.spec : recorded.current?.spec;
  return spec?.stopTimeoutMs ?? USUAL_GRACE_MS;
}
