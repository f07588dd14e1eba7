import { growingWait } from '../../base/growingWait.ts';
import type { RestartPolicy } from '../bots/botSpec.ts';
import type { Instance } from '../engine/engine.ts';
import { type HeldReason, type Recorded, without } from './recorded.ts';
import type { StepEvent } from './step.ts';

/** Nothing gets better by trying again with the same bot: damaged, missing, refused, misconfigured, not executable, not found. */
const needsChange = new Set([65, 66, 77, 78, 126, 127]);
/** The store did not answer, or the state could not be saved: the bot has done nothing wrong. */
const storeAway = new Set([69, 74]);
const FENCED = 75;
const SOON_LONGEST_MS = 30_000;
const TAKEN_SOON_MS = 30_000;

/** Writes the end of a realtime bot's instance down: what it means for when, and whether, the next one is started. */
export function countEnd(
  recorded: Recorded,
  instance: Instance,
  restart: RestartPolicy,
  now: number,
  /** By somebody else than the host. */
  toldToEnd = false,
): { readonly write: Recorded; readonly events: readonly StepEvent[] } {
  const at = instance.endedAt ?? now;
  const asked = recorded.stopping?.id === instance.id;
  const why = asked ? recorded.stopping?.why : toldToEnd ? 'not by this host' : undefined;
  const reason = reasonOf(instance, why);
  const ended = { id: instance.id, at, exitCode: instance.exitCode, reason };
  const base = { ...without(recorded, 'stopping', 'retryAt', 'held'), ended };
  const facts = {
    instance: instance.name,
    ...(instance.exitCode === undefined ? {} : { exit: instance.exitCode }),
  };
  const event: StepEvent = { type: 'ended', message: `${instance.name} ended: ${reason}`, facts };

  // Fenced stays so even where a stop had been asked for: the other instance is still there.
  if (instance.exitCode === FENCED)
    return held(base, instance, 'Fenced', 'another instance has taken over', event);
  const taken = instance.takenAway !== undefined;
  if (asked || (instance.exitCode === undefined && !taken)) return { write: base, events: [event] };
  const ranMs = at - (instance.startedAt ?? at);
  // What the engine took away, or was told to end with, has done nothing wrong, whatever it said when it was told to go; but an engine that
  // takes each one away as soon as it is there is not asked without a pause.
  const isSpared = taken || (toldToEnd && restart.policy !== 'never');
  if (isSpared && ranMs >= TAKEN_SOON_MS) return { write: base, events: [event] };
  if (instance.exitCode === undefined || taken) return later(recorded, restart, { base, now, ranMs, event });
  if (needsChange.has(instance.exitCode))
    return held(base, instance, 'NeedsChange', `${reason}; it waits for a change`, event);
  if (restart.policy === 'never') return held(base, instance, 'NeverRestarted', reason, event);
  if (instance.exitCode === 0 && restart.policy === 'on-failure' && !toldToEnd)
    return held(base, instance, 'Completed', 'it has ended by itself with 0', event);

  return later(recorded, restart, { base, now, ranMs, event }, storeAway.has(instance.exitCode));
}

/** Started again after a pause, which grows with each failure, from when it is seen: the clock that says when it ended may be another's. */
function later(
  recorded: Recorded,
  restart: RestartPolicy,
  { base, now, ranMs, event }: { base: Recorded; now: number; ranMs: number; event: StepEvent },
  soon = false,
) {
  const failures = (ranMs >= restart.resetMs ? 0 : recorded.failures) + 1;
  const longestMs = soon ? Math.min(SOON_LONGEST_MS, restart.longestMs) : restart.longestMs;
  const pauseMs = growingWait({ firstMs: restart.firstMs, longestMs }, failures);
  return { write: { ...base, failures, retryAt: now + pauseMs }, events: [event] };
}

function held(base: Recorded, instance: Instance, reason: HeldReason, message: string, event: StepEvent) {
  const write = { ...base, held: { hash: instance.hash, reason, message } };
  const type = reason === 'Fenced' ? 'fenced' : 'held';
  const facts = { instance: instance.name, reason };
  return { write, events: [event, { type, message: `not started again: ${message}`, facts } as const] };
}

export function reasonOf(instance: Instance, stopped: string | undefined): string {
  if (instance.exitCode === undefined)
    return instance.takenAway === undefined ? 'lost by the engine' : `taken away: ${instance.takenAway}`;
  const code = `exit code ${instance.exitCode}`;
  if (instance.outOfMemory) return `out of memory (${code})`;
  if (stopped === undefined && instance.takenAway !== undefined)
    return `${code}, taken away: ${instance.takenAway}`;
  return stopped === undefined ? code : `${code}, after a stop: ${stopped}`;
}
