import { isRuntimeError, RuntimeError } from '../../../base/errors.ts';
import type { ImageFacts } from '../engine.ts';
import type { DockerContext } from './dockerContext.ts';

/** A pull that has sent nothing for so long has died. Milliseconds. */
const PULL_IDLE_MS = 120_000;

export interface Images {
  /** What the reference means now: pulled when it is missing; one look and one pull for all who wait. */
  get(reference: string, signal: AbortSignal): Promise<ImageFacts>;
}

export function createImages({ client, log }: DockerContext, closed: AbortSignal): Images {
  const finding = new Map<string, Promise<ImageFacts>>();

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

  const pull = async (reference: string): Promise<void> => {
    log.info('pulling an image', { image: reference });
    const subject = `image ${reference}`;
    const query = { fromImage: hasTag(reference) ? reference : `${reference}:latest` };
    const request = { op: 'engine.pull', subject, method: 'POST', path: '/images/create', query } as const;
    const body = await client.stream({ ...request, timeoutMs: PULL_IDLE_MS, signal: closed });
    body.setTimeout(PULL_IDLE_MS, () => body.destroy(new Error(`no byte within ${PULL_IDLE_MS} ms`)));
    let text = '';
    try {
      // A line of JSON for each step; a failure is told in the last one, behind a good status.
      for await (const chunk of body) text = (text + chunk).slice(-16_384);
    } catch (error) {
      throw new RuntimeError('unavailable', `${subject}: the pull broke off`, {
        retryable: true,
        cause: error,
      });
    }
    const failure = /"error":"((?:[^"\\]|\\.)*)"/.exec(text)?.[1];
    if (failure === undefined) return;
    throw new RuntimeError('unavailable', `${subject}: ${failure}`, {
      op: 'engine.pull',
      retryable: true,
      hint: 'Can this machine reach the registry, and is the engine logged in to it?',
    });
  };

  const find = async (reference: string): Promise<ImageFacts> => {
    const here = await inspect(reference);
    if (here) return here;
    // An id is of an image that was here: no registry knows it.
    if (/^(sha256:)?[0-9a-f]{64}$/.test(reference))
      throw new RuntimeError('not-found', `image ${reference}: not on this machine`, { op: 'engine.image' });
    await pull(reference);
    const pulled = await inspect(reference);
    if (pulled) return pulled;
    throw new RuntimeError('unavailable', `image ${reference}: pulled, and not there`, { retryable: true });
  };

  return {
    get(reference, signal) {
      let running = finding.get(reference);
      if (!running) {
        running = find(reference).finally(() => finding.delete(reference));
        running.catch(() => undefined);
        finding.set(reference, running);
      }
      return orAborted(running, signal);
    },
  };
}

function hasTag(reference: string): boolean {
  return /[:@]/.test(reference.slice(reference.lastIndexOf('/') + 1));
}

/** One who waits may give up; the pull goes on for the others. */
function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason as Error);
    signal.addEventListener('abort', abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
