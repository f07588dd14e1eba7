import { linkSync } from 'node:fs';
import type { Header } from 'tar-stream';
import { RuntimeError } from '../../../base/errors.ts';
import type { StateContext } from '../format/context.ts';
import {
  type EntryPath,
  fromText,
  isEntryPath,
  parentOf,
  pathToText,
  toSystemPath,
} from '../format/entryPath.ts';
import { BLOCK_BYTES, blockCount, RESERVED_NAME } from '../format/format.ts';
import { checkLimits } from '../format/limits.ts';
import { staysInside } from '../format/linkTarget.ts';
import { type EntryType, Tree } from '../format/tree.ts';
import type { Place } from '../local/intoPlace.ts';
import { TreeWriter } from '../local/treeWriter.ts';

/** Builds a tree from the entries of a tar archive that nobody vouches for. */
export class LegacyTree {
  readonly tree = new Tree();
  readonly #context: StateContext;
  readonly #base: string;
  readonly #place: Place;
  readonly #writer: TreeWriter;
  readonly #types = new Map<EntryPath, EntryType>();
  /** Made last: until then there is no link that anything could be written through. */
  readonly #links: number[] = [];

  constructor(context: StateContext, base: string, place: Place) {
    this.#context = context;
    this.#base = base;
    this.#place = place;
    this.#writer = new TreeWriter(this.tree, base, place.owner);
  }

  async add(header: Header, content: AsyncIterable<unknown>): Promise<void> {
    const path = fromText(header.name.replace(/^(\.?\/)+/, '').replace(/\/(\.?)$/, ''));
    if (path === '' || path === '.' || path.split('/')[0] === RESERVED_NAME) return;
    if (!isEntryPath(path)) throw damaged(`it names ${JSON.stringify(header.name)}`);
    this.#makeParents(path);
    if (header.type === 'directory') return this.#folder(path, header);
    if (this.#types.has(path)) throw damaged(`${JSON.stringify(header.name)} is in it twice`);
    if (header.type === 'file' || header.type === 'contiguous-file') return this.#file(path, header, content);
    if (header.type === 'symlink') return this.#link(path, header);
    if (header.type === 'link') return this.#hardLink(path, header);
    this.#context.warn('a device or pipe in the older state was left out', { path: pathToText(path) });
  }

  finish(): void {
    for (const index of this.#links) this.#writer.makeLink(index);
  }

  finishFolders(...args: Parameters<TreeWriter['finishFolders']>): void {
    this.#writer.finishFolders(...args);
  }

  async #file(path: EntryPath, header: Header, content: AsyncIterable<unknown>): Promise<void> {
    const index = this.#entry(path, 'file', header);
    checkLimits(this.tree, this.#place);
    this.#writer.makeFile(index, blockCount(header.size));
    const buffer = Buffer.allocUnsafe(Math.min(BLOCK_BYTES, header.size));
    let block = 0;
    let filled = 0;
    for await (const piece of content) {
      const bytes = piece as Buffer;
      for (let at = 0; at < bytes.length; ) {
        const taken = bytes.copy(buffer, filled, at, at + buffer.length - filled);
        at += taken;
        filled += taken;
        if (filled < buffer.length) continue;
        this.#writer.writeBlock(index, block++, buffer);
        filled = 0;
      }
    }
    if (filled > 0) this.#writer.writeBlock(index, block, buffer.subarray(0, filled));
  }

  #folder(path: EntryPath, header: Header): void {
    if (this.#types.get(path) === 'folder') return;
    if (this.#types.has(path)) throw damaged(`${JSON.stringify(header.name)} is in it twice`);
    this.#writer.makeFolder(this.#entry(path, 'folder', header));
  }

  #link(path: EntryPath, header: Header): void {
    const target = fromText(header.linkname ?? '');
    if (staysInside(path, target, this.#place.root.path)) {
      this.#links.push(this.#entry(path, 'link', header, target));
    } else {
      this.#context.warn('a link that leaves the state was not restored', { path: pathToText(path) });
    }
  }

  #hardLink(path: EntryPath, header: Header): void {
    const target = fromText((header.linkname ?? '').replace(/^(\.?\/)+/, ''));
    if (this.#types.get(target) !== 'file') throw damaged(`it links to ${JSON.stringify(header.linkname)}`);
    this.#types.set(path, 'file');
    linkSync(toSystemPath(`${this.#base}/${target}`), toSystemPath(`${this.#base}/${path}`));
  }

  #makeParents(path: EntryPath): void {
    const parent = parentOf(path);
    if (parent === '' || this.#types.get(parent) === 'folder') return;
    this.#makeParents(parent);
    if (this.#types.has(parent)) throw damaged(`${JSON.stringify(pathToText(parent))} is no folder`);
    this.#writer.makeFolder(
      this.#entry(parent, 'folder', { mode: 0o755, mtime: new Date(this.#context.clock.now()) }),
    );
  }

  #entry(
    path: EntryPath,
    type: EntryType,
    header: Pick<Header, 'mode' | 'mtime'> & { size?: number },
    target?: string,
  ) {
    this.#types.set(path, type);
    const mtime = header.mtime.getTime() * 1000;
    const size = type === 'file' ? (header.size ?? 0) : 0;
    const stat = { type, mode: header.mode & 0o7777, mtime, size, ctime: Number.NaN, inode: Number.NaN };
    return this.tree.add(path, stat, target);
  }
}

function damaged(why: string): RuntimeError {
  return new RuntimeError('damaged', `the older state is not acceptable: ${why}`, { op: 'state.restore' });
}
