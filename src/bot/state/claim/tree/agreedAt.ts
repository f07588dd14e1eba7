import type { SnapshotRecord } from '../../format/head.ts';
import { TICK_MS } from '../../format/tick.ts';
import type { Marker } from './marker.ts';

/**
 * Until when the tree around the marker was as the newest snapshot says, µs; 0: not known to have been. What has not
 * changed since then is so still.
 */
export function agreedAt(marker: Marker, newest: SnapshotRecord): number {
  if (newest.generation === marker.generation) {
    return Math.max(marker.restoredAt, (Date.parse(newest.createdAt) - TICK_MS) * 1000);
  }
  return newest.sequence === marker.sequence ? marker.restoredAt : 0;
}
