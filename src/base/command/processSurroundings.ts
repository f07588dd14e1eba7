import { systemCode } from '../errors.ts';
import type { Output } from './command.ts';
import type { Surroundings } from './dispatch.ts';

/** A reader that takes nothing any more must not hold the container open, milliseconds. */
const FLUSH_MS = 2000;

/** What runs on whatever becomes of its output. */
const ROLES = /^(execute|daemon|box|host|provider|bot-runner|bot-scheduler|query-server|gc)$/;

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
  let failed = false;
  const whenBroken = (error: Error) => {
    hangup.abort();
    // A full disk, a terminal that is closed: what runs a bot loses what it says there, and nothing else; who was to write a file fails.
    if (systemCode(error) === 'EPIPE' || failed || ROLES.test(process.argv[2] ?? '')) return;
    failed = true;
    throw error;
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
