import { RuntimeError } from '../../../../../src/base/errors.ts';
import type { ObjectStore, StoredObject } from '../../../../../src/store/objectStore.ts';

/**
 * A store that dies at call number `at` (from 1), before it takes effect or after, and answers nothing from then on.
 * `calls` counts, so that a first run without a death tells how many there are.
 */
export class DyingStore {
  calls = 0;
  readonly store: ObjectStore;
  readonly #at: number;
  readonly #when: 'before' | 'after';

  constructor(inner: ObjectStore, at: number, when: 'before' | 'after') {
    this.#at = at;
    this.#when = when;
    const call = <T>(run: () => Promise<T>) => this.#call(run);
    this.store = {
      name: inner.name,
      get: (key, options) => this.#get(() => inner.get(key, options)),
      head: (key, options) => call(() => inner.head(key, options)),
      put: (key, body, options) => call(() => inner.put(key, body, options)),
      append: (key, base, tail, options) => call(() => inner.append(key, base, tail, options)),
      copy: (from, to, options) => call(() => inner.copy(from, to, options)),
      delete: (key, options) => call(() => inner.delete(key, options)),
      now: (options) => call(() => inner.now(options)),
      list: (prefix, options) => this.#list(() => inner.list(prefix, options)),
      close: () => {},
    };
  }

  /** A body that nobody gets is closed. */
  async #get(run: () => Promise<StoredObject>): Promise<StoredObject> {
    let object: StoredObject | undefined;
    try {
      return await this.#call(async () => {
        object = await run();
        return object;
      });
    } catch (error) {
      object?.body.destroy();
      throw error;
    }
  }

  async #call<T>(run: () => Promise<T>): Promise<T> {
    const number = ++this.calls;
    if (number > this.#at || (number === this.#at && this.#when === 'before')) throw dead();
    const result = await run();
    if (number === this.#at) throw dead();
    return result;
  }

  async *#list<T>(run: () => AsyncIterable<T>): AsyncGenerator<T> {
    const number = ++this.calls;
    if (number > this.#at || (number === this.#at && this.#when === 'before')) throw dead();
    for await (const item of run()) {
      yield item;
      if (number === this.#at) throw dead();
    }
  }
}

function dead(): RuntimeError {
  return new RuntimeError('unavailable', 'the connection is dead', { op: 'store.call', retryable: true });
}
