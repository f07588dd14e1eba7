import { linkSync } from 'node:fs';
import { RuntimeError } from '../../../base/errors.ts';
import type { TarEntry } from '../../../base/tar/readTar.ts';
import type { StateContext } from '../format/context.ts';
import {
  below,
  type EntryPath,
  isEntryPath,
  parentOf,
  pathOfBytes,
  pathToText,
  toSystemPath,
} from '../format/entryPath.ts';
import { MAX_TIME_US, RESERVED_NAME } from '../format/format.ts';
import { checkLimits } from '../format/limits.ts';
import { staysInside } from '../format/linkTarget.ts';
import { type EntryType, Tree } from '../format/tree.ts';
import type { Place } from '../local/intoPlace.ts';
import { TreeWriter } from '../local/treeWriter.ts';

/** Builds a tree from the entries of an untrusted tar archive. */
export class LegacyTree {
  readonly tree = new Tree();
  readonly #context: StateContext;
  readonly #base: EntryPath;
  readonly #place: Place;
  readonly #writer: TreeWriter;
  readonly #types = new Map<EntryPath, EntryType>();
  /** Made last: until then there is no link that anything could be written through. */
  readonly #links: number[] = [];

  constructor(context: StateContext, base: EntryPath, place: Place) {
    this.#context = context;
    this.#base = base;
    this.#place = place;
    this.#writer = new TreeWriter(this.tree, base, place.owner);
  }

  async add(entry: TarEntry): Promise<void> {
    const path = entryPathOf(entry.name);
    if (path === '' || path === '.' || path.split('/')[0] === RESERVED_NAME) return;
    if (!isEntryPath(path)) throw damaged(`it names ${shown(path)}`);
    this.#makeParents(path);
    if (entry.type === 'directory') return this.#folder(path, entry);
    if (this.#types.has(path)) throw damaged(`${shown(path)} is in it twice`);
    if (entry.type === 'file') return await this.#file(path, entry);
    if (entry.type === 'symlink')
      return this.#link(path, entry, pathOfBytes(entry.linkname.toString('latin1')));
    if (entry.type === 'link') return this.#hardLink(path, entry);
    this.#context.warn('a device or pipe in the older state was left out', { path: pathToText(path) });
  }

  finish(): void {
    for (const index of this.#links) this.#writer.makeLink(index);
  }

  finishFolders(...args: Parameters<TreeWriter['finishFolders']>): void {
    this.#writer.finishFolders(...args);
  }

  async #file(path: EntryPath, entry: TarEntry): Promise<void> {
    const index = this.#entry(path, 'file', entry);
    checkLimits(this.tree, this.#place);
    const file = this.#writer.openFile(index);
    try {
      for await (const { at, bytes } of entry.pieces) file.write(bytes, at);
      file.end();
    } finally {
      file.close();
    }
  }

  #folder(path: EntryPath, entry: TarEntry): void {
    if (this.#types.get(path) === 'folder') return;
    if (this.#types.has(path)) throw damaged(`${shown(path)} is in it twice`);
    this.#writer.makeFolder(this.#entry(path, 'folder', entry));
  }

  #link(path: EntryPath, entry: TarEntry, target: EntryPath): void {
    if (staysInside(path, target, this.#place.root.path)) {
      this.#links.push(this.#entry(path, 'link', entry, target));
    } else {
      this.#context.warn('a link that leaves the state was not restored', { path: pathToText(path) });
    }
  }

  /** Another name of a file; of a link it becomes a link of its own. */
  #hardLink(path: EntryPath, entry: TarEntry): void {
    const other = entryPathOf(entry.linkname);
    const type = this.#types.get(other);
    if (type === 'link') {
      this.#link(path, entry, this.tree.targets.get(this.tree.paths.indexOf(other))!);
      return;
    }
    if (type !== 'file') throw damaged(`it links to ${shown(other)}`);
    this.#types.set(path, 'file');
    linkSync(toSystemPath(below(this.#base, other)), toSystemPath(below(this.#base, path)));
  }

  #makeParents(path: EntryPath): void {
    const parent = parentOf(path);
    if (parent === '' || this.#types.get(parent) === 'folder') return;
    this.#makeParents(parent);
    if (this.#types.has(parent)) throw damaged(`${shown(parent)} is not a folder`);
    this.#writer.makeFolder(
      this.#entry(parent, 'folder', { mode: 0o755, mtime: this.#context.clock.now() / 1000 }),
    );
  }

  #entry(
    path: EntryPath,
    type: EntryType,
    entry: Pick<TarEntry, 'mode' | 'mtime'> & { size?: number },
    target?: EntryPath,
  ) {
    this.#types.set(path, type);
    // A fraction as a floating-point number may be a little less than it was.
    const micros = Math.floor(entry.mtime * 1e6 + 0.25);
    const mtime = Math.max(-MAX_TIME_US, Math.min(MAX_TIME_US, micros));
    const size = type === 'file' ? (entry.size ?? 0) : 0;
    const stat = { type, mode: entry.mode, mtime, size, ctime: Number.NaN, inode: Number.NaN };
    return this.tree.add(path, stat, target);
  }
}

/** Without what only says that it is relative, and a folder's slash at the end. */
const entryPathOf = (name: Buffer): EntryPath =>
  pathOfBytes(
    name
      .toString('latin1')
      .replace(/^(\.?\/)+/, '')
      .replace(/\/(\.?)$/, ''),
  );

const shown = (path: EntryPath): string => JSON.stringify(pathToText(path));

function damaged(why: string): RuntimeError {
  return new RuntimeError('damaged', `the older state is not valid: ${why}`, { op: 'state.restore' });
}
