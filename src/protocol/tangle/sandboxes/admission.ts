import type { Capacity } from '../../../host/sandboxes/placement/capacity.ts';
import { NoRoom } from '../../../host/sandboxes/placement/capacity.ts';
import { evaluate } from '../../../host/sandboxes/policy/evaluate.ts';
import type { Policy, PolicyRequest, Rules, Violation } from '../../../host/sandboxes/policy/policy.ts';
import { HttpError, refusedFor } from '../http/httpError.ts';

/** What there is to place a sandbox on. */
export interface Ground {
  readonly policy: Policy;
  readonly capacity: Capacity;
  /** Whether its engine holds a sandbox's network to what was said; else only the whole internet can be promised. */
  readonly holdsEgress: boolean;
}

/** Seconds: what is full now may have room when somebody has stopped one. */
const RETRY_AFTER = 30;

/** Everything that is wrong with a request of this key. */
export function violationsOf(ground: Ground, key: string, request: PolicyRequest): Violation[] {
  const rules = ground.policy.rulesOf(key);
  const drivers = new Set(ground.capacity.hosts().map(({ driver }) => driver));
  const providers = rules.providers.filter((name) => drivers.has(name));
  return evaluate(
    { ...request, unenforceable: [...request.unenforceable, ...notHeld(ground, request, rules)] },
    {
      ...rules,
      providers,
    },
  );
}

/** What is asked for and would only be claimed. */
function notHeld({ holdsEgress }: Ground, { egress }: PolicyRequest, rules: Rules): string[] {
  if (holdsEgress || (egress ?? rules.egress) === 'internet') return [];
  return ['the network of sandboxes is one of the engine (--network), and nothing holds what leaves it'];
}

/** Throws 403 with all of them, the same that `GET /v1/ready` shows. */
export function refuse(violations: readonly Violation[]): void {
  if (violations.length === 0) return;
  throw new HttpError(403, 'POLICY_DENIED', violations.map(({ message }) => message).join('; '), {
    violations,
  });
}

/** No room, as a client reads it: of a 503 its message alone. */
export function asShortage(error: unknown): unknown {
  if (!(error instanceof NoRoom)) return error;
  const why = `${error.message}; try again in ${RETRY_AFTER} s`;
  return refusedFor(RETRY_AFTER, 503, 'NO_CAPACITY', why, { short: error.short });
}
