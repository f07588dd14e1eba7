import { isRuntimeError, RuntimeError } from '../../../base/errors.ts';
import type { StateContext } from '../format/context.ts';
import { keys } from '../format/format.ts';
import { encodeHead, type Head } from '../format/head.ts';
import { readHead, type StoredHead } from '../read/readHead.ts';
import { type Claim, fenced, isHeldBy } from './claim.ts';
import { putBack } from './putBack.ts';

/** A gateway may show an object only some time after it has taken it, milliseconds. */
const SECOND_LOOK_MS = 1000;

/**
 * Moves the head of this instance, and notices when another instance has taken over. A head that is gone is put back, and the call that
 * has noticed it throws `conflict` with `PUT_BACK`.
 */
export class HeadKeeper {
  readonly #context: StateContext;
  readonly #held: { readonly generation: number; readonly holder: string };
  #current: StoredHead;
  /** The outcome of the last write is unknown: the head has to be read before it is relied upon. */
  #uncertain = false;
  #conditional: boolean | undefined;

  constructor(context: StateContext, claim: Claim) {
    this.#context = context;
    this.#held = { generation: claim.generation, holder: claim.holder };
    this.#current = { head: claim.head, etag: claim.etag };
  }

  get head(): Head {
    return this.#current.head;
  }

  /** Whether the outcome of the last write is unknown. */
  get isUncertain(): boolean {
    return this.#uncertain;
  }

  /** Finds out the outcome of a write whose answer was lost. */
  async settle(signal: AbortSignal): Promise<void> {
    if (this.#uncertain) await this.#reread(signal);
  }

  /**
   * Learns once whether the store honours conditions: it must refuse to create the head that is there. The bytes are
   * the same, so a store that does not refuse has changed nothing.
   */
  async probe(signal: AbortSignal): Promise<void> {
    if (this.#conditional !== undefined) return;
    await this.check(signal);
    const { store, bot } = this.#context;
    try {
      const condition = { ifNoneMatch: '*', mayBeThere: true } as const;
      const { etag } = await store.put(keys.head(bot), encodeHead(this.head), { ...condition, signal });
      this.#current = { head: this.head, etag };
      this.#conditional = false;
      this.#context.warn('the store ignores conditional writes: fencing is weaker', {
        store: store.name,
        instead: 'the generation is checked before and after each publish',
      });
    } catch (error) {
      if (!isRuntimeError(error, 'conflict')) throw error;
      this.#conditional = true;
    }
  }

  /** Throws `fenced` when another instance has taken over. One HEAD while nothing has changed. */
  async check(signal: AbortSignal): Promise<void> {
    const { store, bot } = this.#context;
    if (!this.#uncertain) {
      const info = await store.head(keys.head(bot), { signal }).catch(ifThere);
      if (info?.etag === this.#current.etag) return;
    }
    await this.#reread(signal);
  }

  /** Makes `next` the head. Throws `fenced`, or `conflict` when the head has moved under the same holder. */
  async move(next: Head, signal: AbortSignal): Promise<void> {
    const { store, bot } = this.#context;
    if (this.#conditional === false) await this.check(signal);
    const body = encodeHead(next);
    const condition = this.#conditional === false ? {} : { ifMatch: this.#current.etag };
    try {
      const { etag } = await store.put(keys.head(bot), body, { ...condition, signal });
      this.#current = { head: next, etag };
    } catch (error) {
      this.#uncertain = true;
      if (!isRuntimeError(error, 'conflict', 'not-found', 'unavailable')) throw error;
      await this.#reread(signal);
      // This instance has written it: the answer was lost, not the write.
      if (!encodeHead(this.head).equals(body)) throw error;
    }
    if (this.#conditional === false) await this.check(signal);
    await this.#confirm(next, body, signal).catch((error: unknown) => {
      this.#uncertain = true;
      throw error;
    });
  }

  /** Reads the head back, because a gateway may acknowledge what the store does not have. Throws `unavailable` where the head is not `next`. */
  async #confirm(next: Head, body: Buffer, signal: AbortSignal): Promise<void> {
    const { store, bot, clock } = this.#context;
    const info = await store.head(keys.head(bot), { signal }).catch(ifThere);
    if (info?.etag === this.#current.etag) return;
    for (let looks = 1; ; looks++) {
      const stored = await readHead(this.#context, signal);
      // Another instance may have taken over right after this write: its head names this snapshot, too.
      if (!stored) throw await this.#putBack(signal);
      const isOurs = isHeldBy(stored, this.#held);
      if (!isOurs && stored.head.sequence >= next.sequence) return;
      if (!isOurs) throw fenced(bot, stored.head);
      this.#current = stored;
      if (encodeHead(stored.head).equals(body)) return;
      if (looks === 2) throw notThere(bot);
      await clock.sleep(SECOND_LOOK_MS, signal);
    }
  }

  async #reread(signal: AbortSignal): Promise<void> {
    const stored = await readHead(this.#context, signal);
    if (!stored) throw await this.#putBack(signal);
    if (!isHeldBy(stored, this.#held)) throw fenced(this.#context.bot, stored.head);
    this.#current = stored;
    this.#uncertain = false;
  }

  /** Has the head read again next time: another instance may have changed it meanwhile. */
  async #putBack(signal: AbortSignal): Promise<RuntimeError> {
    this.#uncertain = true;
    const { putBackHead } = await import('../parts/losses.ts');
    await putBackHead(this.#context, this.#current.head, signal);
    return putBack(this.#context.bot);
  }
}

function ifThere(error: unknown): undefined {
  if (!isRuntimeError(error, 'not-found')) throw error;
}

function notThere(bot: string): RuntimeError {
  return new RuntimeError(
    'unavailable',
    `${keys.head(bot)} was acknowledged by the store, and does not read back as it was sent`,
    {
      op: 'state.publish',
      path: keys.head(bot),
      hint: 'Something between the runtime and the store answers in its place: a gateway, a proxy, a cache.',
    },
  );
}
