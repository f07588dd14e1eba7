import { build } from '../../base/build.ts';
import { systemClock } from '../../base/clock.ts';
import type { ServeParts } from '../../host/run/runServe.ts';
import { thisHost } from '../../host/sandboxes/placement/thisHost.ts';
import { openFront } from './openFront.ts';

/** Serves what clients of Tangle's sandboxes ask for. Resolves once it listens. */
export async function startTangle(parts: ServeParts): Promise<void> {
  const { options, sandboxes, folder, closing, log } = parts;
  const budget = {
    cpuMillis: options['cpu-cores'] * 1000,
    memoryBytes: options['memory-mb'] * 2 ** 20,
    diskBytes: options['disk-gb'] * 2 ** 30,
    slots: options.sandboxes,
  };
  const hosts = await thisHost({
    ...parts,
    name: parts.id,
    data: options.data,
    budget,
    now: systemClock.now,
  });
  const front = await openFront({
    sandboxes,
    folder,
    key: options.key,
    port: options.port,
    who: options.listen,
    publicUrl: options.url || undefined,
    policy: options.policy || undefined,
    hosts,
    disks: parts.disks,
    hostsFile: options.hosts || undefined,
    holdsEgress: options.network === '',
    isReady: parts.isReady,
    version: build.version,
    registry: parts.registry,
    clock: systemClock,
    log,
  });
  closing.defer(() => front.close());
  log.info('serving sandboxes', { port: front.port });
}
