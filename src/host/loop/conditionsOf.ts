import type { RuntimeError } from '../../base/errors.ts';
import type { NewCondition } from '../journal/condition.ts';
import type { Situation } from '../reconcile/situation.ts';
import type { GateKeepers } from './gates.ts';
import type { Work } from './work.ts';

/** What is true of a bot now, in the words of the contract. */
export function conditionsOf(
  { bot, wanted, recorded, now }: Omit<Situation, 'gates'>,
  { ready, error }: Pick<Work, 'ready' | 'error'>,
  { diskUse, owners }: Pick<GateKeepers, 'diskUse' | 'owners'>,
): NewCondition[] {
  const conditions: NewCondition[] = [];
  const add = (
    type: NewCondition['type'],
    status: NewCondition['status'],
    reason: string,
    message: string,
  ): void => void conditions.push({ type, status, reason, message });

  if (ready === undefined) add('Ready', 'unknown', 'NotLookedAt', 'the host has not looked at it yet');
  else add('Ready', ready.status, ready.reason, ready.message);
  const problems = wanted.type === 'invalid' || wanted.type === 'present' ? wanted.problems : undefined;
  if (problems !== undefined) add('Valid', false, 'Invalid', problems.join('; '));
  if (wanted.type === 'present') {
    const { hash, schedule, spec } = wanted;
    const isMissing = hash === undefined && error !== undefined;
    add(
      'CodeAvailable',
      isMissing ? false : hash === undefined ? 'unknown' : true,
      isMissing ? 'NotFetched' : hash === undefined ? 'NotFetchedYet' : 'Fetched',
      isMissing ? describe(error) : spec.code.file,
    );
    if (schedule !== undefined) {
      const next = spec.enabled ? schedule.next(recorded.schedule?.from ?? now) : undefined;
      const message = next === undefined ? 'no time to come' : `next ${new Date(next).toISOString()}`;
      add('Scheduled', next !== undefined, next === undefined ? 'NoNextTime' : 'Next', message);
    }
  }
  const limit = wanted.type === 'present' ? wanted.spec.resources.diskBytes : undefined;
  const overDisk = diskUse.over(bot, limit);
  const owner = owners?.of(bot);
  if (recorded.held?.reason === 'Fenced') add('Fenced', true, 'Fenced', recorded.held.message);
  else if (owner?.type === 'elsewhere') add('Fenced', true, 'HeldElsewhere', owner.message);
  if (error !== undefined) add('Degraded', true, reasonOf(error), describe(error));
  else if (owner?.type === 'asking' && owner.why !== undefined)
    add('Degraded', true, 'OwnersUnknown', owner.why);
  else if (overDisk !== undefined) add('Degraded', true, 'DiskOverLimit', overDisk);
  else if (wanted.type === 'present' && problems !== undefined)
    add('Degraded', true, 'Invalid', `the last good specification holds: ${problems.join('; ')}`);
  else if (recorded.failures > 0)
    add(
      'Degraded',
      true,
      'Failing',
      `${recorded.failures} failed ends in a row: ${recorded.ended?.reason ?? ''}`,
    );
  return conditions;
}

function describe({ message, hint }: RuntimeError): string {
  return hint === undefined ? message : `${message}. ${hint}`;
}

/** `not-found` → `NotFound` */
function reasonOf({ code }: RuntimeError): string {
  return code.replace(/(?:^|-)(.)/g, (_, letter: string) => letter.toUpperCase());
}
