import { isRuntimeError, RuntimeError } from '../../../base/errors.ts';
import { orAborted } from '../../../base/orAborted.ts';
import type { Secret } from '../../../base/secret.ts';
import type { ImageFacts, PullOptions } from '../engine.ts';
import type { DockerContext } from './dockerContext.ts';
import { pullProgress } from './pullProgress.ts';

/** A pull that has sent nothing for so long has died. Milliseconds. */
const PULL_IDLE_MS = 120_000;

export interface Images {
  /** What the reference means now: pulled when it is missing; one look and one pull for all who wait. */
  get(reference: string, signal: AbortSignal, pull?: PullOptions): Promise<ImageFacts>;
}

type Tell = (line: string) => void;

interface Finding {
  /** Told how far the pull is. */
  readonly listeners: Set<Tell>;
  found: Promise<ImageFacts>;
}

export function createImages({ client, log }: DockerContext, closed: AbortSignal): Images {
  const finding = new Map<string, Finding>();

  const inspect = async (reference: string): Promise<ImageFacts | undefined> => {
    const path = `/images/${reference.split('/').map(encodeURIComponent).join('/')}/json`;
    const request = {
      op: 'engine.image',
      subject: `image ${reference}`,
      method: 'GET',
      path,
      signal: closed,
    } as const;
    try {
      const { Id } = await client.call<{ readonly Id: string }>(request);
      return { id: Id };
    } catch (error) {
      if (isRuntimeError(error, 'not-found')) return undefined;
      throw error;
    }
  };

  const pull = async (reference: string, auth: Secret | undefined, tell: Tell): Promise<void> => {
    log.info('pulling an image', { image: reference });
    const query = { fromImage: hasTag(reference) ? reference : `${reference}:latest` };
    const headers = auth === undefined ? {} : { 'x-registry-auth': auth.reveal() };
    const request = {
      op: 'engine.pull',
      subject: 'the engine',
      method: 'POST',
      path: '/images/create',
      query,
      headers,
    } as const;
    const body = await client.stream({ ...request, timeoutMs: PULL_IDLE_MS, signal: closed });
    body.setTimeout(PULL_IDLE_MS, () => body.destroy(new Error(`no byte within ${PULL_IDLE_MS} ms`)));
    const progress = pullProgress(tell);
    let text = '';
    try {
      // A line of JSON for each step; a failure is in the last one, after a good status.
      for await (const chunk of body) {
        progress.push(chunk as Buffer);
        text = (text + chunk).slice(-16_384);
      }
    } catch (error) {
      throw new RuntimeError('unavailable', 'the pull broke off', { retryable: true, cause: error });
    }
    const failure = /"error":"((?:[^"\\]|\\.)*)"/.exec(text)?.[1];
    if (failure === undefined) return;
    throw new RuntimeError('unavailable', failure, { retryable: true });
  };

  const find = async (reference: string, auth: Secret | undefined, tell: Tell): Promise<ImageFacts> => {
    const here = await inspect(reference);
    if (here) return here;
    // An id is of an image that was here: no registry knows it.
    if (/^(sha256:)?[0-9a-f]{64}$/.test(reference))
      throw new RuntimeError('not-found', `image ${reference}: not on this machine`, { op: 'engine.image' });
    await pull(reference, auth, tell).catch((error: unknown) => {
      throw notPulled(reference, error);
    });
    const pulled = await inspect(reference);
    if (pulled) return pulled;
    throw new RuntimeError('unavailable', `image ${reference}: pulled, and not there`, { retryable: true });
  };

  return {
    async get(reference, signal, { auth, onProgress } = {}) {
      // Whoever has other credentials may be refused what another may have.
      const key = `${reference} ${auth?.reveal() ?? ''}`;
      let running = finding.get(key);
      if (!running) {
        const listeners = new Set<Tell>();
        const tell: Tell = (line) => {
          for (const listener of listeners) listener(line);
        };
        const found = find(reference, auth, tell).finally(() => finding.delete(key));
        found.catch(() => undefined);
        running = { listeners, found };
        finding.set(key, running);
      }
      const { listeners, found } = running;
      if (onProgress) listeners.add(onProgress);
      try {
        return await orAborted(found, signal);
      } finally {
        if (onProgress) listeners.delete(onProgress);
      }
    },
  };
}

/** Neither here nor in a registry: what a newcomer sees who has not made the image of the bots yet. */
function notPulled(reference: string, error: unknown): unknown {
  if (!(error instanceof RuntimeError)) return error;
  const make = reference.startsWith('runtime:') ? ' scripts/image makes it on this machine.' : '';
  return new RuntimeError(
    error.code,
    `image ${reference} is not on this machine, and cannot be pulled: ${error.message}`,
    {
      op: 'engine.pull',
      path: reference,
      retryable: error.retryable,
      hint: `Is the name right, does this machine reach the registry, and is the engine logged in to it?${make}`,
      cause: error,
    },
  );
}

function hasTag(reference: string): boolean {
  return /[:@]/.test(reference.slice(reference.lastIndexOf('/') + 1));
}
