import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { mayLive, ownLabel } from '../../../../src/protocol/gestalt/owner.ts';

/** The label of a process that has ended. */
async function ofTheDead(): Promise<string> {
  const child = spawn('sleep', ['60']);
  await once(child, 'spawn');
  const label = ownLabel(child.pid);
  child.kill('SIGKILL');
  await once(child, 'exit');
  return label;
}
const changed = (label: string, at: number, value: string) => label.split(' ').with(at, value).join(' ');
const [MACHINE, BOOT, NAMESPACE, , STARTED] = [0, 1, 2, 3, 4];

test('who is there lives; who is gone, began at another time or before the boot is dead', async () => {
  expect(mayLive(ownLabel(), true)).toBe(true);
  expect(mayLive(await ofTheDead(), true)).toBe(false);
  expect(mayLive(changed(ownLabel(), STARTED, '1'), true)).toBe(false);
  expect(mayLive(changed(ownLabel(), BOOT, 'another'), true)).toBe(false);
});

test('what could not be read proves nothing: a provider in a sandbox sees nothing of /proc, and may neither take others for dead nor be taken', async () => {
  const sandboxed = changed(changed(ownLabel(), BOOT, '?'), STARTED, '?');
  expect(mayLive(sandboxed, true)).toBe(true);
  // That it is not there any more can be asked without /proc.
  expect(mayLive(changed(changed(await ofTheDead(), BOOT, '?'), STARTED, '?'), true)).toBe(false);
  expect(mayLive(changed(await ofTheDead(), NAMESPACE, '?'), true)).toBe(true);
  expect(mayLive(changed(await ofTheDead(), NAMESPACE, '1'), true)).toBe(true);
  for (const unreadable of ['', 'x', 'a b c', 'm b n 0 1', 'm b n x 1'])
    expect(mayLive(unreadable, true)).toBe(true);
});

test('on an engine over the network only what this very machine has made is judged', async () => {
  const dead = changed(await ofTheDead(), MACHINE, 'another');
  expect(mayLive(dead, false)).toBe(true);
  expect(mayLive(changed(dead, BOOT, 'another'), false)).toBe(true);
  expect(mayLive(changed(dead, MACHINE, '?'), false)).toBe(true);
});
