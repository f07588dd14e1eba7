import type { IncomingMessage } from 'node:http';
import type { Policy, Rules } from '../../../host/sandboxes/policy/policy.ts';
import { HttpError, refusedFor } from '../http/httpError.ts';
import type { Route } from '../http/route.ts';
import { type Authenticate, nobody } from './access.ts';
import { HOP_HEADER } from './onBehalf.ts';

export type RateKind = keyof Rules['rates'];

/** What a call counts as. */
function rateKind({ method, path }: Pick<Route, 'method' | 'path'>): RateKind {
  if (/^\/(sidecar\/:id|v1\/sandboxes\/:id\/runtime)\//.test(path)) return 'calls';
  return method === 'GET' ? 'reads' : 'writes';
}

/** Per minute and address: a key has 256 random bits, so this spares the machine, not the key. */
const FAILURES = 60;

/** As often as the policy of the key says. Throws 429. */
export function rateLimited(authenticate: Authenticate, policy: Policy, now: () => number): Authenticate {
  const limit = new RateLimit(now);
  return (found, request) => {
    try {
      const caller = authenticate(found, request);
      const isGuess = request.headers[HOP_HEADER] !== undefined && !caller.isSentOn;
      if (isGuess) limit.take(addressOf(request), 'calls without a key', FAILURES);
      // Whoever asks for what is open, or for a sandbox whose own host will count it.
      if (caller.name === nobody.name) return caller;
      const kind = rateKind(found.route);
      limit.take(caller.name, kind, policy.rulesOf(caller.name).rates[kind]);
      return caller;
    } catch (error) {
      const isRefused = error instanceof HttpError && error.status !== 429;
      if (isRefused) limit.take(addressOf(request), 'calls without a key', FAILURES);
      throw error;
    }
  };
}

const addressOf = ({ socket }: IncomingMessage) => socket.remoteAddress ?? '';

interface Bucket {
  left: number;
  at: number;
}

const MINUTE_MS = 60_000;
const MOST_BUCKETS = 10_000;

/** Token buckets: as many as there are per minute at once, and one again for each part of the minute. */
export class RateLimit {
  readonly #buckets = new Map<string, Bucket>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Takes one of `perMinute`. Throws 429 with the time until there is one. */
  take(who: string, kind: string, perMinute: number): void {
    const key = `${kind} ${who}`;
    const now = this.#now();
    const bucket = this.#buckets.get(key) ?? { left: perMinute, at: now };
    const left = Math.min(perMinute, bucket.left + ((now - bucket.at) / MINUTE_MS) * perMinute);
    // Set anew so that the first of the map is the one that has been quiet for the longest.
    this.#buckets.delete(key);
    this.#buckets.set(key, { left: left >= 1 ? left - 1 : left, at: now });
    if (this.#buckets.size > MOST_BUCKETS) this.#buckets.delete(this.#buckets.keys().next().value!);
    if (left >= 1) return;
    const seconds = Math.max(1, Math.ceil(((1 - left) * MINUTE_MS) / perMinute / 1000));
    const why = `more than ${perMinute} ${kind} per minute; again in ${seconds} s`;
    throw refusedFor(seconds, 429, 'RATE_LIMITED', why, {
      quotaType: kind,
      current: perMinute,
      limit: perMinute,
      retryAfterMs: seconds * 1000,
    });
  }
}
