import { HttpError } from './httpError.ts';

/** `who` has all of these that it may: "the key ci has 100 snapshots". Throws 429. */
export function refuseMore(who: string, quotaType: string, current: number, limit: number): void {
  if (current < limit) return;
  throw new HttpError(429, 'QUOTA_EXCEEDED', `${who} ${current} ${quotaType}, of ${limit}; delete one`, {
    quotaType,
    current,
    limit,
  });
}
