import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { systemClock } from '../../src/base/clock.ts';
import { createFolders } from '../../src/host/data/folders.ts';
import type { HostEvent } from '../../src/host/journal/event.ts';
import { openJournal } from '../../src/host/journal/openJournal.ts';
import { createLoop } from '../../src/host/loop/createLoop.ts';
import { createDiskUse } from '../../src/host/loop/diskUse.ts';
import { openRecords } from '../../src/host/loop/openRecords.ts';
import { openWavesFile } from '../../src/host/loop/wavesFile.ts';
import { systemTimers } from '../../src/host/run/systemTimers.ts';
import { parseSchedule } from '../../src/host/schedule/parseSchedule.ts';
import { openDirectorySource } from '../../src/host/sources/directory.ts';
import { createModelEngine } from '../../test/support/host/modelEngine.ts';
import { modelInstances } from '../../test/support/host/modelHost.ts';
import { createModelRollbacks } from '../../test/support/host/modelRollbacks.ts';
import { anonymousMiB, mib, ms, printTable } from './lib.ts';

/**
 * A host's own cost, without an engine: 1,000 bots in a real folder, real records and journal on disk, instances in memory. What a
 * container costs is another matter: docs/performance.md.
 */
const bots = Number(process.argv[2] ?? 1_000);
const restSeconds = 20;
const changes = 30;

const root = mkdtempSync(join(tmpdir(), 'bench-host-'));
const folder = join(root, 'bots');
mkdirSync(folder);
const name = (i: number) => `bot-${String(i).padStart(5, '0')}`;
const file = (i: number, more = '') =>
  writeFileSync(
    join(folder, `${name(i)}.yaml`),
    `name: ${name(i)}\ntype: realtime\nruntime: python3.11\ncode: {file: ${name(i)}.zip}\nentrypoints: {bot: main.py}\n${more}`,
  );
for (let i = 0; i < bots; i++) file(i);

const before = anonymousMiB(process.pid);
const model = createModelEngine({ now: Date.now });
const folders = createFolders(join(root, 'data'));
const { records, damaged } = openRecords(folders, Date.now);
const journal = openJournal(folders.journal, Date.now);
const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const loop = createLoop({
  engine: model.engine,
  instances: modelInstances(),
  records,
  rollbacks: createModelRollbacks(),
  damaged,
  waves: openWavesFile(folders),
  journal,
  clock: systemClock,
  timers: systemTimers,
  log: quiet,
  slots: { code: 4, start: 8, end: 16 },
  allowMassDelete: false,
  types: new Set(['realtime', 'scheduled']),
  hostFull: { any: () => undefined, disk: () => undefined },
  diskUse: createDiskUse(),
  saysStopped: () => false,
  random: Math.random,
  draining: false,
  readyAfterMs: 5_000,
  observe: () => undefined,
});
const source = openDirectorySource({
  path: folder,
  clock: systemClock,
  code: () => Promise.reject(new Error('no code in a folder here')),
});
const stop = new AbortController();
const running = Promise.all([loop.run(stop.signal), source.run(loop.observer, stop.signal)]);
const live = () => [...model.instances.values()].filter(({ state }) => state === 'running').length;

let began = performance.now();
while (live() < bots) await pause(10);
const allRunMs = performance.now() - began;

await pause(3_000);
const cpu = process.cpuUsage();
began = performance.now();
await pause(restSeconds * 1_000);
const used = process.cpuUsage(cpu);
const restShare = (used.user + used.system) / 1_000 / (performance.now() - began);
const memory = anonymousMiB(process.pid) - before;

const seenAfter: number[] = [];
for (let i = 0; i < changes; i++) {
  const bot = (i * 31) % bots;
  const signals = model.signals.length;
  const at = performance.now();
  file(bot, `labels: {change: "${i}"}\n`);
  while (model.signals.length === signals) await pause(1);
  seenAfter.push(performance.now() - at);
  model.end(`rt-${name(bot)}`, 143);
  await pause(50);
}

// Times that many bots have at the same second.
const late: number[] = [];
journal.subscribe((event: HostEvent) => {
  if (event.type === 'claimed') late.push(event.facts.late as number);
});
const due = Math.min(bots, 500);
for (let i = 0; i < due; i++) {
  writeFileSync(
    join(folder, `timed-${i}.yaml`),
    `name: timed-${i}\ntype: scheduled\nruntime: python3.11\ncode: {file: t.zip}\nentrypoints: {bot: main.py}\nschedule: {cron: "*/10 * * * * *", spread: 5s}\n`,
  );
}
const ends = setInterval(() => {
  for (const one of [...model.instances.values()])
    if (one.spec.role === 'run' && one.state === 'running') model.end(one.name, 0);
}, 100);
await pause(45_000);
clearInterval(ends);

const schedule = parseSchedule(
  { cron: '30 9 * * 1-5', timeZone: 'America/New_York', spreadMs: 0, bot: 'b' },
  0,
);
if (typeof schedule === 'string') throw new Error(schedule);
began = performance.now();
let time = Date.now();
for (let i = 0; i < 2_000; i++) time = schedule.next(time)!;
const nextUs = ((performance.now() - began) / 2_000) * 1_000;

stop.abort();
await running;
const quantile = (values: number[], q: number) =>
  values.sort((a, b) => a - b)[Math.floor(q * (values.length - 1))]!;
printTable(
  `A host with ${bots} bots in a folder, instances in memory (from source, Node ${process.version})`,
  [
    ['until all run: listed, recorded durably, created, started', ms(allRunMs)],
    [`CPU at rest, share of a core over ${restSeconds} s`, `${(restShare * 100).toFixed(2)} %`],
    ['memory of it, beside Node and the bench', mib(memory)],
    [`a file changed until SIGTERM, p50 of ${changes}`, ms(quantile(seenAfter, 0.5))],
    ['… the slowest', ms(quantile(seenAfter, 1))],
    [
      `a run due until claimed, p50 of ${late.length}, ${due} bots every 10 s spread over 5 s`,
      ms(quantile(late, 0.5)),
    ],
    ['… p99', ms(quantile(late, 0.99))],
    ['the next time of a schedule in a zone', `${nextUs.toFixed(0)} µs`],
    ['load of the machine meanwhile', readFileSync('/proc/loadavg', 'utf8').split(' ')[0]!],
  ],
);
rmSync(root, { recursive: true, force: true });
process.exit(0);
