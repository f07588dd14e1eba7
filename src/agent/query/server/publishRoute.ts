import { asRuntimeError } from '../../../base/errors.ts';
import type { Secret } from '../../../base/secret.ts';
import { respond, respondError } from '../../../bot/answers/respond.ts';
import { tokenCheck } from '../../../bot/answers/tokenCheck.ts';
import type { SavedNow } from '../../../bot/sync/syncOptions.ts';
import type { Handler } from './handleQuery.ts';

/**
 * `POST /_runtime/publish`: 200 with the sequence of the snapshot that holds the state as it was when this was asked, or later; 503 and
 * why it is not saved. However many ask, one publish runs and one waits, which all who come meanwhile share.
 */
export function publishRoute(token: Secret, publish: () => Promise<SavedNow>): Handler {
  const isAllowed = tokenCheck(token);
  let running: Promise<unknown> = Promise.resolve();
  let next: Promise<SavedNow> | undefined;

  // One that runs may have looked at the files already.
  const share = () => {
    next ??= running.then(() => {
      next = undefined;
      const mine = publish();
      running = mine.catch(() => undefined);
      return mine;
    });
    return next;
  };

  return async (request, response) => {
    request.resume();
    if (!isAllowed(request.headers.authorization)) {
      return respondError(response, 401, 'a bearer token is required', { 'www-authenticate': 'Bearer' });
    }
    if (request.method !== 'POST') {
      return respondError(response, 405, '/_runtime/publish takes a POST', { allow: 'POST' });
    }
    // It takes as long as bytes move.
    response.setTimeout(0);
    const { sequence, reason } = await share().catch((error: unknown) => ({
      sequence: 0,
      reason: asRuntimeError(error).message,
    }));
    if (reason !== undefined) {
      return respondError(response, 503, `the state is not saved: ${reason}`, { 'retry-after': '1' });
    }
    respond(response, 200, Buffer.from(JSON.stringify({ status: 'ok', data: { sequence } })));
  };
}
