import { createHmac, randomUUID } from 'node:crypto';
import type { Clock } from '../../../base/clock.ts';
import { growingWait } from '../../../base/growingWait.ts';
import type { Logger } from '../../../base/log.ts';
import { whyFetchFailed } from '../../../base/whyFetchFailed.ts';
import type { Amounts } from '../../../host/sandboxes/placement/amounts.ts';
import type { HostsFile } from './hostsFile.ts';

/** After one request nothing more is asked for as long: a machine takes its time. */
const COOL_DOWN_MS = 300_000;
const TRIES = 4;
const WAITS = { firstMs: 2_000, longestMs: 8_000 };
const PATIENCE_MS = 10_000;

/** Asks for another machine, in the background; what it returns ends with the request or its tries, for tests. */
export type AskForHost = (need: Amounts, reason: string) => Promise<void>;

/**
 * `POST {need, reason, deadline, idempotencyKey}` with `x-runtime-timestamp` (seconds) and `x-runtime-signature: v1=HMAC-SHA256 of
 * "TIMESTAMP.BODY"`, hex. Tried again with the same key: whoever gets two has got one.
 */
export function hostAsker(
  webhook: HostsFile['webhook'],
  clock: Clock,
  log: Logger,
  signal: AbortSignal,
): AskForHost {
  let askedAt = Number.NEGATIVE_INFINITY;
  return async (need, reason) => {
    if (webhook === undefined || clock.now() - askedAt < COOL_DOWN_MS) return;
    askedAt = clock.now();
    const deadline = new Date(clock.now() + COOL_DOWN_MS).toISOString();
    const body = JSON.stringify({ need, reason, deadline, idempotencyKey: randomUUID() });
    for (let attempt = 0; attempt < TRIES && !signal.aborted; attempt++) {
      if (attempt > 0) await clock.sleep(growingWait(WAITS, attempt), signal).catch(() => undefined);
      const timestamp = String(Math.floor(clock.now() / 1000));
      const mac = createHmac('sha256', webhook.secret.reveal()).update(`${timestamp}.${body}`).digest('hex');
      try {
        const { status } = await fetch(webhook.url, {
          method: 'POST',
          headers: {
            'content-type': 'application/json',
            'x-runtime-timestamp': timestamp,
            'x-runtime-signature': `v1=${mac}`,
          },
          body,
          redirect: 'error',
          signal: AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]),
        });
        if (status < 300) return log.info('asked for another host', { reason });
        log.warn('the webhook for another host refuses', { status });
      } catch (error) {
        log.warn('the webhook for another host does not answer', { error: whyFetchFailed(error) });
      }
    }
  };
}
