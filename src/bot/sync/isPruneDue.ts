/** Snapshots between two prunes. */
const PRUNE_EVERY = 50;

/** Whether what old snapshots alone need is removed after the snapshot `sequence`. */
export function isPruneDue(sequence: number): boolean {
  return sequence > 0 && sequence % PRUNE_EVERY === 0;
}
