import { isRuntimeError } from '../../base/errors.ts';
import type { KubeObject } from './objects.ts';
import type { Resource } from './resource.ts';

/** Objects as one moment has them. */
export interface Listing<K> {
  readonly items: readonly K[];
  /** Where a watch goes on. */
  readonly resourceVersion: string;
}

export interface ListOptions<T, K> {
  /** `runtime.host=a1,runtime.role in (bot,run)` */
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  /** What is needed of an object; the rest is let go, page by page. */
  readonly keep: (object: T) => K;
}

/** Objects of a page: what 100 pods leave as garbage (5 MiB) is soon collected, of 500 it lasts; 10,000 are 100 requests. */
const PAGE = 100;
const PAGE_MS = 60_000;

interface Page<T> {
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
  readonly items: readonly T[];
}

/** A cluster that forgets faster than it is read is tried this often. */
const TIMES = 4;

/**
 * All of them, whole or not at all. It is begun anew when it took so long that the cluster has forgotten that moment (410), so what
 * `keep` was told of is believed only where it is in the result.
 */
export async function listPages<T extends KubeObject, K>(
  resource: Resource<T>,
  options: ListOptions<T, K>,
  signal: AbortSignal,
): Promise<Listing<K>> {
  for (let time = 1; ; time += 1) {
    try {
      return await listOnce(resource, options, signal);
    } catch (error) {
      if (!isRuntimeError(error, 'conflict') || time === TIMES) throw error;
    }
  }
}

async function listOnce<T extends KubeObject, K>(
  { client, path, plural }: Resource<T>,
  { labelSelector, fieldSelector, keep }: ListOptions<T, K>,
  signal: AbortSignal,
): Promise<Listing<K>> {
  const items: K[] = [];
  for (let next: string | undefined; ; ) {
    const page: Page<T> = await client.call({
      op: `${plural}.list`,
      subject: plural,
      method: 'GET',
      path,
      query: {
        limit: String(PAGE),
        ...(labelSelector && { labelSelector }),
        ...(fieldSelector && { fieldSelector }),
        ...(next && { continue: next }),
      },
      timeoutMs: PAGE_MS,
      signal,
    });
    for (const item of page.items) items.push(keep(item));
    next = page.metadata.continue;
    if (!next) return { items, resourceVersion: page.metadata.resourceVersion };
  }
}
