import type { Clock } from '../clock.ts';
import { readCodeMarker } from '../code/codeMarker.ts';
import type { Config } from '../config/config.ts';

const POLL_MS = 200;

/**
 * Waits until the other container has unpacked the code on the volume that we share, and all of it. Code that no
 * archive is named for is there, or `Kind.verify` says that it is not.
 */
export async function waitForCode({ code, paths }: Config, clock: Clock, signal: AbortSignal): Promise<void> {
  if (code.file === undefined) return;
  for (;;) {
    const marker = readCodeMarker(paths.code);
    if (marker?.complete && (code.sha256 ?? marker.sha256) === marker.sha256) return;
    await clock.sleep(POLL_MS, signal);
  }
}
