/**
 * What keeping a state costs: `bench state [RUNS] [MIB]`, side by side with restic, rclone and tar on the same tree and
 * the same local MinIO. Every figure of ours is a whole life of a bot that does nothing: start, restore, final sync, exit.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startMinio } from '../../test/support/minio.ts';
import { anonymousMiB, median, mib, printTable } from './lib.ts';

const runs = Math.max(1, Number(process.argv[2] ?? 3));
const mebibytes = Math.max(10, Number(process.argv[3] ?? 1024));
const FILES = 10_000;
const root = join(import.meta.dirname, '..', '..');
const runtime = join(root, 'dist', 'runtime');
execFileSync(join(root, 'scripts/need'), ['restic', 'rclone', 'time'], { stdio: 'inherit' });
const work = mkdtempSync(join(tmpdir(), 'bench-state-'));
const minio = await startMinio();

interface Cost {
  readonly seconds: number;
  /** NaN for ours: the daemon outlives the supervisor by a moment, so that nobody who is timed waits for it. */
  readonly cpuSeconds: number;
  /** Of the process of ours that had the most, sampled every 20 ms; 0 for others. */
  readonly peakAnonymousMiB: number;
  readonly uploadedBytes: number;
}

try {
  const tree = join(work, 'tree');
  makeTree(tree);
  const s3 = { AWS_ACCESS_KEY_ID: minio.accessKey, AWS_SECRET_ACCESS_KEY: minio.secretKey };
  const plain = { PATH: process.env.PATH, HOME: work, ...s3 };
  const restic = { ...plain, RESTIC_REPOSITORY: `s3:${minio.endpoint}/restic`, RESTIC_PASSWORD: 'bench' };
  const remote = `:s3,provider=Minio,env_auth=true,endpoint="${minio.endpoint}":rclone`;
  await minio.client.makeBucket('rclone');

  const all = new Map<string, Cost[]>();
  const record = async (name: string, cost: Promise<Cost>) => {
    all.set(name, [...(all.get(name) ?? []), await cost]);
  };

  for (let run = 0; run < runs; run += 1) {
    const bot = `bench-${run}`;
    const life = (state: string) => oneLife(bot, state);
    await record('ours, first publish', life(tree));
    await record(
      'restic, first backup',
      ofCommand(['restic', 'init'], restic, ['restic', 'backup', '-q', tree]),
    );
    await record(
      'rclone, copy up',
      ofCommand(undefined, plain, ['rclone', 'copy', tree, `${remote}/${run}`]),
    );
    if (run === 0)
      await record('tar -cz', ofCommand(undefined, plain, ['tar', '-czf', join(work, 'tree.tar.gz'), tree]));

    await record('ours, nothing changed', life(tree));
    await record('restic, nothing changed', ofCommand(undefined, restic, ['restic', 'backup', '-q', tree]));

    writeFileSync(join(tree, 'd0', 'f0'), randomBytes(4096));
    await record('ours, one 4 KiB file changed', life(tree));
    await record(
      'restic, one 4 KiB file changed',
      ofCommand(undefined, restic, ['restic', 'backup', '-q', tree]),
    );

    for (const [name, restore] of [
      ['ours, restore', (into: string) => life(into)],
      [
        'restic, restore',
        (into: string) =>
          ofCommand(undefined, restic, ['restic', 'restore', '-q', 'latest', '--target', into]),
      ],
      [
        'rclone, copy down',
        (into: string) => ofCommand(undefined, plain, ['rclone', 'copy', `${remote}/${run}`, into]),
      ],
    ] as const) {
      const into = join(work, 'restored');
      await record(name, restore(into));
      rmSync(into, { recursive: true, force: true });
    }
    rmSync(join(work, 'restic-cache'), { recursive: true, force: true });
    for await (const object of minio.client.listObjectsV2('restic', '', true))
      await minio.client.removeObject('restic', object.name!);
  }

  const database = join(work, 'database');
  mkdirSync(database);
  writeFileSync(join(database, 'data.db'), Buffer.alloc(0));
  fill(join(database, 'data.db'), Math.min(512, mebibytes));
  await oneLife('bench-db', database);
  const fd = openSync(join(database, 'data.db'), 'r+');
  writeSync(fd, randomBytes(4096), 0, 4096, 100 * 4096);
  closeSync(fd);
  await record('ours, one page of a large database changed', oneLife('bench-db', database));

  const small = join(work, 'small');
  mkdirSync(small);
  for (const name of ['a', 'b', 'c']) writeFileSync(join(small, `${name}.json`), '{"n":1}');
  await oneLife('bench-small', small);
  writeFileSync(join(small, 'a.json'), '{"n":2}');
  await record('ours, three small files, one changed', oneLife('bench-small', small));

  printTable(
    `State: ${FILES} files, ${mebibytes} MiB; medians of ${runs}; ours are whole lives of a bot`,
    [...all].map(([name, costs]) => [name, describe(costs)] as const),
  );

  function oneLife(bot: string, state: string): Promise<Cost> {
    return ofCommand(
      undefined,
      {
        PATH: process.env.PATH,
        ...minio.env(),
        BOT_ID: bot,
        BOT_USER: 'none',
        RUNTIME: 'command',
        ENTRYPOINT: 'true',
        CODE_PATH: join(work, 'code'),
        STATE_PATH: state,
        LOGS_PATH: join(work, 'the0', 'logs'),
        STOP_TIMEOUT: '10m',
        LOG_LEVEL: 'debug',
        LOG_FORMAT: 'json',
      },
      [runtime, 'execute'],
    );
  }
} finally {
  await minio.stop();
  rmSync(work, { recursive: true, force: true });
}

function describe(costs: readonly Cost[]): string {
  const of = (key: keyof Cost) => median(costs.map((cost) => cost[key]));
  const cpu = Number.isNaN(of('cpuSeconds')) ? '' : `, ${of('cpuSeconds').toFixed(2)} s CPU`;
  const memory = of('peakAnonymousMiB') > 0 ? `, ${mib(of('peakAnonymousMiB'))} anonymous at the peak` : '';
  const sent = of('uploadedBytes') > 0 ? `, ${(of('uploadedBytes') / 1024).toFixed(0)} KiB sent` : '';
  return `${of('seconds').toFixed(2)} s${cpu}${memory}${sent}`;
}

/** Runs `before`, then the command under time(1), which sees what its children's children used. */
async function ofCommand(
  before: readonly string[] | undefined,
  env: Record<string, string | undefined>,
  command: readonly string[],
): Promise<Cost> {
  if (before) execFileSync(before[0]!, before.slice(1), { env, stdio: 'ignore' });
  const child = spawn('/usr/bin/time', ['-f', 'TIME %e %U %S', ...command], {
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  let peakAnonymousMiB = 0;
  const sampler = setInterval(() => {
    for (const pid of command[0] === runtime ? ours() : []) {
      try {
        peakAnonymousMiB = Math.max(peakAnonymousMiB, anonymousMiB(pid));
      } catch {
        // It has ended meanwhile.
      }
    }
  }, 20);
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  clearInterval(sampler);
  const time = /TIME ([\d.]+) ([\d.]+) ([\d.]+)/.exec(stderr);
  if (code !== 0 || !time) throw new Error(`${command.join(' ')} ended with ${code}: ${stderr}`);
  const [, seconds, user, system] = time.map(Number) as [number, number, number, number];
  const uploaded = [...stderr.matchAll(/"uploadedBytes":(\d+)/g)].map((match) => Number(match[1]));
  return {
    seconds,
    cpuSeconds: command[0] === runtime ? Number.NaN : user + system,
    peakAnonymousMiB,
    uploadedBytes: uploaded.reduce((a, b) => a + b, 0),
  };
}

function ours(): number[] {
  // It exits with 1 when there is none.
  const { stdout } = spawnSync('pgrep', ['-f', `^${runtime} `], { encoding: 'utf8' });
  return stdout.split('\n').filter(Boolean).map(Number);
}

/** Half noise, half text, in folders of a hundred. */
function makeTree(dir: string): void {
  const size = Math.floor((mebibytes * 2 ** 20) / FILES);
  const text = Buffer.from('The quick brown fox jumps over the lazy dog. '.repeat(Math.ceil(size / 90)));
  for (let i = 0; i < FILES; i += 1) {
    const folder = join(dir, `d${i % 100}`);
    if (i < 100) mkdirSync(folder, { recursive: true });
    const noise = randomBytes(Math.ceil(size / 2));
    writeFileSync(join(folder, `f${i}`), Buffer.concat([noise, text.subarray(0, size - noise.length)]));
  }
  if (readdirSync(dir).length !== 100) throw new Error('the tree is not what it should be');
}

function fill(file: string, size: number): void {
  const fd = openSync(file, 'w');
  for (let i = 0; i < size; i += 1) writeSync(fd, randomBytes(2 ** 20));
  closeSync(fd);
}
