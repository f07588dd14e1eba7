/**
 * bench hostReal [BOTS]: a real host with so many bots (default 50) of a shell loop each, real Docker and MinIO: how long until all
 * run, what the host costs at rest, how soon a change is acted upon, how late runs begin, and what a bot takes beside itself.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { docker, universalImage } from '../../test/support/container/docker.ts';
import { realHost } from '../../test/support/host/realHost.ts';
import { startMinio } from '../../test/support/store/minio.ts';
import { anonymousMiB, cpuSeconds, median, mib, ms, printTable, quantile } from './lib.ts';

const bots = Number(process.argv[2] ?? 50);
const REST_SECONDS = 30;
const CHANGES = 10;
const TIMED = 5;

const image = await universalImage();
if (image.missing !== undefined) throw new Error(image.missing);
const minio = await startMinio({ address: '0.0.0.0', quiet: true });
const name = (i: number) => `bot-${String(i).padStart(3, '0')}`;
const file = (bot: string, more = '') =>
  `name: ${bot}\ntype: realtime\nruntime: command\nentrypoints: {bot: 'while true; do sleep 5; done'}\n${more}`;
const load = () => readFileSync('/proc/loadavg', 'utf8').split(' ')[0]!;

async function until(check: () => Promise<boolean>): Promise<void> {
  while (!(await check())) await pause(100);
}

try {
  await using host = await realHost({ image: image.tag, minio });
  for (let i = 0; i < bots; i++) host.write({ [`${name(i)}/bot.yaml`]: file(name(i)) });
  const running = async () => (await host.list()).filter(({ state }) => state === 'running').length;
  let began = performance.now();
  await host.start();
  await until(async () => (await running().catch(() => 0)) === bots);
  const allRunMs = performance.now() - began;

  // The daemon of each has published once.
  await pause(15_000);
  const parts = await partsOfAll();
  const hostMiB = anonymousMiB(host.pid);
  const residentMiB = residentOf(host.pid);
  const cpu = cpuSeconds(host.pid);
  await pause(REST_SECONDS * 1_000);
  const share = (cpuSeconds(host.pid) - cpu) / REST_SECONDS;

  const seen: number[] = [];
  for (let i = 0; i < Math.min(CHANGES, bots); i++) {
    const at = Date.now();
    host.write({ [`${name(i)}/bot.yaml`]: file(name(i), `env: {CHANGE: "${i}"}\n`) });
    const asked = async () =>
      (await host.events()).find(
        (event) => event.bot === name(i) && event.type === 'stopping' && event.at >= at,
      );
    await until(async () => (await asked()) !== undefined);
    seen.push((await asked())!.at - at);
  }
  await until(async () => (await running()) === bots);

  for (let i = 0; i < TIMED; i++)
    host.write({
      [`timed-${i}/bot.yaml`]: `name: timed-${i}\ntype: scheduled\nruntime: command\nentrypoints: {bot: 'true'}\nschedule: {cron: "*/15 * * * * *", spread: 10s}\n`,
    });
  await pause(90_000);
  const late = (type: string) =>
    host
      .events()
      .then((events) => events.filter((event) => event.type === type && typeof event.facts.late === 'number'))
      .then((events) => events.map(({ facts }) => facts.late as number));
  const [claimed, started] = [await late('claimed'), await late('started')];
  for (let i = 0; i < TIMED; i++) await host.cli('disable', `timed-${i}`);

  const before = await lives();
  await host.kill();
  began = performance.now();
  await host.start();
  await until(async () => (await running().catch(() => 0)) === bots);
  const adoptedMs = performance.now() - began;
  const kept = (await lives()).filter((one) => before.includes(one)).length;

  began = performance.now();
  await host.cli('drain', '--wait');
  const drainMs = performance.now() - began;

  printTable(`A host with ${bots} real containers`, [
    ['until all run', ms(allRunMs)],
    ['the host at rest, anonymous; resident', `${mib(hostMiB)}; ${mib(residentMiB)}`],
    [`… processor, share of a core over ${REST_SECONDS} s`, `${(share * 100).toFixed(2)} %`],
    [
      `a file changed until it is acted upon, p50 of ${seen.length}; the slowest`,
      `${ms(median(seen))}; ${ms(Math.max(...seen))}`,
    ],
    [
      `a run due until claimed, p50 of ${claimed.length}; p99`,
      `${ms(quantile(claimed, 0.5))}; ${ms(quantile(claimed, 0.99))}`,
    ],
    [
      `… until its container is started, p50 of ${started.length}; p99`,
      `${ms(quantile(started, 0.5))}; ${ms(quantile(started, 0.99))}`,
    ],
    ['killed and started: all adopted after', `${ms(adoptedMs)}, ${kept} of ${before.length} as they were`],
    ['drain of all', ms(drainMs)],
    ['load of the machine at the end', load()],
  ]);
  printTable(
    `Memory of one bot of those ${bots}, anonymous, means`,
    [...parts].map(([what, value]): [string, string] => [what, mib(value / bots)]),
  );
} finally {
  await minio.stop();
}

async function lives(): Promise<string[]> {
  const names = Array.from({ length: bots }, (_, i) => `rt-${name(i)}`);
  return (await docker('inspect', '-f', '{{.Id}} {{.State.StartedAt}}', ...names)).trim().split('\n');
}

/** What all bots' containers take, by whose it is: their processes, their shims, and what the kernel keeps for them. */
async function partsOfAll(): Promise<Map<string, number>> {
  const parts = new Map<string, number>();
  const add = (what: string, value: number) => parts.set(what, (parts.get(what) ?? 0) + value);
  for (let i = 0; i < bots; i++) {
    const container = `rt-${name(i)}`;
    const pid = Number(await docker('inspect', '-f', '{{.State.Pid}}', container));
    const shim = Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
    add('shim, the engine’s', anonymousMiB(shim));
    const listed = (await docker('top', container, '-eo', 'pid,args')).trim().split('\n').slice(1);
    for (const line of listed) {
      const [, one = '', command = ''] = /^\s*(\d+)\s+(.*)$/.exec(line) ?? [];
      try {
        add(partOf(command), anonymousMiB(Number(one)));
      } catch {
        // It has ended since it was listed.
      }
    }
    add('kernel: page tables, stacks, sockets, its own accounts', kernelMiB(pid));
  }
  return parts;
}

function partOf(command: string): string {
  if (/daemon sync/.test(command)) return 'sync daemon';
  if (/tini/.test(command)) return 'tini, guard';
  if (/runtime\b.*execute/.test(command)) return 'supervisor';
  if (/guard|lifeline/.test(command)) return 'tini, guard';
  return 'the bot itself';
}

/** Of the container's control group, where it tells (v1: kmem and page tables are not anonymous). */
function kernelMiB(pid: number): number {
  const groups = readFileSync(`/proc/${pid}/cgroup`, 'utf8').split('\n');
  const v1 = groups.find((line) => /^\d+:memory:/.test(line))?.split(':')[2];
  const path =
    v1 === undefined
      ? `/sys/fs/cgroup${groups.find((line) => line.startsWith('0::'))?.slice(3)}/memory.stat`
      : `/sys/fs/cgroup/memory${v1}/memory.kmem.usage_in_bytes`;
  try {
    const text = readFileSync(path, 'utf8');
    const bytes = v1 === undefined ? Number(/^kernel (\d+)$/m.exec(text)?.[1]) : Number(text);
    return bytes / 2 ** 20;
  } catch {
    return 0;
  }
}

function residentOf(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
}
