import { systemClock } from '../../base/clock.ts';
import type { ServeParts } from '../../host/run/runServe.ts';
import { openFront } from './openFront.ts';

/** Serves what clients of Tangle's sandboxes ask for. Resolves once it listens. */
export async function startTangle(parts: ServeParts): Promise<void> {
  const { options, sandboxes, folder, closing, log } = parts;
  const front = await openFront({
    sandboxes,
    folder,
    key: options.key,
    port: options.port,
    who: options.listen,
    publicUrl: options.url || undefined,
    clock: systemClock,
    log,
  });
  closing.defer(() => front.close());
  log.info('serving sandboxes', { port: front.port });
}
