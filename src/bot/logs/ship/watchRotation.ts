import { type FSWatcher, watch, writeFileSync } from 'node:fs';
import { makeFolders } from '../../../base/makeFolders.ts';
import { rotationMarker } from '../segment.ts';

/**
 * Tells when the journal's newest segment is full, so that a bot that writes much is not held back until the next
 * interval. Throws where files cannot be watched; the interval has to do then.
 */
export function watchRotation(dir: string, onRotation: () => void): FSWatcher {
  makeFolders(dir, 0o750);
  writeFileSync(rotationMarker(dir), '', { flag: 'a', mode: 0o640 });
  return watch(rotationMarker(dir), { persistent: false }, onRotation);
}
