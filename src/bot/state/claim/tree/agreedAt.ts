import type { SnapshotRecord } from '../../format/head.ts';
import { TICK_MS } from '../../format/tick.ts';
import type { Marker } from './marker.ts';

/**
 * The last time at which the tree around the marker is known to have agreed with the newest snapshot, µs; 0: no such time is known.
 * An entry that has not changed since then still agrees.
 */
export function agreedAt(marker: Marker, newest: SnapshotRecord): number {
  if (newest.generation === marker.generation) {
    return Math.max(marker.restoredAt, (Date.parse(newest.createdAt) - TICK_MS) * 1000);
  }
  return newest.sequence === marker.sequence ? marker.restoredAt : 0;
}
