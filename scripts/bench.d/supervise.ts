/**
 * What supervision costs: `bench supervise [RUNS] [MB]`. Start and exit beside the same bot under tini alone, SIGTERM to exit
 * with nothing to save, and memory at idle before and after MB (200) of state and of logs have passed through.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { roleOf } from '../../test/support/process/roleOf.ts';
import { startMinio } from '../../test/support/store/minio.ts';
import { anonymousMiB, mib, ms, printTable, sideBySide, timed } from './lib.ts';

const runs = Math.max(1, Number(process.argv[2] ?? 10));
const megabytes = Math.max(1, Number(process.argv[3] ?? 200));
const runtime = join(import.meta.dirname, '..', '..', 'dist', 'runtime');
const work = mkdtempSync(join(tmpdir(), 'bench-supervise-'));
const minio = await startMinio();
let life = 0;
/** Ends at once when it is asked to, and says when it can be. */
const waiting = "trap 'exit 0' TERM; echo up; while :; do sleep 0.005; done";

try {
  const figures = await sideBySide(runs, {
    alone: async () => (await timed(['tini', '-s', '--', '/bin/true'], process.env)).totalMs,
    supervised: async () => (await timed([runtime, 'execute'], bot('/bin/true'))).totalMs,
    stopAlone: () => stopping(['tini', '-s', '--', '/bin/sh', '-c', waiting], { PATH: process.env.PATH }),
    stopSupervised: () => stopping([runtime, 'execute'], bot(waiting)),
  });
  printTable(`Start and exit (medians of ${runs})`, [
    ['/bin/true under tini alone', ms(figures.alone!)],
    ['/bin/true under runtime execute', ms(figures.supervised!)],
    ['SIGTERM to exit under tini alone', ms(figures.stopAlone!)],
    ['SIGTERM to exit, nothing to save', ms(figures.stopSupervised!), 'under 60 ms beyond'],
  ]);
  printTable(`Anonymous memory at idle, ${megabytes} MB of state and of logs`, await memory());
} finally {
  await minio.stop();
  rmSync(work, { recursive: true, force: true });
}

async function stopping(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const child = spawn(argv[0]!, argv.slice(1), { env, stdio: ['ignore', 'pipe', 'ignore'] });
  const ended = once(child, 'close');
  await once(child.stdout!, 'data');
  // The daemon is up by then: its start is not part of the stop.
  await sleep(400);
  const began = performance.now();
  child.kill('SIGTERM');
  await ended;
  return performance.now() - began;
}

async function memory(): Promise<[string, string, string][]> {
  const script = `
cd "$(dirname "$STATE_DIR")"; echo up; read -r go < fifo
i=0; while [ $i -lt ${megabytes} ]; do head -c 1000000 /dev/urandom > "file.$((i % 20))"; head -c 750000 /dev/urandom | base64; i=$((i + 1)); sleep 0.1; done
echo done; exec sleep 3600`;
  const env = bot(`mkfifo "$(dirname "$STATE_DIR")/fifo"; ${script}`);
  const child = spawn(runtime, ['execute'], { env, stdio: ['ignore', 'pipe', 'ignore'] });
  const shown = (text: string) =>
    new Promise<void>((resolve) => {
      child.stdout!.on('data', (chunk: Buffer) => {
        if (chunk.includes(text)) resolve();
      });
    });
  await shown('up\n');
  await sleep(8000);
  const before = sizes(child);
  const done = shown('done\n');
  spawn('/bin/sh', ['-c', 'echo go > "$1"', 'sh', join(env.STATE_PATH, 'fifo')]);
  await done;
  // What is given back is so ten seconds later.
  await sleep(30_000);
  const after = sizes(child);
  const ended = once(child, 'close');
  child.kill('SIGTERM');
  await ended;
  return [
    ['supervisor before', before.supervisor, 'under 14 MiB'],
    ['supervisor after', after.supervisor, 'the same'],
    ['daemon before', before.daemon, 'under 14 MiB'],
    ['daemon after', after.daemon, 'the same'],
  ];
}

function sizes(child: ChildProcess): { supervisor: string; daemon: string } {
  const daemon = roleOf(child.pid!, 'daemon');
  return {
    supervisor: mib(anonymousMiB(child.pid!)),
    daemon: daemon === undefined ? 'not running' : mib(anonymousMiB(daemon)),
  };
}

function bot(entrypoint: string) {
  life += 1;
  const place = join(work, `life-${life}`);
  return {
    PATH: process.env.PATH,
    ...minio.env(),
    BOT_ID: `bench-${life}`,
    BOT_USER: '0:0',
    RUNTIME: 'command',
    ENTRYPOINT: entrypoint,
    SYNC_INTERVAL: '5s',
    CODE_PATH: join(place, 'bot'),
    STATE_PATH: join(place, 'state'),
    LOGS_PATH: join(place, 'the0', 'logs'),
  };
}
