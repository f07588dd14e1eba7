import { chmodSync, chownSync, lstatSync, mkdirSync, readdirSync, renameSync } from 'node:fs';
import { RuntimeError, systemCode } from '../../base/errors.ts';
import type { Owner } from '../../base/owner.ts';
import { CODE_MARKER, readCodeMarker, writeCodeMarker } from './codeMarker.ts';
import { mountsBelow } from './mountsBelow.ts';
import { removeTree } from './removeTree.ts';
import type { Stage } from './stage.ts';

export interface Placement {
  readonly codePath: string;
  readonly owner: Owner | undefined;
  /** Hex SHA-256 of the archive. */
  readonly sha256: string;
}

/**
 * Makes the staged tree the bot's code: what an earlier unpack left goes, what is foreign to it stays, everything at the
 * top of the new tree is moved in. A crash at any point leaves a marker that names all that is the runtime's, so the
 * next start, which always unpacks again, puts it right.
 */
export function placeTree(stage: Stage, { codePath, owner, sha256 }: Placement): void {
  const names = readdirSync(stage.tree);
  const present = new Set(readdirSync(codePath));
  const ours = new Set([...(readCodeMarker(codePath)?.names ?? []), ...names]);
  const old = [...ours].filter((name) => present.has(name));
  refuseMounts(codePath, old);

  const aside = `${stage.path}/old`;
  mkdirSync(aside);
  if (present.has(CODE_MARKER) && lstatSync(`${codePath}/${CODE_MARKER}`).isDirectory()) {
    moveAside(`${codePath}/${CODE_MARKER}`, `${aside}/${CODE_MARKER}`);
  }
  // Before anything moves: from here on a crash leaves old and new mixed.
  writeCodeMarker(codePath, stage.path, { version: 1, complete: false, sha256, names: [...ours] });
  for (const name of old) moveAside(`${codePath}/${name}`, `${aside}/${name}`);
  for (const name of names) renameSync(`${stage.tree}/${name}`, `${codePath}/${name}`);
  if (owner) chownSync(codePath, owner.uid, owner.gid);
  // Last: says that the code is whole.
  writeCodeMarker(codePath, stage.path, { version: 1, complete: true, sha256, names });
}

function moveAside(from: string, to: string): void {
  // A directory that its owner made read-only cannot be moved: its `..` changes.
  if (lstatSync(from).isDirectory()) chmodSync(from, 0o700);
  try {
    renameSync(from, to);
  } catch (error) {
    // A directory of the image's own layers: overlayfs does not move those.
    if (systemCode(error) !== 'EXDEV') throw error;
    removeTree(from);
  }
}

/** A volume inside the code path holds somebody's data: it is never replaced, nor moved with what is around it. */
function refuseMounts(codePath: string, names: readonly string[]): void {
  if (names.length === 0) return;
  const [mount] = mountsBelow(codePath, names);
  if (mount === undefined) return;
  throw new RuntimeError(
    'config',
    `a volume is mounted at ${mount}, where the code archive has entries of its own`,
    {
      op: 'code.place',
      path: mount,
      hint: 'Mount it outside CODE_PATH, or at a name that the archive does not have.',
    },
  );
}
