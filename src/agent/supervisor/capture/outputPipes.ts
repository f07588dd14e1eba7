import { closeSync, constants, lstatSync, mkdtempSync, openSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const PREFIX = '.pipes-';
/** They live for milliseconds; another supervisor on the same volume may be at it now. */
const LEFT_MS = 60_000;

/** A pipe of the system's between the bot and us. */
export interface OutputPipe {
  /** For us: a descriptor that does not block. */
  readonly reader: number;
  /** For the bot; closed by `release` once it has been handed over. */
  readonly writer: number;
  release(): void;
}

export interface OutputPipes {
  readonly stdout: OutputPipe;
  readonly stderr: OutputPipe;
  /** Both ends of both, where nobody has been given any. */
  close(): void;
}

/** Makes two FIFOs that every user may open, `stdout` and `stderr`, in this folder; resolves with whether they are there. */
export type MakeFifos = (folder: string) => Promise<boolean>;

/**
 * Pipes for the bot's stdout and stderr. Node's own are sockets, and a socket cannot be opened by name: `echo >
 * /dev/stderr` in a bot's script would fail with ENXIO. Node has no pipe(2), so these are FIFOs, made in `dir` by a program
 * that can, and unlinked at once. Resolves with undefined where that cannot be done: Node's sockets have to do then.
 */
export async function makeOutputPipes(dir: string, makeFifos: MakeFifos): Promise<OutputPipes | undefined> {
  let own: string | undefined;
  try {
    sweep(dir);
    own = mkdtempSync(join(dir, PREFIX));
    if (!(await makeFifos(own))) return undefined;
    const [stdout, stderr] = [openPipe(join(own, 'stdout')), openPipe(join(own, 'stderr'))];
    const close = () => {
      for (const { reader, writer } of [stdout, stderr]) {
        closeSync(reader);
        closeSync(writer);
      }
    };
    return { stdout, stderr, close };
  } catch {
    return undefined;
  } finally {
    if (own !== undefined) rmSync(own, { recursive: true, force: true });
  }
}

/** What a supervisor has left that was killed before it could remove it. */
function sweep(dir: string): void {
  for (const name of readdirSync(dir)) {
    if (!name.startsWith(PREFIX)) continue;
    const path = join(dir, name);
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (stat && Math.abs(Date.now() - stat.mtimeMs) > LEFT_MS) rmSync(path, { recursive: true, force: true });
  }
}

function openPipe(path: string): OutputPipe {
  // The reading end first and without waiting: opening a FIFO blocks until the other end is there.
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const writer = openSync(path, constants.O_WRONLY);
  return {
    reader,
    writer,
    release: () => closeSync(writer),
  };
}
