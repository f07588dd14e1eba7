import type { Head } from '../format/head.ts';
import type { Tree } from '../format/tree.ts';
import { forgetPacks } from './forgetPacks.ts';
import { fitsInline } from './inlineSnapshot.ts';
import { liveBytes, type Published } from './published.ts';

/** Where a snapshot's blobs are to lie: in the head, or in packs. */
export interface Target {
  readonly inHead: boolean;
  /** Whether the snapshot can refer to this row as it is. */
  readonly usable: (row: number) => boolean;
  /** Whether its bytes have to be read from the file again, although that has not changed. */
  readonly isToBeRead: (row: number) => boolean;
}

/** To be asked once something has changed: it looks at every blob. */
export function chooseTarget(tree: Tree, published: Published, head: Head): Target {
  return fitsInline(tree) ? headTarget(published, head) : packsTarget(published, head);
}

function headTarget({ table }: Published, { blobs }: Head): Target {
  const usable = (row: number) => Object.hasOwn(blobs, table.hash(row).toString('hex'));
  return { inHead: true, usable, isToBeRead: (row) => !usable(row) };
}

/** Blobs that are in the head alone come from there, without reading a file (`packInline`). */
export function packsTarget(published: Published, head: Head): Target {
  const { table } = published;
  const forgotten = forgetPacks(table, liveBytes(published));
  const usable = (row: number) => {
    const frame = table.frame(row);
    return frame !== undefined && !forgotten.has(frame.pack);
  };
  const inHead = headTarget(published, head);
  return { inHead: false, usable, isToBeRead: (row) => !usable(row) && !inHead.usable(row) };
}

/** Files of a tree that hold a blob whose bytes have to be read. */
export function filesToRead(tree: Tree, { isToBeRead }: Target): number[] {
  const found: number[] = [];
  for (let i = 0; i < tree.length; i++) {
    if (tree.blobs(i).some((row) => row >= 0 && isToBeRead(row))) found.push(i);
  }
  return found;
}
