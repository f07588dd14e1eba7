import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { RESERVED_NAME } from '../../../../../src/bot/state/format/format.ts';

/** All that a state keeps of a directory, as comparable lines: names by their bytes, modes, times, contents. */
export function treeOf(dir: string): string[] {
  const lines: string[] = [];
  const walk = (folder: Buffer, prefix: string) => {
    for (const name of readdirSync(folder, { encoding: 'buffer' })) {
      if (prefix === '' && name.toString() === RESERVED_NAME) continue;
      const path = Buffer.concat([folder, Buffer.from('/'), name]);
      const shown = `${prefix}/${name.toString('latin1')}`;
      const stat = lstatSync(path, { bigint: true });
      const mtime = (stat.mtimeNs - (((stat.mtimeNs % 1000n) + 1000n) % 1000n)) / 1000n;
      const mode = (stat.mode & 0o7777n).toString(8);
      if (stat.isSymbolicLink()) lines.push(`${shown} link ${readlinkSync(path, 'latin1')} ${mtime}`);
      else if (stat.isDirectory()) {
        lines.push(`${shown} folder ${mode} ${mtime}`);
        walk(path, shown);
      } else {
        const hash = createHash('sha256').update(readFileSync(path)).digest('hex');
        lines.push(`${shown} file ${mode} ${mtime} ${stat.size} ${hash}`);
      }
    }
  };
  walk(Buffer.from(dir), '');
  return lines.sort();
}
