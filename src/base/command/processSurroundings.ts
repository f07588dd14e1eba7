import { systemCode } from '../errors.ts';
import type { Output } from './command.ts';
import type { Surroundings } from './dispatch.ts';

/** A reader that takes nothing any more must not hold the container open, milliseconds. */
const FLUSH_MS = 2000;

/** The real process. Its streams are made when they are first used: each loads a part of Node. */
export function processSurroundings(process: NodeJS.Process): {
  readonly surroundings: Surroundings;
  /** Resolves when everything written so far has left the process. */
  flush(): Promise<void>;
} {
  const hangup = new AbortController();
  const used = new Map<'stdout' | 'stderr', Output>();
  const abandoned = new Set<Output>();
  const open = (name: 'stdout' | 'stderr'): Output => {
    const stream = used.get(name) ?? process[name].on('error', whenBroken);
    used.set(name, stream);
    return stream;
  };
  const whenBroken = (error: Error) => {
    if (systemCode(error) !== 'EPIPE') throw error;
    hangup.abort();
  };
  return {
    surroundings: {
      env: process.env,
      hangup: hangup.signal,
      abandonStalled: () => {
        for (const stream of used.values()) if (stream.writableLength > 0) abandoned.add(stream);
      },
      get cwd() {
        return process.cwd();
      },
      get stdin() {
        return process.stdin;
      },
      get stdout() {
        return open('stdout');
      },
      get stderr() {
        return open('stderr');
      },
    },
    flush: async () => {
      for (const stream of used.values()) {
        if (abandoned.has(stream)) continue;
        await new Promise<void>((resolve) => {
          stream.write('', () => resolve());
          setTimeout(resolve, FLUSH_MS).unref();
        });
      }
    },
  };
}
