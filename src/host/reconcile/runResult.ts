import type { Instance } from '../engine/engine.ts';
import { reasonOf } from './countEnd.ts';
import { type Claim, type Recorded, type RunResult, without } from './recorded.ts';
import type { Seen } from './situation.ts';
import { because, record, type Step } from './step.ts';

/** Writes down how the claimed run went; without an instance, that it is lost, and why. It is never claimed again. */
export function finishRun(
  { recorded }: Pick<Seen, 'recorded'>,
  claim: Claim,
  instance: Instance | undefined,
  gone = 'its instance is gone',
): Step {
  const time = new Date(claim.time).toISOString();
  // Never started is lost as well: the reader of events cannot tell the difference, and need not.
  const exitCode = instance?.startedAt === undefined ? undefined : instance.exitCode;
  const outcome = exitCode === undefined ? 'lost' : exitCode === 0 ? 'done' : 'failed';
  const lastRun: RunResult = {
    time: claim.time,
    outcome,
    startedAt: instance?.startedAt,
    endedAt: instance?.endedAt,
    exitCode,
  };
  const why = instance === undefined ? gone : reasonOf(instance, stopReason(recorded, instance));
  const write = { ...without(recorded, 'claim', 'stopping'), lastRun };
  return record(write, because('Ended', `the run of ${time} ended: ${why}`), {
    type: outcome === 'lost' ? 'lost' : 'ended',
    message: `the run of ${time} ${outcome === 'lost' ? 'is lost' : 'ended'}: ${why}`,
    facts: { time: claim.time, outcome, ...(exitCode === undefined ? {} : { exit: exitCode }) },
  });
}

function stopReason(recorded: Recorded, instance: Instance): string | undefined {
  return recorded.stopping?.id === instance.id ? recorded.stopping.why : undefined;
}
