import type { Clock } from '../../../base/clock.ts';
import { growingWait } from '../../../base/growingWait.ts';
import type { Engine } from '../../engine/engine.ts';

/** An engine that is started again is away for some seconds. */
const ATTEMPTS = 6;
const AGAIN = { firstMs: 500, longestMs: 8_000 };

/** Kills and removes it. Throws what the engine throws at last: what is left is found by its label when the next host starts. */
export async function endInstance(engine: Engine, clock: Clock, name: string): Promise<void> {
  const { signal } = new AbortController();
  for (let failures = 1; ; failures += 1) {
    try {
      await engine.kill(name, signal);
      await engine.remove(name, signal);
      return;
    } catch (error) {
      if (failures === ATTEMPTS) throw error;
      await clock.sleep(growingWait(AGAIN, failures));
    }
  }
}
