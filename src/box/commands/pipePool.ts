import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeFolders } from '../../base/makeFolders.ts';
import { openPipe, type Pipe } from './pipe.ts';

/** So many are made at a time, by one start of mkfifo(1). */
const BATCH = 32;
/** With fewer left, the next ones are made. */
const FEW = 8;

export interface PipePool {
  /** Undefined where there is no mkfifo(1): Node's own sockets have to do then. */
  take(): Promise<Pipe | undefined>;
  close(): void;
}

/**
 * Pipes for what commands print. Node's own are sockets, and a socket cannot be opened by name: `echo > /dev/stderr` in a script
 * would fail with ENXIO. Node has no pipe(2), so these are FIFOs, made ahead of their use.
 */
export function createPipePool(mkfifo = 'mkfifo'): PipePool {
  const folder = mkdtempSync(join(tmpdir(), '.runtime-pipes-'));
  let names: string[] = [];
  let making: Promise<void> | undefined;
  let made = 0;
  const make = () => {
    making ??= makeFifos()
      .then((more) => {
        names = [...names, ...more];
      })
      .finally(() => {
        making = undefined;
      });
    return making;
  };
  const makeFifos = () =>
    new Promise<string[]>((resolve) => {
      // Whoever we work for may clear out what is temporary.
      makeFolders(folder, 0o700);
      const paths = Array.from({ length: BATCH }, () => join(folder, String(made++)));
      execFile(mkfifo, ['-m', '600', ...paths], (error) => resolve(error ? [] : paths));
    });
  const next = (): Pipe | undefined => {
    for (let path = names.pop(); path !== undefined; path = names.pop()) {
      try {
        return openPipe(path);
      } catch {
        // Somebody has taken it away: another one then.
      } finally {
        rmSync(path, { force: true });
      }
    }
    return undefined;
  };
  return {
    take: async () => {
      const pipe = next();
      if (names.length < FEW) void make();
      if (pipe) return pipe;
      await make();
      return next();
    },
    close: () => rmSync(folder, { recursive: true, force: true }),
  };
}
