import { SANDBOX_STATUSES, type SandboxStatus } from '../../../host/sandboxes/sandboxes.ts';
import { invalid } from '../http/httpError.ts';

const USUAL_PAGE = 100;
export const MOST_PAGE = 1000;

/** Which of a list: `?status=&limit=&offset=`. */
export interface Page {
  /** None: all. */
  readonly statuses: readonly SandboxStatus[];
  readonly limit: number;
  readonly offset: number;
}

/** Throws 400. */
export function readPage(query: URLSearchParams): Page {
  const statuses = query.getAll('status').flatMap((text) => text.split(','));
  // Some say so of what is gone here: there are none.
  const known: readonly string[] = [...SANDBOX_STATUSES, 'deleted'];
  const wrong = statuses.filter((status) => !known.includes(status));
  if (wrong.length > 0) throw invalid({ status: `expected ${SANDBOX_STATUSES.join(', ')}` });
  return {
    statuses: statuses as SandboxStatus[],
    limit: numberOf(query, 'limit', USUAL_PAGE, MOST_PAGE),
    offset: numberOf(query, 'offset', 0, 2 ** 31),
  };
}

function numberOf(query: URLSearchParams, name: string, usual: number, most: number): number {
  const text = query.get(name);
  if (text === null || text === '') return usual;
  if (!/^\d{1,10}$/.test(text)) throw invalid({ [name]: 'expected a whole number' });
  return Math.min(Number(text), most);
}
