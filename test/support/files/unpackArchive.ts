import { createHash } from 'node:crypto';
import { closeSync, openSync } from 'node:fs';
import { type ArchiveSource, fileSource, pieces } from '../../../src/bot/code/archiveSource.ts';
import { diskError } from '../../../src/bot/code/diskError.ts';
import { placeTree } from '../../../src/bot/code/placeTree.ts';
import { openStage } from '../../../src/bot/code/stage.ts';
import { type UnpackOptions, unpackTree } from '../../../src/bot/code/unpackTree.ts';

export interface UnpackedArchive {
  readonly files: number;
  /** Of all files together. */
  readonly bytes: number;
  /** Hex SHA-256 of the archive. */
  readonly sha256: string;
}

/** Unpacks a local archive into `into` by the steps of `pullCode`, without a store: whole or not at all, over what an earlier unpack has left. */
export async function unpackArchive(
  file: string,
  into: string,
  options: UnpackOptions,
): Promise<UnpackedArchive> {
  const fd = openSync(file, 'r');
  try {
    const source = fileSource(fd);
    const sha256 = hash(source);
    const stage = openStage(into);
    try {
      const { files, bytes } = await unpackTree(source, stage.tree, options);
      placeTree(stage, { codePath: into, owner: options.owner, sha256 });
      return { files, bytes, sha256 };
    } finally {
      stage.close();
    }
  } catch (error) {
    throw diskError(error, into);
  } finally {
    closeSync(fd);
  }
}

function hash(source: ArchiveSource): string {
  const sha256 = createHash('sha256');
  for (const piece of pieces(source, 0, source.size)) sha256.update(piece);
  return sha256.digest('hex');
}
