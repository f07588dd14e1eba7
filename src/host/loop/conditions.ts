import type { Condition, NewCondition } from '../journal/condition.ts';

/** The conditions that hold now, each with since when it has held. */
export function updated(
  before: readonly Condition[],
  now: number,
  next: readonly NewCondition[],
): Condition[] {
  return next.map((condition) => {
    const old = before.find(({ type }) => type === condition.type);
    const isSame = old?.status === condition.status && old.reason === condition.reason;
    return { ...condition, since: isSame ? old.since : now };
  });
}
