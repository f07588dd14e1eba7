/**
 * bench languages [RUNS]: a realtime bot with a query program per language, built from its example, in the universal image
 * against a real MinIO: the time from the container's start to the bot's first line, both by the engine's clock; the processor time
 * of the whole container until five seconds later, which a busy machine does not lengthen; and the anonymous memory of its
 * processes at that moment.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startContainer } from '../../test/support/container/container.ts';
import { containerBots } from '../../test/support/container/containerBots.ts';
import { docker, universalImage } from '../../test/support/container/docker.ts';
import { filesOf } from '../../test/support/process/builtExample.ts';
import { freePort } from '../../test/support/process/freePort.ts';
import { startMinio } from '../../test/support/store/minio.ts';
import { anonymousMiB, cpuOfCgroupMs, median } from './lib.ts';

const root = join(import.meta.dirname, '../..');
const runs = Number(process.argv[2] ?? 5);
const languages = [
  { name: 'Python', kind: 'python3.11', example: 'price-watcher', bot: 'main.py', query: 'query.py' },
  { name: 'Node', kind: 'nodejs20', example: 'queue-worker', bot: 'main.js', query: 'query.js' },
  { name: 'Rust', kind: 'rust-stable', example: 'rust-counter', bot: 'bot', query: 'bot' },
  { name: 'C++', kind: 'gcc13', example: 'cpp-counter', bot: 'bot', query: 'bot' },
  { name: 'Haskell', kind: 'ghc96', example: 'haskell-counter', bot: 'bot', query: 'bot' },
  { name: 'Scala 3', kind: 'scala3', example: 'scala-counter', bot: 'app.jar', query: 'app.jar' },
];

const image = await universalImage();
const minio = await startMinio();
const work = mkdtempSync(join(tmpdir(), 'runtime-'));
try {
  const bots = await containerBots(minio);
  const measured = languages.map(() => [] as Life[]);
  const environments = [];
  for (const { kind, example, bot, query } of languages) {
    const deployed = await bots.deploy({
      kind,
      entrypoint: bot,
      files: await filesOf(built(example)),
      config: JSON.parse(readOr(join(root, 'examples', example, 'config.json'), '{}')),
    });
    environments.push({ ...deployed, BOT_TYPE: 'realtime', QUERY_ENTRYPOINT: query });
  }
  for (let run = 0; run < runs; run += 1)
    for (const [index, env] of environments.entries()) measured[index]!.push(await life(env));

  console.log('\n| language | first line | CPU | bot | query program | whole container |');
  console.log('| --- | --- | --- | --- | --- | --- |');
  for (const [index, { name }] of languages.entries()) {
    const middle = (of: keyof Life) => median(measured[index]!.map((one) => one[of]));
    const mib = (of: keyof Life) => `${middle(of).toFixed(1)} MiB`;
    console.log(
      `| ${name} | ${middle('firstLineMs').toFixed(0)} ms | ${middle('cpuMs').toFixed(0)} ms | ${mib('bot')} | ${mib('query')} | ${mib('all')} |`,
    );
  }
} finally {
  await minio.stop();
  rmSync(work, { recursive: true });
}

interface Life {
  readonly firstLineMs: number;
  /** Of all processes of the container. */
  readonly cpuMs: number;
  /** MiB. */
  readonly bot: number;
  readonly query: number;
  readonly all: number;
}

async function life(env: Readonly<Record<string, string>>): Promise<Life> {
  const port = String(await freePort());
  await using container = await startContainer({ image: image.tag, env: { ...env, QUERY_PORT: port } });
  await container.waitForOutput('\n');
  await sleep(5000);
  const { Pid: tini, StartedAt: started } = JSON.parse(
    await docker('inspect', '--format', '{{json .State}}', container.name),
  ) as { Pid: number; StartedAt: string };
  const [line = ''] = (await docker('logs', '--timestamps', container.name)).split('\n');
  const processes = (await docker('top', container.name, '-eo', 'pid,ppid,args'))
    .trim()
    .split('\n')
    .slice(1)
    .map((text) => /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(text)!.slice(1))
    .map(([pid, parent, command]) => ({ pid: Number(pid), parent: Number(parent), command: command! }));
  const childOf = (parent: number | undefined, wanted: (command: string) => boolean) =>
    processes.find((one) => one.parent === parent && wanted(one.command))?.pid;
  const ours = (command: string) => /\/runtime\b/.test(command) && !/\/bot\//.test(command);
  const program = (command: string) => !ours(command) && !/^\/bin\/sh/.test(command);
  const supervisor = childOf(tini, ours);
  const queryServer = childOf(supervisor, (command) => command.includes('--query-server-only'));
  const memory = (pid: number | undefined) => (pid === undefined ? 0 : anonymousMiB(pid));
  return {
    cpuMs: cpuOfCgroupMs(tini),
    firstLineMs: Date.parse(line.split(' ')[0]!) - Date.parse(started),
    bot: memory(childOf(supervisor, program)),
    query: memory(childOf(queryServer, program)),
    all: processes.reduce((sum, { pid }) => sum + memory(pid), 0),
  };
}

function built(example: string): string {
  const folder = join(work, example);
  cpSync(join(root, 'examples', example), folder, { recursive: true });
  if (readOr(join(folder, 'build'), '') !== '')
    execFileSync(join(root, 'scripts/languages'), ['run', join(folder, 'build')]);
  return folder;
}

function readOr(file: string, otherwise: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return otherwise;
  }
}
