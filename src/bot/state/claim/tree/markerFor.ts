import type { StateContext } from '../../format/context.ts';
import type { Claim } from '../claim.ts';
import { agreedAt } from './agreedAt.ts';
import { bootId } from './bootId.ts';
import type { Marker } from './marker.ts';

/** For a tree that has just been restored from the snapshot `sequence`. */
export function freshMarker({ bot, clock }: StateContext, { generation }: Claim, sequence: number): Marker {
  const restoredAt = clock.now() * 1000;
  return { bot, generation, sequence, complete: true, claimants: [], restoredAt, boot: bootId() };
}

/** For a tree that is kept, with the marker that was `left` beside it. */
export function keptMarker(context: StateContext, claim: Claim, left: Marker | undefined): Marker {
  const newest = claim.head.snapshots.at(-1);
  const marker = freshMarker(context, claim, newest?.sequence ?? 0);
  return { ...marker, restoredAt: left && newest ? agreedAt(left, newest) : 0 };
}
