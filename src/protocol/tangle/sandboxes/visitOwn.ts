import type { Sandbox, Sandboxes } from '../../../host/sandboxes/sandboxes.ts';
import { type Caller, owns } from '../access/caller.ts';
import type { Pool } from '../hosts/pool.ts';
import { forbidden, HttpError, invalid, notFound } from '../http/httpError.ts';

/**
 * The caller's sandbox of this id, also one that no host has. `takeFrom`: also where that host has it. Throws 404, and 421 with the name of
 * the host that has it.
 */
export async function visitOwn(
  sandboxes: Sandboxes,
  caller: Caller,
  id: string,
  takeFrom?: string,
): Promise<Sandbox> {
  const visited = await sandboxes.visit(id, takeFrom);
  if (typeof visited === 'object') {
    if (!owns(caller, visited)) throw notFound('sandbox', id);
    throw new HttpError(
      421,
      'OTHER_HOST',
      `host ${visited.host} has sandbox ${id}: ask there. Only when that host is gone for good, resume it with {"takeFrom":"${visited.host}"} and a key with the scope admin`,
      { host: visited.host },
    );
  }
  const found = sandboxes.find(id);
  if (found === undefined || !owns(caller, found)) throw notFound('sandbox', id);
  return found;
}

/** This host has it. */
export function hasOwn(sandboxes: Pick<Sandboxes, 'find'>, id: string): boolean {
  const found = sandboxes.find(id);
  return found !== undefined && found.isVisiting !== true;
}

/**
 * `takeFrom` of a body: the host that whoever may do everything knows to be gone for good, by its own name or by the one that it has here. As
 * records name it. Throws 400 and 403.
 */
export function takeFromOf(
  body: Readonly<Record<string, unknown>>,
  caller: Caller,
  pool: Pick<Pool, 'idOf'> | undefined,
): string | undefined {
  const { takeFrom } = body;
  if (takeFrom === undefined || takeFrom === null) return undefined;
  if (typeof takeFrom !== 'string' || !/^[A-Za-z0-9._-]{1,64}$/.test(takeFrom))
    throw invalid({ takeFrom: 'expected the name of a host' });
  if (!caller.scopes.has('admin')) throw forbidden(caller, 'admin');
  return pool?.idOf(takeFrom) ?? takeFrom;
}
