import { isHeader } from '../../base/tar/header.ts';
import type { ArchiveSource } from './archiveSource.ts';
import { refused } from './refused.ts';
import { hasZipEnd } from './zipDirectory.ts';

export type ArchiveFormat = 'zip' | 'tar' | 'tar.gz' | 'tar.zst';

/** Told by the bytes, never by the name. */
export function archiveFormat(source: ArchiveSource): ArchiveFormat {
  if (source.size === 0) throw refused('it is empty');
  const head = source.read(0, Math.min(source.size, 512));
  const magic = head.length >= 4 ? head.readUInt32LE(0) : 0;
  if (magic === 0x04034b50 || magic === 0x06054b50) return 'zip';
  if ((magic & 0xffff) === 0x8b1f) return 'tar.gz';
  // The second: a skippable frame, which parallel compressors write first.
  if (magic === 0xfd2fb528 || (magic & 0xfffffff0) >>> 0 === 0x184d2a50) return 'tar.zst';
  if (head.length === 512 && isHeader(head)) return 'tar';
  if (hasZipEnd(source)) return 'zip';
  throw refused('it is not a zip, tar, tar.gz or tar.zst', {
    hint: 'CODE_FILE has to name a zip, tar, tar.gz or tar.zst archive; other compressions (xz, bzip2, 7z, rar) are not read.',
  });
}
