import { whyFetchFailed } from '../../../base/whyFetchFailed.ts';

/** `taken`; `refused`: this will never be taken; else why not now. */
export type Told = { readonly type: 'taken' | 'refused' } | { readonly type: 'later'; readonly why: string };

export interface Receiver {
  readonly url: string;
  readonly token: string | undefined;
}

const TIMEOUT_MS = 10_000;

/** Of the 4xx, what says nothing about the events: who we are (401, 403), how fast (408, 429). A wrong token must lose nothing. */
const NOT_OF_EVENTS: ReadonlySet<number> = new Set([401, 403, 408, 429]);

/** Tells the receiver of these events. Never throws, except with the signal's reason. */
export async function tell(
  { url, token }: Receiver,
  events: readonly object[],
  signal: AbortSignal,
): Promise<Told> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify({ events }),
      redirect: 'error',
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    });
    await response.body?.cancel();
    const { status, ok } = response;
    if (ok) return { type: 'taken' };
    const isFinal = status >= 400 && status < 500 && !NOT_OF_EVENTS.has(status);
    return isFinal ? { type: 'refused' } : { type: 'later', why: `the receiver answered ${status}` };
  } catch (error) {
    signal.throwIfAborted();
    return { type: 'later', why: whyFetchFailed(error) };
  }
}
