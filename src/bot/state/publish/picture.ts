import type { Clock } from '../../../base/clock.ts';
import { BLOCK_BYTES } from '../format/format.ts';
import { TICK_MS } from '../format/tick.ts';
import type { Tree } from '../format/tree.ts';
import { type FileContent, readBlocks } from '../local/readBlocks.ts';
import { type Scan, type ScanOptions, scan } from '../local/scan.ts';
import type { TreeRoot } from '../local/treeRoot.ts';
import type { PackWriter } from './packWriter.ts';
import { wasJustCutShort } from './wasJustCutShort.ts';

export interface PictureOptions extends ScanOptions {
  readonly root: TreeRoot;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Called with each scan before anything of it is read; throws when the state is over its limits. */
  readonly check: (scan: Scan) => void;
}

/** What is known of a tree that may change meanwhile. Looks and reads take turns. */
export class Picture {
  latest: Scan;
  readonly #published: Tree;
  readonly #options: PictureOptions;
  readonly #buffer = Buffer.allocUnsafe(BLOCK_BYTES);
  #unread: readonly number[];
  #gone = new Set<number>();

  constructor(published: Tree, options: PictureOptions) {
    this.#published = published;
    this.#options = options;
    this.latest = this.#scan(published);
    this.#unread = this.latest.unread;
  }

  /** Marks files to be read although they have not changed: the packs of their blobs are given up. */
  readAlso(files: readonly number[]): void {
    this.#unread = merged(this.#unread, files);
  }

  /** Whether the last look showed the same as the one before it, and everything has been read. */
  get isSettled(): boolean {
    return !this.latest.changed && this.latest.unread.length === 0;
  }

  /** Whether a rewrite may be under way; see `wasJustCutShort`. */
  get isCutShort(): boolean {
    return wasJustCutShort(this.#published, this.latest.tree, this.#options.clock.now());
  }

  look(): void {
    this.latest = this.#scan(this.latest.tree);
    this.#unread = this.latest.unread;
  }

  /** Reads unknown contents, at the writer's pace. */
  async read(writer: PackWriter): Promise<void> {
    for (const index of this.#unread) {
      const file = this.#open(index, writer);
      for (let step = file.next(); ; step = file.next()) {
        await writer.ready();
        if (step.done) break;
      }
    }
    this.#finishReading();
  }

  /** The same without waiting; false where time or memory ran out before the end. */
  readAtOnce(writer: PackWriter, deadline: number): boolean {
    const { clock } = this.#options;
    const hasRunOut = () => clock.elapsed() > deadline || writer.isOverfull;
    for (const index of this.#unread) {
      if (hasRunOut()) return false;
      const file = this.#open(index, writer);
      while (!file.next().done) {
        if (!hasRunOut()) continue;
        file.return();
        return false;
      }
    }
    this.#finishReading();
    return true;
  }

  #scan(previous: Tree): Scan {
    const { root, signal, restoredAt, owner, check } = this.#options;
    signal.throwIfAborted();
    const found = scan(root, previous, { restoredAt, owner });
    check(found);
    return found;
  }

  *#open(index: number, writer: PackWriter): Generator<void, void> {
    const { root, clock } = this.#options;
    const { tree } = this.latest;
    const startedAt = clock.now();
    const blocks = readBlocks(root, tree.paths[index]!, tree.size(index), this.#buffer, writer);
    let content: FileContent | undefined;
    try {
      for (let step = blocks.next(); ; step = blocks.next()) {
        if (step.done) {
          content = step.value;
          break;
        }
        yield;
      }
    } finally {
      blocks.return(undefined);
    }
    if (!content) this.#gone.add(index);
    else tree.setContent(index, { ...content, doubtful: tree.ctime(index) / 1000 > startedAt - TICK_MS });
  }

  #finishReading(): void {
    this.#unread = [];
    if (this.#gone.size === 0) return;
    this.latest = { ...this.latest, tree: this.latest.tree.without(this.#gone), changed: true };
    this.#gone = new Set();
  }
}

function merged(a: readonly number[], b: readonly number[]): number[] {
  return [...new Set([...a, ...b])].sort((x, y) => x - y);
}
