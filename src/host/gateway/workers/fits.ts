import { isDeepStrictEqual } from 'node:util';
import type { InstanceSpec, Mount } from '../../engine/engine.ts';

/** Whether a waiting worker can become what is wanted. Limits can be changed, and what is mounted from folders can be put there. */
export function fits(waiting: InstanceSpec, wanted: InstanceSpec): boolean {
  return (
    waiting.image === wanted.image &&
    isDeepStrictEqual(waiting.egress, wanted.egress) &&
    wanted.entrypoint === undefined &&
    wanted.guest === undefined &&
    wanted.mounts.every((mount) => placeIn(waiting, mount) !== undefined)
  );
}

/** The mount of a waiting worker that a wanted one lies in; undefined: there is none like it. */
export function placeIn(waiting: InstanceSpec, { target, readOnly, from }: Mount): Mount | undefined {
  return waiting.mounts.find((place) => {
    if (place.readOnly !== readOnly || place.from.type !== from.type) return false;
    if (from.type === 'folder') return target === place.target || target.startsWith(`${place.target}/`);
    if (from.type !== 'memory' || place.from.type !== 'memory') return false;
    return target === place.target && from.bytes <= place.from.bytes;
  });
}
