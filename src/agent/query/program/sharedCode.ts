import type { Clock } from '../../../base/clock.ts';
import { type CodeMarker, readCodeMarker } from '../../../bot/code/codeMarker.ts';
import type { Config } from '../../../bot/config/config.ts';

const WAIT_POLL_MS = 200;
const WATCH_POLL_MS = 2000;

/**
 * The code on a volume that we share with the bot's container, which unpacks it there. Code that no archive is named for
 * is there, or `Kind.verify` says that it is not.
 */
export class SharedCode {
  readonly #config: Config;
  readonly #clock: Clock;
  /** SHA-256 of what was there when it was last waited for. */
  #inUse: string | undefined;

  constructor(config: Config, clock: Clock) {
    this.#config = config;
    this.#clock = clock;
  }

  /** Waits until the code is there, and all of it. */
  async wait(signal: AbortSignal): Promise<void> {
    if (this.#config.code.file === undefined) return;
    for (;;) {
      const marker = this.#unpacked();
      if (marker !== undefined) {
        this.#inUse = marker.sha256;
        return;
      }
      await this.#clock.sleep(WAIT_POLL_MS, signal);
    }
  }

  /** Tells whenever other code than was waited for has been unpacked; until aborted. */
  async watch(signal: AbortSignal, onChange: () => void): Promise<void> {
    while (this.#config.code.file !== undefined && !signal.aborted) {
      const marker = this.#unpacked();
      if (marker !== undefined && this.#inUse !== undefined && marker.sha256 !== this.#inUse) {
        this.#inUse = marker.sha256;
        onChange();
      }
      await this.#clock.sleep(WATCH_POLL_MS, signal).catch(() => undefined);
    }
  }

  #unpacked(): CodeMarker | undefined {
    const { code, paths } = this.#config;
    const marker = readCodeMarker(paths.code);
    return marker?.complete && (code.sha256 ?? marker.sha256) === marker.sha256 ? marker : undefined;
  }
}
