import { statfsSync } from 'node:fs';

/** Of one log, and of all together, where the disk has much room. Bytes. */
const MOST_OF_ONE = 64 * 1024 * 1024;
const MOST_OF_ALL = 256 * 1024 * 1024;

/** What takes space: a log. */
export interface Holder {
  readonly bytes: number;
  /** Nothing comes to it any more. */
  readonly isEnded: boolean;
  /** Gives back some of it, the oldest; false where it cannot. */
  dropOldest(): boolean;
}

/** What all logs of a box may take together: logs of what has ended go first, the oldest of them first. */
export class LogSpace {
  readonly #mostOfAll: number;
  readonly #mostOfOne: number;
  readonly #logs = new Set<Holder>();
  #taken = 0;

  /** Bytes. */
  constructor(mostOfAll: number) {
    this.#mostOfAll = mostOfAll;
    this.#mostOfOne = Math.min(MOST_OF_ONE, Math.floor((mostOfAll * 3) / 4));
  }

  add(log: Holder): void {
    this.#logs.add(log);
  }

  remove(log: Holder): void {
    if (this.#logs.delete(log)) this.#taken -= log.bytes;
  }

  take(bytes: number): void {
    this.#taken += bytes;
    if (bytes < 0) return;
    for (const log of this.#logs) while (log.bytes > this.#mostOfOne && log.dropOldest());
    if (this.#taken <= this.#mostOfAll) return;
    for (const isEnded of [true, false]) {
      for (const log of this.#logs) {
        if (log.isEnded === isEnded) while (this.#taken > this.#mostOfAll && log.dropOldest());
      }
    }
  }
}

/** Half of what is free where logs lie: a folder in memory is small. */
export function spaceFor(folder: string): LogSpace {
  const { bavail, bsize } = statfsSync(folder);
  return new LogSpace(Math.min(MOST_OF_ALL, Math.floor((bavail * bsize) / 2)));
}
