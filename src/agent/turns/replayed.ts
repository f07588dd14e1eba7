import type { TurnBook } from './book.ts';
import type { Keyed } from './entry.ts';
import { Refusal } from './refusal.ts';

/**
 * What was made for a request that came before with this key; undefined: none came. 409 where it was another request, or where what
 * was made for it is gone; `gone` says so of its id.
 */
export function replayed<T>(
  book: TurnBook,
  keyed: Keyed | undefined,
  now: number,
  find: (id: string) => T | undefined,
  gone: string,
): T | undefined {
  const known = keyed && book.lookUp(keyed, now);
  if (known === undefined || known.type === 'unknown') return undefined;
  if (known.type === 'conflict') throw conflict('this Idempotency-Key came with another request before');
  const found = find(known.id);
  if (found === undefined) throw conflict(`this Idempotency-Key was that of ${known.id}, ${gone}`);
  return found;
}

function conflict(message: string): Refusal {
  return new Refusal(409, 'idempotency_conflict', message);
}
