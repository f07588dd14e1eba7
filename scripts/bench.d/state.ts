/**
 * What keeping a state costs: `bench state [RUNS] [MIB] [IDLE_SECONDS]`, side by side with restic, rclone and tar on the
 * same tree and the same local MinIO. A life is that of a bot that does nothing: start, restore, final sync, exit; a cycle
 * is the work of a daemon that runs beside its bot.
 */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  cpSync,
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
import { startMinio } from '../../test/support/store/minio.ts';
import { type Cost, costOf, describeCosts } from './cost.ts';
import { measureCycles, measureIdle } from './cycles.ts';
import { mib, printTable } from './lib.ts';

const runs = Math.max(1, Number(process.argv[2] ?? 3));
const mebibytes = Math.max(10, Number(process.argv[3] ?? 1024));
const idleSeconds = Math.max(60, Number(process.argv[4] ?? 60));
const FILES = 10_000;
const root = join(import.meta.dirname, '..', '..');
const runtime = join(root, 'dist', 'runtime');
execFileSync(join(root, 'scripts/need'), ['restic', 'rclone', 'python3', 'procps'], { stdio: 'inherit' });
const work = mkdtempSync(join(tmpdir(), 'bench-state-'));
const minio = await startMinio();

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

  // Who comes first pays for MinIO's first requests and for memory that the machine has not touched yet.
  await oneLife('warm', tree);
  cpSync(tree, join(work, 'restored'), { recursive: true });
  rmSync(join(work, 'restored'), { recursive: true });

  for (let run = 0; run < runs; run += 1) {
    const bot = `bench-${run}`;
    const life = (state: string) => oneLife(bot, state);
    await record('ours, first publish', life(tree));
    await record(
      'restic, first backup',
      costOf(['restic', 'backup', '-q', tree], restic, { before: ['restic', 'init'] }),
    );
    await record('rclone, copy up', costOf(['rclone', 'copy', tree, `${remote}/${run}`], plain));
    if (run === 0) await record('tar -cz', costOf(['tar', '-czf', join(work, 'tree.tar.gz'), tree], plain));

    await record('ours, nothing changed', life(tree));
    await record('restic, nothing changed', costOf(['restic', 'backup', '-q', tree], restic));

    writeFileSync(join(tree, 'd0', 'f0'), randomBytes(4096));
    await record('ours, one 4 KiB file changed', life(tree));
    await record('restic, one 4 KiB file changed', costOf(['restic', 'backup', '-q', tree], restic));

    for (const [name, restore] of [
      ['ours, restore', (into: string) => life(into)],
      [
        'restic, restore',
        (into: string) => costOf(['restic', 'restore', '-q', 'latest', '--target', into], restic),
      ],
      ['rclone, copy down', (into: string) => costOf(['rclone', 'copy', `${remote}/${run}`, into], plain)],
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

  const peakOf = async (state: string) => {
    const cost = await costOf([runtime, 'execute'], lifeOf('bench-peak', state), { watched: runtime });
    return `${mib(cost.peakAnonymousMiB)} anonymous`;
  };
  const publishPeak = await peakOf(tree);
  const restorePeak = await peakOf(join(work, 'restored'));

  const cycles = await measureCycles(runtime, lifeOf('bench-0', tree), () =>
    writeFileSync(join(tree, 'd0', 'f0'), randomBytes(4096)),
  );
  const idle = await measureIdle(runtime, lifeOf('bench-0', tree), idleSeconds);

  printTable(`State: ${FILES} files, ${mebibytes} MiB; medians of ${runs}; ours are whole lives of a bot`, [
    ...[...all].map(([name, costs]) => [name, describeCosts(costs)] as const),
    ['ours, peak of a publish', publishPeak],
    ['ours, peak of a restore', restorePeak],
    [
      'ours, a cycle with one 4 KiB file changed',
      `${cycles.changedMs.toFixed(0)} ms, ${cycles.changedCpuMs.toFixed(0)} ms CPU, ${(cycles.changedBytes / 1024).toFixed(0)} KiB sent`,
    ],
    ['ours, a cycle with nothing changed', `${cycles.unchangedCpuMs.toFixed(0)} ms CPU`],
    [`ours, an idle daemon for ${idleSeconds} s`, `${idle.toFixed(2)} % of a core`],
    ['ours, the daemon after all this', `${mib(cycles.daemonMiB)} anonymous`],
  ]);

  function oneLife(bot: string, state: string): Promise<Cost> {
    // A bot that is expected to end.
    return costOf([runtime, 'execute'], { ...lifeOf(bot, state), BOT_TYPE: 'scheduled' });
  }

  function lifeOf(bot: string, state: string): Record<string, string | undefined> {
    return {
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
    };
  }
} finally {
  await minio.stop();
  rmSync(work, { recursive: true, force: true });
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
