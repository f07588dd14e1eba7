import { whyFetchFailed } from '../../../base/whyFetchFailed.ts';
import { FOR_HEADER, HOP_HEADER, ORIGIN_HEADER } from '../access/onBehalf.ts';
import { HttpError } from '../http/httpError.ts';
import type { Answer, Call } from '../http/route.ts';
import type { Member } from './hostsFile.ts';

const PATIENCE_MS = 25_000;

export interface Asked {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: unknown;
  /** As this server, not for the caller. */
  readonly asItself?: boolean;
}

/** One call of the API there; its answer, whatever its status. Throws 502. */
export async function askMember(
  { name, url, key }: Member,
  { caller, origin, signal }: Pick<Call, 'caller' | 'origin' | 'signal'>,
  { method, path, body, asItself = false }: Asked,
): Promise<Answer & { readonly status: number }> {
  try {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${key.reveal()}`,
        ...(asItself ? {} : { [FOR_HEADER]: caller.name }),
        [ORIGIN_HEADER]: origin,
        [HOP_HEADER]: key.reveal(),
        'content-type': 'application/json',
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      redirect: 'error',
      signal: AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]),
    });
    const retry = response.headers.get('retry-after');
    const headers = retry === null ? {} : { 'retry-after': retry };
    return { status: response.status, body: await response.json(), headers };
  } catch (error) {
    throw new HttpError(502, 'HOST_UNREACHABLE', `host ${name} does not answer (${whyFetchFailed(error)})`);
  }
}
