import { hash } from 'node:crypto';
import { isRuntimeError, RuntimeError } from '../../../base/errors.ts';
import { getBytes } from '../../../store/readAll.ts';
import type { StateContext } from '../format/context.ts';

interface Upload {
  readonly key: string;
  readonly size: number;
  /** Hex. */
  readonly sha256: string;
}

/** The store as a publish writes to it: every object is asked for again before anything refers to it. */
export interface PublishContext extends StateContext {
  readonly uploads: Uploads;
}

/** A gateway may take a moment to show what it has taken, milliseconds. */
const SECOND_LOOK_MS = 1000;

/** `op` of the error when the store does not have what it has acknowledged. */
export const NOT_CONFIRMED = 'state.confirm';

/**
 * Puts packs and manifests, and then asks the store for the size and checksum of each: a store may acknowledge what it does not keep.
 * Unconfirmed objects are remembered, because a later publish may refer to objects of a failed one.
 */
export class Uploads {
  readonly #context: StateContext;
  readonly #unconfirmed = new Map<string, { readonly upload: Upload; readonly check: Promise<void> }>();

  constructor(context: StateContext) {
    this.#context = context;
  }

  async put(key: string, body: Buffer, sha256: string, signal: AbortSignal): Promise<void> {
    await this.#context.store.put(key, body, { sha256, signal });
    const upload = { key, size: body.length, sha256 };
    // While the next objects go up.
    const check = this.#check(upload, signal);
    check.catch(() => {});
    this.#unconfirmed.set(key, { upload, check });
  }

  /** Resolves when the store has confirmed everything that was put. Throws `unavailable` with `NOT_CONFIRMED`. */
  async confirm(signal: AbortSignal): Promise<void> {
    for (const [key, { upload, check }] of this.#unconfirmed) {
      await check.catch(() => this.#check(upload, signal));
      this.#unconfirmed.delete(key);
    }
  }

  /** Forgets what was put: it will be put again. */
  forget(): void {
    this.#unconfirmed.clear();
  }

  async #check(upload: Upload, signal: AbortSignal): Promise<void> {
    if (await this.#isThere(upload, signal)) return;
    await this.#context.clock.sleep(SECOND_LOOK_MS, signal);
    if (await this.#isThere(upload, signal)) return;
    throw new RuntimeError(
      'unavailable',
      `${upload.key} was acknowledged by the store, and does not read back as it was sent`,
      {
        op: NOT_CONFIRMED,
        path: upload.key,
        hint: 'Something between the runtime and the store answers in its place: a gateway, a proxy, a cache.',
      },
    );
  }

  async #isThere({ key, size, sha256 }: Upload, signal: AbortSignal): Promise<boolean> {
    const { store } = this.#context;
    try {
      const info = await store.head(key, { checksum: true, signal });
      if (info.size !== size) return false;
      // A store that keeps no checksums is asked for the bytes.
      return (
        sha256 ===
        (info.sha256 ?? hash('sha256', (await getBytes(store, key, { maxBytes: size, signal })).bytes))
      );
    } catch (error) {
      if (isRuntimeError(error, 'not-found', 'damaged')) return false;
      throw error;
    }
  }
}
