/**
 * bench serve [SANDBOXES]: a real server of sandboxes with a folder as its store, on real Docker: from create to running beside
 * `docker run`, a command end to end beside `docker exec`, so many at once (default 50), and what they cost at rest.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { docker, universalImage } from '../../test/support/container/docker.ts';
import { type RealServe, realServe } from '../../test/support/serve/realServe.ts';
import {
  anonymousMiB,
  cpuOfCgroupMs,
  cpuSeconds,
  median,
  mib,
  ms,
  printTable,
  quantile,
  sideBySide,
} from './lib.ts';

const count = Number(process.argv[2] ?? 50);
const STARTS = 3;
const COMMANDS = 20;
const REST_SECONDS = 20;
/** Of so many of them what is inside is looked at. */
const LOOKED_AT = 20;

const image = await universalImage();
if (image.missing !== undefined) throw new Error(image.missing);

/** In 64 MB what is ours has no room. */
const single = { resources: { memoryMB: 256, cpuCores: 1, diskGB: 0.1 } };
/** So that many fit into the budget of a small machine: what they may use is what is held for them. */
const small = { resources: { memoryMB: 160, cpuCores: 0.5, diskGB: 0.1 } };
const available = () =>
  Number(/^MemAvailable:\s+(\d+)/m.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1]) / 1024;

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

async function untilRunning(serve: RealServe, id: string): Promise<void> {
  while ((await serve.info(id)).status !== 'running') await pause(5);
}

const pidOf = async (id: string) => Number(await docker('inspect', '-f', '{{.State.Pid}}', `rt-${id}`));

/** Anonymous memory of all that runs in it, MiB. */
async function memoryOf(id: string): Promise<number> {
  const listed = (await docker('top', `rt-${id}`, '-eo', 'pid')).trim().split('\n').slice(1);
  return listed.reduce((sum, pid) => sum + anonymousMiB(Number(pid)), 0);
}

async function remove(serve: RealServe, id: string): Promise<void> {
  await serve.call('DELETE', `/v1/sandboxes/${id}`);
  while ((await docker('ps', '--all', '--quiet', '--filter', `label=runtime.bot=${id}`)).trim() !== '')
    await pause(50);
}

await using serve = await realServe({
  image: image.tag,
  policy: 'default: {rates: {reads: 1000000, writes: 1000000, calls: 1000000}, resources: {sandboxes: 1000}}',
  // What they cost is measured, not what they may have.
  env: {
    RUNTIME_SERVE_CPU_CORES: '10000',
    RUNTIME_SERVE_MEMORY_MB: '1000000',
    RUNTIME_SERVE_DISK_GB: '10000',
  },
});
await serve.start();

const starts = await sideBySide(STARTS, {
  sandbox: async () => {
    let id = '';
    const took = await timed(async () => {
      id = (await serve.create(single)).id;
      await untilRunning(serve, id);
    });
    await remove(serve, id);
    return took;
  },
  dockerRun: async () => {
    let id = '';
    const took = await timed(async () => {
      id = (
        await docker('run', '--detach', '--memory', '160m', '--entrypoint', 'sleep', image.tag, '1000')
      ).trim();
    });
    await docker('rm', '--force', id);
    return took;
  },
});

const { id: one } = await serve.create(single);
await untilRunning(serve, one);
const startCpuMs = cpuOfCgroupMs(await pidOf(one));
const both: number[] = [];
const commands: number[] = [];
const inDocker: number[] = [];
for (let i = 0; i < COMMANDS; i++) {
  commands.push(await timed(() => serve.exec(one, 'true')));
  both.push(
    await timed(async () => {
      await serve.info(one);
      await serve.exec(one, 'true');
    }),
  );
  inDocker.push(await timed(() => docker('exec', `rt-${one}`, 'true')));
}
// Its daemon has looked at the disk, and all has been given back that a start needs.
await pause(15_000);
const insideMiB = await memoryOf(one);
await remove(serve, one);

const [serverBefore, machineBefore] = [anonymousMiB(serve.pid), available()];
const ready: number[] = [];
const ids: string[] = [];
const allMs = await timed(() =>
  Promise.all(
    Array.from({ length: count }, async () => {
      const began = performance.now();
      const { id } = await serve.create(small);
      ids.push(id);
      while ((await serve.info(id)).status !== 'running') await pause(100);
      ready.push(performance.now() - began);
    }),
  ),
);
// The daemon of each has looked at its disk once.
await pause(10_000);
const [serverAfter, machineAfter] = [anonymousMiB(serve.pid), available()];
const pids = await Promise.all(ids.slice(0, LOOKED_AT).map(pidOf));
const cpuInside = () => pids.map(cpuOfCgroupMs);
const [cpu, before] = [cpuSeconds(serve.pid), cpuInside()];
await pause(REST_SECONDS * 1000);
const share = (cpuSeconds(serve.pid) - cpu) / REST_SECONDS;
const shares = cpuInside().map((after, at) => (after - before[at]!) / (REST_SECONDS * 1000));
const memories: number[] = [];
for (const id of ids.slice(0, LOOKED_AT)) memories.push(await memoryOf(id));

await serve.kill();
const adoptedMs = await timed(async () => {
  await serve.start();
  for (;;) {
    const { body } = await serve.call('GET', '/v1/sandboxes?status=running&limit=1000');
    if ((body.sandboxes as unknown[]).length === count) return;
    await pause(20);
  }
});

printTable(`A server of sandboxes, ${count} at once`, [
  ['create to running, one after the other (median)', ms(starts.sandbox ?? Number.NaN)],
  ['docker run --detach, in turns with it', ms(starts.dockerRun ?? Number.NaN)],
  ['processor inside until it runs', ms(startCpuMs)],
  ['anonymous memory inside, at rest', mib(insideMiB)],
  ['a command, `true`: one request (median; p90)', `${ms(median(commands))}; ${ms(quantile(commands, 0.9))}`],
  ['… with the look before it that clients take', `${ms(median(both))}; ${ms(quantile(both, 0.9))}`],
  ['docker exec true, in turns with it', `${ms(median(inDocker))}; ${ms(quantile(inDocker, 0.9))}`],
  [`${count} at once: all run after`, ms(allMs)],
  ['… the median; the last', `${ms(median(ready))}; ${ms(quantile(ready, 1))}`],
  ['the server, anonymous: with none; with all', `${mib(serverBefore)}; ${mib(serverAfter)}`],
  ['the machine, for each', mib((machineBefore - machineAfter) / count)],
  [`the server's processor at rest, share of a core over ${REST_SECONDS} s`, `${(share * 100).toFixed(2)} %`],
  [`of ${pids.length} of them, anonymous memory inside (median)`, mib(median(memories))],
  ['… their processor at rest, share of a core each (median)', `${(median(shares) * 100).toFixed(2)} %`],
  ['killed and started: all found again after', ms(adoptedMs)],
]);
