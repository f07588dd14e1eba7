import type { Logger } from '../../base/log.ts';
import { watchRotation } from '../logs/ship/watchRotation.ts';
import type { SaveOptions } from './saveState.ts';
import type { SyncOptions } from './syncOptions.ts';

/** Ships the logs and knows how far behind that is. */
export class LogShipping {
  readonly #options: Pick<SyncOptions, 'shipper' | 'clock' | 'onLogLag' | 'onWork'>;
  #shippedAt: number;

  constructor(options: Pick<SyncOptions, 'shipper' | 'clock' | 'onLogLag' | 'onWork'>) {
    this.#options = options;
    this.#shippedAt = options.clock.elapsed();
  }

  async ship({ signal, final }: SaveOptions): Promise<void> {
    const { shipper, clock, onLogLag, onWork } = this.#options;
    const { bytes } = await shipper.ship({ signal, final });
    onWork(bytes);
    this.#shippedAt = clock.elapsed();
    onLogLag(0);
  }

  /** After a look that failed. */
  tellLag(): void {
    const { shipper, clock, onLogLag } = this.#options;
    if (shipper.lag() > 0) onLogLag(clock.elapsed() - this.#shippedAt);
  }
}

/** A bot that writes much fills the journal long before the interval is over, and would be held back. */
export function watchJournal(
  dir: string,
  log: Logger,
  onRotation: () => void,
): { close(): void } | undefined {
  try {
    return watchRotation(dir, onRotation);
  } catch (error) {
    log.warn('log files are not watched; they are shipped every SYNC_INTERVAL only', {
      reason: (error as Error).message,
    });
    return undefined;
  }
}
