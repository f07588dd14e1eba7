import { execFile, execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Script } from 'node:vm';
import { finish, reserve } from './finish.ts';
import { openWarmBucket } from './warmBucket.ts';

export interface EmbedOptions {
  /** Where the bundles are, and beside them what is made of them. */
  readonly work: string;
  /** Node. */
  readonly base: string;
  /** The executable. */
  readonly made: string;
  /** Names of programs and parts. */
  readonly assets: readonly string[];
  /** Whether this machine can run it. */
  readonly isRun: boolean;
}

/** How often a snapshot is tried: V8 refuses one where garbage was collected at the wrong moment. */
const TRIES = 3;

/**
 * Writes the executable: Node with our programs and parts in it. It starts from a snapshot where one can be made. Where that fails it is told
 * and done without: all works then, and starts some 15 ms later.
 */
export async function embedAssets(options: EmbedOptions): Promise<void> {
  if (!(options.isRun && (await withSnapshot(options)))) plain(options);
}

function plain(options: EmbedOptions): void {
  const { work, assets } = options;
  for (const name of assets) {
    const cache = plainCache(work, name);
    const length = Buffer.alloc(4);
    length.writeUInt32LE(cache.length);
    writeFileSync(join(work, `${name}.cache`), Buffer.concat([length, cache]));
  }
  const config = writeConfig('start.cjs', options);
  execFileSync(process.execPath, ['--build-sea', config], { stdio: ['ignore', 'ignore', 'inherit'] });
}

async function withSnapshot(options: EmbedOptions): Promise<boolean> {
  const { work, made } = options;
  const assets = options.assets.filter((name) => name !== 'agent');
  const rooms = new Map(assets.map((name) => [name, reserve(name, plainCache(work, name).length)]));
  for (const [name, room] of rooms) writeFileSync(join(work, `${name}.cache`), room);
  // A daemon, if a life has one, is started from the bundle as it is.
  const agent = join(work, 'agent.start.cjs');
  writeFileSync(agent, "require('./agent.cjs').run(process).then(process.exit);");
  const config = writeConfig('snapshot.cjs', { ...options, assets });
  const bucket = await openWarmBucket();
  const env = {
    PATH: process.env.PATH,
    TMPDIR: process.env.TMPDIR,
    RUNTIME_BUILD_PARTS: work,
    RUNTIME_BUILD_AGENT: agent,
    RUNTIME_BUILD_STORE: bucket.endpoint,
  };
  let why = '';
  try {
    for (let tries = 1; tries <= TRIES; tries++) {
      try {
        await promisify(execFile)(process.execPath, ['--build-sea', config], { timeout: 60_000, env });
        await finish(made, rooms, work, env);
        return true;
      } catch (error) {
        const { stderr, message } = error as Error & { stderr?: string };
        why = stderr || message;
      }
    }
  } finally {
    bucket.close();
  }
  console.error(
    `build: the executable starts slower than it could, there is no snapshot to start from:\n${why}`,
  );
  return false;
}

function plainCache(work: string, name: string): Buffer {
  return new Script(readFileSync(join(work, `${name}.js`), 'utf8')).createCachedData();
}

/** `main`: the file whose run makes the snapshot, or that runs in each process. */
function writeConfig(main: string, { work, base, made, assets }: EmbedOptions): string {
  const config = join(work, 'sea.json');
  const isSnapshot = main === 'snapshot.cjs';
  writeFileSync(
    config,
    JSON.stringify({
      main: join(work, main),
      mainFormat: 'commonjs',
      executable: base,
      output: made,
      useSnapshot: isSnapshot,
      disableExperimentalSEAWarning: true,
      // MiB. V8 lets the young generation grow to 64 under load, and keeps it, for no more throughput (docs/performance.md).
      // Of V8's four threads for work of its own one is enough: a container of few processes counts threads as well. Not
      // --disable-sigusr1: the supervisor would not hear the signal, which is the bot's. Sparkplug compiles what a start runs a few times, and
      // what runs for long is compiled better by others; without a snapshot V8 would take none of Node's own caches of code with that flag.
      execArgv: [
        '--min-semi-space-size=4',
        '--max-semi-space-size=4',
        '--v8-pool-size=1',
        ...(isSnapshot ? ['--no-sparkplug'] : []),
        // In place of OPENSSL_CONF: such a file names libraries, which would be loaded into the processes that hold the credentials.
        '--openssl-config=/dev/null',
      ],
      // A bot's NODE_OPTIONS must not reach this binary; `--node-options` on our own command line does.
      execArgvExtension: 'cli',
      assets: Object.fromEntries(
        assets.flatMap((name) => [`${name}.js`, `${name}.cache`].map((file) => [file, join(work, file)])),
      ),
    }),
  );
  return config;
}
