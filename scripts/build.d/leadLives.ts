import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { queryObjects, setFlagsFromString } from 'node:v8';
import { sha256 } from '@noble/hashes/sha2.js';
import { run } from '../../src/programs/agent.ts';

/** Ends before it would have a daemon: what it changes is published by the supervisor. */
const BOT = 'cd "$STATE_PATH"; [ -e file ] || date > file; date > other; echo';

/** Stands for the interpreter, which a machine that builds may not have: waits for `go` on descriptor 3 as the launcher does. */
const PYTHON = `#!/bin/sh
while read -r line <&3; do [ "$line" != go ] || break; done
exec 3>&-
${BOT}
`;

/** Two lives of a bot each of two kinds: the first finds nothing in the store, the second what the first has saved. */
export async function leadLives(): Promise<void> {
  setFlagsFromString('--no-flush-bytecode');
  const giveBuiltins = withholdBuiltins();
  const timers = new Timers();
  const before = new Set(process.eventNames());
  const place = mkdtempSync(join(tmpdir(), 'warm-'));
  try {
    mkdirSync(join(place, 'bin'));
    writeFileSync(join(place, 'bin/python3.11'), PYTHON, { mode: 0o755 });
    for (const life of [1, 2]) {
      await lead({ RUNTIME: 'python3.11', ENTRYPOINT: 'main', BOT_ID: 'python', ...paths(place, life) });
      await lead({ RUNTIME: 'command', ENTRYPOINT: BOT, BOT_ID: 'shell', ...paths(place, life) });
    }
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
  // A life leaves that to the exit.
  process.removeAllListeners('uncaughtException');
  timers.close();
  giveBuiltins();
  // It forgets where it was.
  process.chdir('/');
  const left = process.eventNames().filter((name) => !before.has(name));
  if (left.length > 0) throw new Error(`a life has left listeners: ${left.map(String).join(', ')}`);
  // What is registered for finalization must be gone: V8 cannot keep what it has still to finalize.
  for (let i = 0; i < 4; i++) {
    queryObjects(class {}, { format: 'count' });
    // The last thing to happen is a timer that ends: Node then knows of none that it would have to wait for.
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** What the snapshot cannot hold: their native parts are made once for each process, and some draw random numbers ahead. */
const NOT_KEPT = /^(node:)?(crypto|http|https|http2|tls|sqlite|worker_threads)$/;

/** The only algorithm that a life asks for, as far as it does. */
const crypto = {
  hash: (_: string, data: string | Uint8Array, encoding: 'hex' | 'buffer' = 'hex') =>
    digest(sha256(bytesOf(data)), encoding),
  createHash: () => {
    const running = sha256.create();
    const hash = {
      update: (data: string | Uint8Array) => {
        running.update(bytesOf(data));
        return hash;
      },
      digest: (encoding?: 'hex') => digest(running.digest(), encoding ?? 'buffer'),
    };
    return hash;
  },
};

const bytesOf = (data: string | Uint8Array): Uint8Array =>
  typeof data === 'string' ? Buffer.from(data) : data;

const digest = (bytes: Uint8Array, encoding: 'hex' | 'buffer'): string | Buffer =>
  encoding === 'hex' ? Buffer.from(bytes).toString('hex') : Buffer.from(bytes);

/**
 * Until it is called, a life gets something else for `node:crypto`, and fails where it loads another of these. Who keeps what it was given
 * keeps what looks at each use what it stands for.
 */
function withholdBuiltins(): () => void {
  const { getBuiltinModule } = process;
  let isGiven = false;
  const get = (_: object, key: string) =>
    ((isGiven ? getBuiltinModule('node:crypto') : crypto) as Record<string, unknown>)[key];
  // In the chain of prototypes: of that the bundler's import makes an object of its own.
  const either = Object.create(new Proxy({}, { get })) as object;
  process.getBuiltinModule = ((name: string) => {
    if (!NOT_KEPT.test(name)) return getBuiltinModule(name);
    if (name.endsWith('crypto')) return either;
    throw new Error(`a start loads ${name}, which no snapshot can hold`);
  }) as typeof getBuiltinModule;
  return () => {
    isGiven = true;
    process.getBuiltinModule = getBuiltinModule;
  };
}

function paths(place: string, life: number): Record<string, string> {
  return {
    PATH: `${place}/bin:/usr/bin:/bin`,
    CODE_PATH: join(place, `code-${life}`),
    STATE_PATH: join(place, `state-${life}`),
    LOGS_PATH: join(place, `the0-${life}/logs`),
  };
}

async function lead(variables: Record<string, string>): Promise<void> {
  const env = {
    CODE_FILE: 'code.zip',
    ...variables,
    MINIO_ENDPOINT: process.env.RUNTIME_BUILD_STORE,
    MINIO_ACCESS_KEY: 'warm',
    MINIO_SECRET_KEY: 'warm',
    BOT_USER: 'none',
  };
  // Streams of the real process would be kept.
  let said = '';
  const output = () =>
    new Writable({
      write(chunk, _, done) {
        said += chunk;
        done();
      },
    });
  const surroundings = Object.create(process, {
    argv: { value: [process.execPath, process.env.RUNTIME_BUILD_AGENT, 'execute'] },
    env: { value: env },
    stdout: { value: output() },
    stderr: { value: output() },
  }) as NodeJS.Process;
  const code = await run(surroundings);
  if (code !== 0) throw new Error(`a life of ${variables.RUNTIME} ended with ${code}: ${said}`);
}

/** What is to happen after so long, milliseconds, is for when something goes wrong, or for a life that goes on. */
const LONG_MS = 1000;

/** All timers that are made from now on. Long ones never end: a slow machine must not lead other lives than a fast one. */
class Timers {
  readonly #made = new Set<NodeJS.Timeout>();
  readonly #setTimeout = globalThis.setTimeout;
  readonly #setInterval = globalThis.setInterval;

  constructor() {
    const keep = (make: typeof setTimeout | typeof setInterval) =>
      ((work: () => void, ms: number, ...args: []) => {
        const timer = make(work, ms >= LONG_MS ? 2 ** 31 - 1 : ms, ...args);
        this.#made.add(timer);
        return timer;
      }) as never;
    globalThis.setTimeout = keep(this.#setTimeout);
    globalThis.setInterval = keep(this.#setInterval);
  }

  /** Clears those that have not ended. */
  close(): void {
    globalThis.setTimeout = this.#setTimeout;
    globalThis.setInterval = this.#setInterval;
    for (const timer of this.#made) clearTimeout(timer);
  }
}
