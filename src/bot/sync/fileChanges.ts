import type { EventSink } from '../events/event.ts';
import { type EntryPath, pathToText } from '../state/format/entryPath.ts';

/** A bot that writes everywhere without pause must not push all other events out of what is kept of them. */
const MAX_PATHS = 16;

/** Files of a sandbox that are still coming in (`box/files/writeFile`): their names are told when they have them. */
const INCOMING = /(^|\/)\.runtime-upload-/;

/** Tells of changes below the state as events: each path once between two looks at the state, and not too many of them. */
export class FileChanges {
  readonly #emit: EventSink;
  readonly #told = new Set<EntryPath>();

  constructor(emit: EventSink) {
    this.#emit = emit;
  }

  add(path: EntryPath): void {
    if (path === '' || INCOMING.test(path) || this.#told.has(path) || this.#told.size >= MAX_PATHS) return;
    this.#told.add(path);
    this.#emit('file.changed', { path: pathToText(path) });
  }

  /** A look begins: what changes from now on is told again. */
  startOver(): void {
    this.#told.clear();
  }
}
