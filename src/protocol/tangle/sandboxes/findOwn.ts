import type { Sandbox, Sandboxes, SandboxStatus } from '../../../host/sandboxes/sandboxes.ts';
import { owns } from '../access/caller.ts';
import { HttpError, notFound } from '../http/httpError.ts';
import type { Call } from '../http/route.ts';

/** The sandbox that the path names (`:id`), if it is the caller's. Throws 404. */
export function findOwn(sandboxes: Sandboxes, { params, caller }: Call): Sandbox {
  const id = params.id ?? '';
  const found = sandboxes.find(id);
  if (found === undefined || !owns(caller, found)) throw notFound('sandbox', id);
  return found;
}

/** Throws 409 where it has another status. */
export function mustBe(sandbox: Sandbox, ...statuses: readonly SandboxStatus[]): void {
  if (statuses.includes(sandbox.status)) return;
  const required = statuses.join(' or ');
  throw new HttpError(
    409,
    'INVALID_STATE',
    `sandbox ${sandbox.id} is ${sandbox.status}, and must be ${required}`,
    { currentState: sandbox.status, requiredState: required },
  );
}
