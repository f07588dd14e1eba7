import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  isCrowded,
  isScarce,
  OWN_PROCESSES,
  processLimit,
  refusedProcesses,
  requireProcesses,
} from '../../../../src/agent/process/processLimit.ts';
import { temporaryDirectory } from '../../../support/files/temporary.ts';

test.each([
  ['max', undefined],
  ['20', 20],
  ['32768', 32_768],
])('what the kernel says: %s', async (text, limit) => {
  const file = join(await temporaryDirectory(), 'pids.max');
  writeFileSync(file, `${text}\n`);
  expect(processLimit([`${file}.absent`, file])).toBe(limit);
  expect(processLimit([`${file}.absent`])).toBe(undefined);
});

test.each([
  ['8', 'max', 8],
  ['unlimited', '20', 20],
  ['8', '20', 8],
  ['95000', 'max', 95_000],
  ['unlimited', 'max', undefined],
])('the limit of an ordinary user counts, too: %s, and %s of the container', async (nproc, pids, limit) => {
  const dir = await temporaryDirectory();
  const [most, limits] = [join(dir, 'pids.max'), join(dir, 'limits')];
  writeFileSync(most, `${pids}\n`);
  writeFileSync(
    limits,
    `Limit                     Soft Limit           Hard Limit           Units     \n` +
      `Max processes             ${nproc.padEnd(20)} unlimited            processes \n`,
  );
  expect(processLimit([most], limits)).toBe(limit);
});

test.each([
  ['max', '5000', false],
  ['512', '409', false],
  ['512', '410', true],
  ['512', '513', true],
])('with a limit of %s, %s are a crowd: %s', async (limit, count, crowded) => {
  const dir = await temporaryDirectory();
  const [most, now] = [join(dir, 'pids.max'), join(dir, 'pids.current')];
  writeFileSync(most, `${limit}\n`);
  writeFileSync(now, `${count}\n`);
  expect(isCrowded([most], [now])).toBe(crowded);
  expect(isCrowded([most], [`${now}.absent`])).toBe(false);
});

test('who is refused a process is counted by the kernel', async () => {
  const file = join(await temporaryDirectory(), 'pids.events');
  writeFileSync(file, 'max 12\n');
  expect(refusedProcesses([`${file}.absent`, file])).toBe(12);
  expect(refusedProcesses([`${file}.absent`])).toBe(0);
});

test('the runtime has to fit, and more than that is scarce as long as a bot could take it all', () => {
  expect(() => requireProcesses(OWN_PROCESSES)).toThrow('processes and threads are allowed');
  expect(() => requireProcesses(OWN_PROCESSES + 1)).not.toThrow();
  expect(() => requireProcesses(undefined)).not.toThrow();
  expect([isScarce(20), isScarce(1000), isScarce(undefined)]).toEqual([true, false, false]);
});
