import { systemCode } from '../../../base/errors.ts';

/** `taken`; `refused`: this will never be taken; else why not now. */
export type Told = { readonly type: 'taken' | 'refused' } | { readonly type: 'later'; readonly why: string };

export interface Receiver {
  readonly url: string;
  readonly token: string | undefined;
}

const TIMEOUT_MS = 10_000;

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
    const isFinal = status >= 400 && status < 500 && status !== 408 && status !== 429;
    return isFinal ? { type: 'refused' } : { type: 'later', why: `the receiver answered ${status}` };
  } catch (error) {
    signal.throwIfAborted();
    const cause = (error as Error).cause;
    return { type: 'later', why: systemCode(cause) ?? (error as Error).message };
  }
}
