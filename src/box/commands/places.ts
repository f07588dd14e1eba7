import { BoxError } from '../http/boxError.ts';

export type Place = <T>(work: () => Promise<T>) => Promise<T>;

/** So many at a time; one more is a 429. */
export function createPlaces(most: number, what: string): Place {
  let taken = 0;
  return async (work) => {
    if (taken >= most) {
      const facts = { quotaType: what, current: taken, limit: most, retryAfter: 1, retryAfterMs: 1000 };
      throw new BoxError(
        429,
        'QUOTA_EXCEEDED',
        `${taken} ${what} run at a time, which is as many as may`,
        facts,
      );
    }
    taken += 1;
    try {
      return await work();
    } finally {
      taken -= 1;
    }
  };
}
